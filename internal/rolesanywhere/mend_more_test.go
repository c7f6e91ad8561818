package rolesanywhere_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/certtest"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// TestServiceErrorText: a refusal is its code, with the message where there is one.
func TestServiceErrorText(t *testing.T) {
	require.EqualError(t, &rolesanywhere.ServiceError{Code: "AccessDeniedException"}, "AccessDeniedException")
	require.EqualError(t, &rolesanywhere.ServiceError{Code: "AccessDeniedException", Message: "no"}, "AccessDeniedException: no")
}

// TestClockMend: the clock is named to the second, and on the side where it is wrong;
// of another refusal it is not the reason.
func TestClockMend(t *testing.T) {
	for skew, want := range map[time.Duration]string{
		5*time.Minute + time.Second:    "which is 5m1s behind the service's",
		-(5*time.Minute + time.Second): "which is 5m1s ahead of the service's",
		4 * time.Minute:                "",
		-4 * time.Minute:               "",
	} {
		got := (&rolesanywhere.ServiceError{Status: http.StatusForbidden, Skew: skew}).Mend()
		assert.Contains(t, got+"\n", want+"\n", skew)
	}
	assert.Empty(t, (&rolesanywhere.ServiceError{Status: http.StatusBadRequest, Skew: time.Hour}).Mend())
}

// TestLargestFile: a file of a mebibyte is read, and one that is a byte longer is not.
func TestLargestFile(t *testing.T) {
	const largest = 1 << 20
	dir := t.TempDir()
	c := certtest.NewCA(t, "root").Issue(t, "machine-1", certtest.ECDSA(t))
	certFile, keyFile := filepath.Join(dir, "machine.crt"), filepath.Join(dir, "machine.key")
	require.NoError(t, os.WriteFile(keyFile, certtest.KeyPEM(t, c.PrivateKey), 0o600))
	text := certtest.PEM(c.Certificate[0])
	for size, fits := range map[int]bool{largest: true, largest + 1: false} {
		require.NoError(t, os.WriteFile(certFile, append(bytes.Repeat([]byte("\n"), size-len(text)), text...), 0o600))
		_, err := rolesanywhere.Files(certFile, keyFile)(t.Context())
		assert.Equal(t, fits, err == nil, "%d: %v", size, err)
	}
}

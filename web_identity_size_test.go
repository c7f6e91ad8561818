package awsauth_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestLongToken: a token that STS would refuse is refused before, with the name of its
// file and the limit.
func TestLongToken(t *testing.T) {
	const most = 20_000
	for name, tt := range map[string]struct{ text, says string }{
		"the longest":        {strings.Repeat("é", most) + "\n", ""},
		"one character more": {strings.Repeat("a", most+1), "the token has 20001 characters, and STS takes 20000 at most"},
		"64 KiB":             {strings.Repeat("a", 64<<10), "the token has 65536 characters, and STS takes 20000 at most"},
		"larger than 64 KiB": {strings.Repeat("a", 64<<10+1), "the file is larger than 64 KiB, and no token is"},
		"much larger":        {strings.Repeat("a", 1<<20), "the file is larger than 64 KiB, and no token is"},
		"a file of spaces":   {"token" + strings.Repeat(" ", 64<<10) + "token", "the file is larger than 64 KiB, and no token is"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Write("token", tt.text)
			w.WebEnv()
			err := w.Fetch()
			option := w.Fetch(awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(strings.TrimSpace(tt.text)), nil })))
			if tt.says == "" {
				assert.Len(t, w.Said(), 2, "STS is asked")
				return
			}
			assert.Empty(t, w.Said(), "no call leaves")
			lab.RequireBad(t, err, awsauth.NoCredentials)
			assert.EqualError(t, err, "awsauth: web identity: the token file "+filepath.Join(w.Dir, "token")+": "+tt.says+
				"; check AWS_WEB_IDENTITY_TOKEN_FILE and what writes the token")
			lab.RequireBad(t, option, awsauth.NoCredentials, "web identity: the token has ", "; check where WithWebIdentity has its token from")
		})
	}
}

// TestLongContainerToken: the token for a container's endpoint is not cut either.
func TestLongContainerToken(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Write("token", strings.Repeat("a", 64<<10+1))
	w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$DIR/token")
	lab.RequireBad(t, w.Fetch(), awsauth.NoCredentials, filepath.Join(w.Dir, "token")+": the file is larger than 64 KiB", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	assert.Empty(t, w.Said())
}

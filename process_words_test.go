//go:build unix

package awsauth_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestProcessHangs: a process that does not end is named, not the network.
func TestProcessHangs(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\ncredential_process = sh -c \"exec sleep 3\"\n", "")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := w.Open(awsauth.WithProfile("ops")).Retrieve(ctx)
	lab.RequireBad(t, err, awsauth.NoCredentials, "credential_process did not end in 200ms", "run it by hand")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestWordsForProcesses: an error says what is wrong with what a process wrote.
func TestWordsForProcesses(t *testing.T) {
	const keys = `"Version": 1, "AccessKeyId": "` + lab.SomeID + `", "SecretAccessKey": "` + lab.SomeSecret + `"`
	for _, tt := range []struct {
		name, script string
		kind         awsauth.Kind
		has          []string
		hasNot       []string
	}{
		{"an array", `echo '[{` + keys + `}]'`, awsauth.NoCredentials, []string{"not an object"}, []string{"wrote a  of"}},
		{"nothing", `exit 0`, awsauth.NoCredentials, []string{"wrote nothing"}, nil},
		{"an account number", `echo '{` + keys + `, "AccountId": 111111111111}'`, awsauth.NoCredentials, []string{"AccountId"}, []string{"a AccountId"}},
		{"Go's zero time", `echo '{` + keys + `, "Expiration": "0001-01-01T00:00:00Z"}'`, awsauth.Expired, []string{"Expiration"}, []string{"2562047h", "clock of this machine is probably ahead"}},
		{"an hour ago", `echo '{` + keys + `, "Expiration": "2020-01-01T00:00:00Z"}'`, awsauth.Expired, []string{"credential_process"}, []string{"clock of this machine is probably ahead"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "process"), []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700))
			w.Files(w.Text("[profile ops]\ncredential_process = $DIR/process\n"), "")
			err := w.Fetch(awsauth.WithProfile("ops"))
			lab.RequireBad(t, err, tt.kind, tt.has...)
			for _, no := range append(tt.hasNot, lab.SomeSecret) {
				assert.NotContains(t, err.Error(), no)
			}
		})
	}
}

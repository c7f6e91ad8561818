package awsauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestSessionNameOfEnvironment: AWS_ROLE_SESSION_NAME is held against the rules of
// session names before any call, as role_session_name of a profile is.
func TestSessionNameOfEnvironment(t *testing.T) {
	for _, name := range []string{"a b/c", "a", strings.Repeat("a", 65), "é-host", "me\n"} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.WebEnv()
			t.Setenv("AWS_ROLE_SESSION_NAME", name)
			err := w.Fetch()
			lab.RequireBad(t, err, awsauth.InvalidOption, "AWS_ROLE_SESSION_NAME", "2 to 64")
			assert.Empty(t, w.Said(), "no call leaves")
		})
	}
}

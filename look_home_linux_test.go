package awsauth_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// asSomebodyElse runs do, as far as files are concerned, as a user who may not enter
// the directory. The kernel keeps that by thread.
func asSomebodyElse(t *testing.T, dir string, do func()) {
	if os.Geteuid() != 0 {
		require.NoError(t, os.Chmod(dir, 0))
		defer os.Chmod(dir, 0o700)
		do()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
	defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	do()
}

// TestHomeOfAnother: a service that was started by root and runs as somebody else often
// has root's HOME, which it may not enter. For the AWS CLI and the SDK there are no
// shared files then. A profile that was named may stand there, and nobody can tell.
func TestHomeOfAnother(t *testing.T) {
	configs, credentials := config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles
	t.Cleanup(func() { config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles = configs, credentials })
	for name, tt := range map[string]struct {
		locked  string // below the home's parent
		profile string
		wants   string // in the error, "" for the machine's identity
	}{
		"home":                    {"home", "", ""},
		"what is round the home":  {".", "", ""},
		"home, WithProfile":       {"home", "ops", "permission denied"},
		"home, which is ours":     {"home", "", "permission denied"},
		"its .aws, which is ours": {"home/.aws", "", "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			unseen := false
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			require.NoError(t, os.Chmod(w.Dir, 0o755))
			require.NoError(t, os.Chmod(filepath.Dir(w.Dir), 0o755))
			aws := filepath.Join(w.Dir, "home", ".aws")
			require.NoError(t, os.MkdirAll(aws, 0o755))
			config.DefaultSharedConfigFiles = []string{filepath.Join(aws, "config")}
			config.DefaultSharedCredentialsFiles = []string{filepath.Join(aws, "credentials")}
			require.NoError(t, os.WriteFile(filepath.Join(aws, "credentials"), []byte("[default]\n"+lab.SomePair), 0o600))
			locked := filepath.Join(w.Dir, tt.locked)
			require.NoError(t, os.Chmod(locked, 0o700))
			if !strings.HasSuffix(name, "ours") {
				const somebody = 12345
				if os.Geteuid() != 0 || os.Chown(locked, somebody, -1) != nil {
					t.Skip("only root gives a directory away")
				}
				asSomebodyElse(t, locked, func() { _, err := os.Stat(locked); unseen = err != nil })
				if unseen {
					t.Skip("others may not enter the directory for temporary files")
				}
			}
			for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				require.NoError(t, os.Unsetenv(variable)) // Isolate puts them back
			}
			var log lab.Records
			var s *awsauth.Session
			var err error
			asSomebodyElse(t, locked, func() { s, err = w.Try(awsauth.WithProfile(tt.profile), log.Option()) })
			if tt.wants != "" {
				lab.RequireBad(t, err, awsauth.InvalidOption, tt.wants, filepath.Join(aws, "config"))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, w.Became(lab.Home, "base"), w.IdentityOf(s))
			assert.Contains(t, s.Explain().String(), "not in "+filepath.Join(aws, "credentials")+", whose directory this user may not enter")
			warned := log.At(slog.LevelWarn)
			require.Len(t, warned, 2)
			assert.Equal(t, "awsauth: "+filepath.Join(aws, "config")+" is not read, as the home directory is another user's, which this one may not enter; set HOME or AWS_CONFIG_FILE", warned[0].Message)
		})
	}
}

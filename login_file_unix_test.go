//go:build unix

package awsauth_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// loginFiles are the files of logins: each func sets up a profile "dev" that starts
// from one, and returns where the file is to be.
func loginFiles() map[string]func(t *testing.T, w *lab.Place) string {
	return map[string]func(t *testing.T, w *lab.Place) string{
		"SSO session": func(t *testing.T, w *lab.Place) string {
			w.SSOProfile()
			return w.SSOCache("corp")
		},
		"SSO, old form": func(t *testing.T, w *lab.Place) string {
			const url = "https://corp.awsapps.com/start"
			w.Files("[profile dev]\nsso_account_id = "+lab.Home+"\nsso_role_name = base\nsso_start_url = "+url+"\nsso_region = us-east-1\n", "")
			return w.SSOCache(url)
		},
		"login": func(t *testing.T, w *lab.Place) string {
			w.Env("AWS_LOGIN_CACHE_DIRECTORY=$DIR/login")
			w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
			path, err := logincreds.StandardCachedTokenFilepath(lab.LoginSession, filepath.Join(w.Dir, "login"))
			require.NoError(t, err)
			return path
		},
	}
}

// TestLoginFileThatCannotBeRead: the error names the file and the system's reason. The
// session has not ended, the network has no part in it, and nothing waits for a pipe.
func TestLoginFileThatCannotBeRead(t *testing.T) {
	for name, there := range map[string]struct {
		put  func(path string) error
		says string
	}{
		"FIFO":      {func(path string) error { return syscall.Mkfifo(path, 0o600) }, ": is not a regular file; remove what is there, then run: aws "},
		"directory": {func(path string) error { return os.Mkdir(path, 0o700) }, ": is not a regular file; remove what is there, then run: aws "},
		"link loop": {func(path string) error { return os.Symlink(path, path) }, ": too many levels of symbolic links; remove what is there, then run: aws "},
		"link to a FIFO": {func(path string) error {
			return errors.Join(syscall.Mkfifo(path+"2", 0o600), os.Symlink(path+"2", path))
		}, ": is not a regular file; remove what is there, then run: aws "},
		"forbidden": {func(path string) error { return os.WriteFile(path, nil, 0) }, ": permission denied; make it readable for this user"},
	} {
		for kind, setUp := range loginFiles() {
			for cache, disk := range map[string]bool{"": false, ", disk cache": true} {
				t.Run(name+"/"+kind+cache, func(t *testing.T) {
					if name == "forbidden" && os.Geteuid() == 0 {
						t.Skip("root may read it")
					}
					w := lab.New(t, awsauth.AWS)
					path := setUp(t, w)
					require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
					require.NoError(t, there.put(path))
					opts := []awsauth.Option{awsauth.WithProfile("dev")}
					if disk {
						opts = append(opts, awsauth.WithDiskCache(filepath.Join(w.Dir, "cache")))
					}
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					_, err := w.Open(opts...).Retrieve(ctx)
					lab.RequireBad(t, err, awsauth.NoCredentials, "cannot be read: "+path+there.says)
					require.NoError(t, ctx.Err(), "it waited")
					for _, other := range []awsauth.Kind{awsauth.Expired, awsauth.Unreachable} {
						assert.NotErrorIs(t, err, other)
					}
				})
			}
		}
	}
}

//go:build unix

package awsauth_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// specialFiles make, at a path, what is no regular file. What they return is the
// path to give.
func specialFiles() map[string]func(c *cast, path string) string {
	fifo := func(c *cast, path string) string {
		require.NoError(c.T, syscall.Mkfifo(path, 0o600))
		return path
	}
	return map[string]func(c *cast, path string) string{
		"FIFO": fifo,
		"directory": func(c *cast, path string) string {
			require.NoError(c.T, os.Mkdir(path, 0o700))
			return path
		},
		"link to a FIFO": func(c *cast, path string) string {
			require.NoError(c.T, os.Symlink(fifo(c, path+"2"), path))
			return path
		},
		"process substitution": func(c *cast, _ string) string {
			r, w, err := os.Pipe()
			require.NoError(c.T, err)
			c.T.Cleanup(func() { r.Close(); w.Close() })
			_, err = w.WriteString(c.text("[default]\n$KEYS\n[ops]\n$KEYS\n[profile ops]\n$KEYS\n"))
			require.NoError(c.T, err)
			path := "/dev/fd/" + strconv.Itoa(int(r.Fd()))
			if _, err := os.Stat(path); err != nil {
				c.T.Skip("no /dev/fd here")
			}
			return path
		},
		"socket": func(c *cast, _ string) string {
			dir, err := os.MkdirTemp("", "s") // a socket's path must be short
			require.NoError(c.T, err)
			path := filepath.Join(dir, "s")
			l, err := net.Listen("unix", path)
			require.NoError(c.T, err)
			c.T.Cleanup(func() { l.Close(); os.RemoveAll(dir) })
			return path
		},
		"device": func(*cast, string) string { return "/dev/zero" },
	}
}

// TestSpecialFiles: a file that gives its text only once, or never ends, would be
// read otherwise by the second reader, and let the machine's identity be used.
// It is refused at once, with its name.
func TestSpecialFiles(t *testing.T) {
	whose := map[string]func(c *cast) []awsauth.Option{
		"default":     func(*cast) []awsauth.Option { return nil },
		"WithProfile": func(*cast) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile("ops")} },
		"AWS_PROFILE": func(c *cast) []awsauth.Option { c.Env("AWS_PROFILE=ops"); return nil },
		"environment": func(c *cast) []awsauth.Option { c.Env(environmentUser...); return nil },
		"static keys": staticUser,
	}
	for kind, special := range specialFiles() {
		for who, options := range whose {
			for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				t.Run(kind+"/"+who+"/"+variable, func(t *testing.T) {
					c := newCast(t, awsauth.AWS)
					c.Files(c.text("[profile ops]\n$KEYS\n"), "")
					path := special(c, filepath.Join(c.Dir, "special"))
					c.Env(variable + "=" + path)
					start := time.Now()
					_, err := c.Try(options(c)...)
					lab.RequireBad(t, err, awsauth.InvalidOption, path)
					assert.Empty(t, c.Said())
					assert.Less(t, time.Since(start), 2*time.Second)
				})
			}
		}
	}
}

// TestSpecialFileOfOption: the SDK's own options name files, too.
func TestSpecialFileOfOption(t *testing.T) {
	for kind, special := range specialFiles() {
		t.Run(kind, func(t *testing.T) {
			c := newCast(t, awsauth.China)
			path := special(c, filepath.Join(c.Dir, "special"))
			_, err := c.Try(awsauth.WithLoadOptions(config.WithSharedCredentialsFiles([]string{path})))
			lab.RequireBad(t, err, awsauth.InvalidOption, path)
			assert.Empty(t, c.Said())
		})
	}
}

// TestNullDevice: no file at all is written as /dev/null.
func TestNullDevice(t *testing.T) {
	link := func(c *cast) string {
		path := filepath.Join(c.Dir, "null")
		require.NoError(c.T, os.Symlink(os.DevNull, path))
		return path
	}
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		c := newCast(t, p)
		for _, path := range []string{os.DevNull, link(c)} {
			c.Files("", c.text("[default]\n$KEYS\n"))
			c.Env("AWS_CONFIG_FILE=" + path)
			assert.Equal(t, c.arnOf("user/ci"), c.IdentityOf(c.Open(awsauth.WithPartition(p))))
			c.left()
			c.Files(c.text("[profile ops]\n$OTHER\n"), "")
			c.Env("AWS_SHARED_CREDENTIALS_FILE=" + path)
			assert.Equal(t, c.arnOf("user/other"), c.IdentityOf(c.Open(awsauth.WithProfile("ops"), awsauth.WithPartition(p))))
			c.left()
			c.Env("AWS_CONFIG_FILE="+path, "AWS_SHARED_CREDENTIALS_FILE="+path)
			assert.Equal(t, c.arnOf("role/"+bystander), c.IdentityOf(c.Open(awsauth.WithPartition(p))))
			c.ResetCalls()
		}
	}
}

// TestBundleThatIsAPipe: New does not wait for a CA bundle that nobody writes.
func TestBundleThatIsAPipe(t *testing.T) {
	c := newCast(t, awsauth.AWS)
	path := filepath.Join(c.Dir, "ca.pem")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	c.Env("AWS_CA_BUNDLE=" + path)
	done := make(chan error, 1)
	go func() { _, err := awsauth.New(c.Static()); done <- err }()
	select {
	case err := <-done:
		assert.ErrorContains(t, err, "regular file")
	case <-time.After(5 * time.Second):
		t.Error("New hangs")
	}
}

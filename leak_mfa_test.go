package awsauth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestNothingLeaksBehindMFA prints all that there is to print of sessions behind MFA
// with a disk cache: codes, the keys of the MFA session and those of its roles, and
// the key of the disk cache are on none of it, nor in any file but the cache's own.
func TestNothingLeaksBehindMFA(t *testing.T) {
	ways := map[string][]awsauth.Option{
		"session of the user": nil,
		"role":                {awsauth.WithAccount(lab.Target)},
		"long role":           {awsauth.WithAccount(lab.Target), awsauth.WithDuration(2 * time.Hour)},
	}
	troubles := map[string]awsauthtest.Fault{
		"works":     {Kind: awsauthtest.None},
		"refuses":   {Kind: awsauthtest.Refuse, Code: "AccessDenied", Message: "MultiFactorAuthentication failed"},
		"malformed": {Kind: awsauthtest.Malformed},
		"hangs":     {Kind: awsauthtest.Hang},
	}
	for way, opts := range ways {
		for trouble, fault := range troubles {
			for _, keyed := range []bool{false, true} {
				if trouble != "works" && (keyed || lab.UnderRace) {
					continue // nothing is written; the texts are the same without the detector
				}
				name := way + " " + trouble
				if keyed {
					name += " encrypted"
				}
				t.Run(name, func(t *testing.T) {
					lab.OnItsClock(t, func(t *testing.T, w *lab.Place) { leakBehindMFA(t, w, opts, fault, keyed) })
				})
			}
		}
	}
}

func leakBehindMFA(t *testing.T, w *lab.Place, role []awsauth.Option, fault awsauthtest.Fault, keyed bool) {
	device, p := strictPlace(w), &lab.Paper{}
	known := files(t, w.Dir)
	logger := slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts := append([]awsauth.Option{
		w.Static(), device.Option(), disk(w), awsauth.WithLogger(logger), awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud)),
	}, role...)
	if keyed {
		opts = append(opts, cacheKey(w))
	}
	s := w.Open(opts...)
	w.Show(p, s)
	remove := w.Inject(fault)
	creds, err := s.Retrieve(t.Context())
	require.Equal(t, fault.Kind == awsauthtest.None, err == nil, "%v", err)
	w.Spy.Note("secret of the session", creds.SecretAccessKey)
	p.All(err)
	use(t.Context(), p, s)
	remove()
	if again := w.Open(opts...); fault.Kind == awsauthtest.None { // what another process finds on the disk
		assert.Equal(t, creds.AccessKeyID, lab.Get(t, again).AccessKeyID)
		w.Show(p, again)
	}
	w.Show(p, s)
	for _, option := range opts {
		p.Print(option)
	}
	require.Contains(t, w.Spy.Kinds(), "TokenCode")
	p.Clean(t, w.Spy.Seen)
	cleanFiles(t, w, known, keyed)
}

// strictPlace makes the target's role ask for MFA, and watches what passes.
func strictPlace(w *lab.Place) *lab.Device {
	device := w.Device()
	w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, RequireMFA: true, MaxSession: 12 * time.Hour})
	w.Watched()
	w.Env("TMPDIR=$DIR/tmp")
	require.NoError(w.T, os.MkdirAll(filepath.Join(w.Dir, "tmp"), 0o700))
	return device
}

// cacheKey is WithDiskCacheKey with a key that the spy knows.
func cacheKey(w *lab.Place) awsauth.Option {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	w.Spy.Note("key of the disk cache", string(key))
	return awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return key, nil })
}

// files are the contents of all files below a directory.
func files(t *testing.T, dir string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	}))
	return found
}

// cleanFiles asks that no file holds a secret, but those that were there before and,
// without encryption, the cache's entries. These hold temporary keys: never a user's
// own, and never a code.
func cleanFiles(t *testing.T, w *lab.Place, known map[string]string, keyed bool) {
	t.Helper()
	var outside, entries lab.Paper
	_, _ = outside.Write([]byte("the files:\n"))
	_, _ = entries.Write([]byte("the entries:\n"))
	for path, text := range files(t, w.Dir) {
		switch {
		case known[path] == text && text != "":
		case strings.HasPrefix(path, filepath.Join(w.Dir, "cache")) && strings.HasSuffix(path, ".json") && !keyed:
			_, _ = entries.Write([]byte(path + "\n" + text + "\n"))
		default:
			_, _ = outside.Write([]byte(path + "\n" + text + "\n"))
		}
	}
	outside.Clean(t, w.Spy.Seen)
	lasting := map[string]string{w.Keys.SecretAccessKey: "the user's own key"}
	for secret, what := range w.Spy.Seen {
		if what == "TokenCode" {
			lasting[secret] = what
		}
	}
	entries.Clean(t, lasting)
}

// TestFilesOfEverySource: whatever the source, its secrets and those of a role from
// there are in no file that was not there before, but in the cache's entries; with a
// key not even there.
func TestFilesOfEverySource(t *testing.T) {
	for _, src := range lab.EverySource() {
		for _, keyed := range []bool{false, true} {
			t.Run(src.Name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				strictPlace(w)
				w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}})
				opts := append(src.Fill(w, "us-east-1"), disk(w))
				if keyed {
					opts = append(opts, cacheKey(w))
				}
				known := files(t, w.Dir)
				base := w.Open(opts...)
				lab.Get(t, base)
				role, err := base.Assume(awsauth.WithAccount(lab.Target))
				require.NoError(t, err)
				w.Spy.Note("secret of the role", lab.Get(t, role).SecretAccessKey)
				cleanFiles(t, w, known, keyed)
				found, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*.*"))
				require.NoError(t, err)
				assert.GreaterOrEqual(t, len(found), 2, "an entry and its lock")
			})
		}
	}
}

// TestWrongCodesLeakNothing: a person at a prompt may type anything, a password too.
// It is not repeated, and nor is what a func says beside its error.
func TestWrongCodesLeakNothing(t *testing.T) {
	const typed = "correct horse battery staple"
	for name, answer := range map[string]struct {
		code string
		err  error
	}{
		"a password":             {code: typed},
		"two lines":              {code: "123456\n" + typed},
		"an error and a code":    {code: "987651", err: errors.New("the vault is locked")},
		"a code that STS denies": {code: "987651"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			device := strictPlace(w)
			w.Spy.Note("typed", typed)
			w.Spy.Note("code", "987651")
			var p lab.Paper
			known := files(t, w.Dir)
			log := awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug})))
			s := w.Open(w.Static(), disk(w), log, awsauth.WithMFA(device.Serial, func(context.Context) (string, error) { return answer.code, answer.err }))
			for range 2 {
				_, err := s.Retrieve(t.Context())
				require.ErrorIs(t, err, awsauth.MFARequired)
				p.All(err)
			}
			w.Show(&p, s)
			p.Clean(t, w.Spy.Seen)
			cleanFiles(t, w, known, false)
		})
	}
}

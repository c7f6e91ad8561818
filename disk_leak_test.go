package awsauth_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMFALeaksNothing prints all that there is to print of sessions behind MFA on an
// encrypted disk, when it works and in trouble. The code is among the secrets.
func TestMFALeaksNothing(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{
		"works": awsauthtest.None, "refuses": awsauthtest.Refuse, "malformed": awsauthtest.Malformed, "throttles": awsauthtest.Throttle,
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				device, accounts := w.Device(), w.Strict(1)
				w.Watched()
				const key = "0123456789abcdef-the-key-of-disk"
				w.Spy.Note("key of the disk", key)
				w.Inject(awsauthtest.Fault{Kind: kind})
				var p lab.Paper
				logger := awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug})))
				opts := []awsauth.Option{
					w.Static(), device.Option(), disk(w), logger, awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud)),
					awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return []byte(key), nil }),
				}
				for range 2 {
					s := w.Open(opts...)
					child, err := s.Assume(awsauth.WithAccount(accounts[0]))
					require.NoError(t, err)
					long, err := s.Assume(awsauth.WithAccount(accounts[0]), awsauth.WithDuration(2*time.Hour))
					require.NoError(t, err)
					for _, one := range []*awsauth.Session{s, child, long} {
						_, err := one.Retrieve(t.Context())
						if err != nil {
							p.All(err)
						}
						w.Show(&p, one)
						p.Print(one)
					}
					for _, o := range opts {
						p.Print(o)
					}
					time.Sleep(time.Minute)
				}
				assert.Contains(t, w.Spy.Kinds(), "TokenCode")
				files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*"))
				require.NoError(t, err)
				for _, file := range files {
					text, err := os.ReadFile(file)
					require.NoError(t, err)
					_, _ = p.Write(text)
				}
				p.Clean(t, w.Spy.Seen)
			})
		})
	}
}

// TestDiskClockBehind: a clock that is behind makes no keys live longer, those of the
// disk included: a role of an hour is not used for longer than that.
func TestDiskClockBehind(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.SetClock(func() time.Time { return time.Now().Add(4 * time.Minute) }) // no signature is refused for that
		open := func() *awsauth.Session {
			return w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target), awsauth.WithDuration(15*time.Minute))
		}
		start := time.Now()
		first := lab.Get(t, open())
		time.Sleep(14 * time.Minute)
		s := open()
		var used time.Duration
		for lab.Get(t, s).AccessKeyID == first.AccessKeyID {
			used = time.Since(start)
			w.Down(awsauthtest.ServerError)
			time.Sleep(10 * time.Second)
			if time.Since(start) > 20*time.Minute {
				break
			}
			if _, err := s.Retrieve(t.Context()); err != nil {
				break
			}
		}
		assert.LessOrEqual(t, used, 15*time.Minute)
	})
}

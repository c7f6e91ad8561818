package awsauth_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestProfileForRegionOnly: a profile that a load option names is the identity
// only where the caller brings none.
func TestProfileForRegionOnly(t *testing.T) {
	other := awsauth.WithLoadOptions(config.WithSharedConfigProfile("other"))
	bad := "aws_access_key_id = " + someID + "\naws_secret_access_key = " + someSecret + "\n"
	for name, tt := range map[string]struct {
		keys  string // of the profile
		env   []string
		bring func(w *place) []awsauth.Option
	}{
		"WithStaticCredentials": {bad, nil, func(w *place) []awsauth.Option { return []awsauth.Option{w.static()} }},
		"WithCredentialsProvider": {bad, nil, func(w *place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(w.keys.Provider())}
		}},
		"config.WithCredentialsProvider": {bad, nil, func(w *place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithCredentialsProvider(w.keys.Provider()))}
		}},
		"static keys, profile without keys": {"", nil, func(w *place) []awsauth.Option { return []awsauth.Option{w.static()} }},
		"alone": {keyLines, []string{"AWS_ACCESS_KEY_ID=" + someID, "AWS_SECRET_ACCESS_KEY=" + someSecret},
			func(*place) []awsauth.Option { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.files("[profile other]\nregion = eu-west-3\n"+tt.keys, "")
			w.env(tt.env...)
			s := w.open(append(tt.bring(w), other)...)
			assert.Equal(t, "eu-west-3", s.Config().Region)
			assert.Equal(t, w.arn(home, "user/ci"), w.identity(s))
			assert.Equal(t, []string{"GetCallerIdentity sts.eu-west-3.amazonaws.com eu-west-3 user"}, w.said())
			assert.Equal(t, name == "alone", strings.Contains(s.String(), `profile "other"`), s.String())
		})
	}
}

// TestRefusedWhileHanging: a key that one service refuses is renewed at the
// cost of that request alone, however long STS takes.
func TestRefusedWhileHanging(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		first := get(t, s)
		w.down(awsauthtest.Hang)
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken"})
		client := sts.NewFromConfig(s.Config())
		refused := func(ctx context.Context) <-chan time.Duration {
			took := make(chan time.Duration, 1)
			start := time.Now()
			go func() {
				_, err := client.GetCallerIdentity(ctx, nil)
				if refusal(err) != "ExpiredToken" {
					t.Errorf("the service's error is lost: %v", err)
				}
				took <- time.Since(start)
			}()
			return took
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		short, long := refused(ctx), refused(t.Context())
		synctest.Wait()
		require.Equal(t, []string{first.AccessKeyID}, busy(t, s, 100*time.Millisecond, 40*time.Second))
		require.Equal(t, 5*time.Second, <-short)
		require.InDelta(t, 30, (<-long).Seconds(), 1.1)
	})
}

// TestPromptsOnlyForCallers: a profile with MFA asks once for each expiry, when
// somebody needs the keys, and lets a person type for a minute.
func TestPromptsOnlyForCallers(t *testing.T) {
	for name, hops := range map[string]int{"admin": 1, "behind": 2} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				w.mfaProfile()
				w.files("[profile behind]\nrole_arn = $MIDDLE\nsource_profile = admin\n[profile admin]\nrole_arn = $BASE\nmfa_serial = "+mfaSerial+
					"\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
				prompts := 0
				s := w.open(awsauth.WithProfile(name), w.mfaCode(func() (string, error) {
					prompts++
					time.Sleep(time.Minute)
					return w.MFACode(mfaSerial), nil
				}))
				o := ask(t.Context(), s)
				for round := 1; round <= 4; round++ {
					require.NoError(t, o.err)
					require.Equal(t, time.Minute, o.took, "the person's minute")
					require.Equal(t, round, prompts)
					last := o.creds
					require.Greater(t, time.Until(last.Expires), 58*time.Minute)
					busy(t, s, time.Second, time.Until(last.Expires))
					require.Equal(t, round, prompts, "a prompt in the background")
					require.Equal(t, round*hops, w.assumed())
					o = ask(t.Context(), s)
					require.NotEqual(t, last.AccessKeyID, o.creds.AccessKeyID)
				}
			})
		})
	}
}

// TestPromptsOnlyForCallersOfRoles: nor does a role that is assumed from such a
// profile prompt when it is renewed behind its callers.
func TestPromptsOnlyForCallersOfRoles(t *testing.T) {
	t.Run("one role", func(t *testing.T) { promptsOnlyForCallers(t, 1) })
	t.Run("two roles", func(t *testing.T) { promptsOnlyForCallers(t, 2) })
}

func promptsOnlyForCallers(t *testing.T, roles int) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.mfaProfile()
		var prompts, waiting int
		s := w.open(awsauth.WithProfile("admin"), awsauth.WithAccount(target), w.mfaCode(func() (string, error) {
			if prompts++; waiting == 0 {
				t.Errorf("a prompt in the background")
			}
			time.Sleep(time.Minute)
			return w.MFACode(mfaSerial), nil
		}))
		if roles == 2 {
			var err error
			s, err = s.Assume(awsauth.WithAccount(target), awsauth.WithRole("team/ops"))
			require.NoError(t, err)
		}
		for start := time.Now(); time.Since(start) < 6*time.Hour; time.Sleep(time.Second) {
			waiting++
			o := ask(t.Context(), s)
			waiting--
			require.NoError(t, o.err, "after %v", time.Since(start))
			require.False(t, o.creds.Expired())
			synctest.Wait()
		}
		require.LessOrEqual(t, prompts, 7)
		require.GreaterOrEqual(t, prompts, 3)
	})
}

// TestSectionsThatCountForNothing are each one error, with its place.
func TestSectionsThatCountForNothing(t *testing.T) {
	for name, tt := range map[string]struct{ config, credentials, says string }{
		"profile in the credentials file": {"", "# keys\n[profile default]\n" + keyLines, "credentials:2: [profile default] counts for nothing in a credentials file; write [default]"},
		"ops in the credentials file":     {"", "[default]\n" + keyLines + "[profile ops]\nregion = us-east-1\n", "credentials:4: [profile ops] counts for nothing in a credentials file; write [ops]"},
		"Default in the credentials file": {"", "[Default]\n" + keyLines, "credentials:1: [Default] is not the default profile; write [default]"},
		"Default in the config file":      {"\n\n[Default]\n" + keyLines, "", "config:3: [Default] is not the default profile; write [default]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.instance() // would be next
			w.files(tt.config, tt.credentials)
			_, err := w.try()
			requireBad(t, err, awsauth.InvalidOption)
			require.Equal(t, "awsauth: "+w.dir+"/"+tt.says, err.Error())
			require.Empty(t, w.said())
		})
	}
}

// TestProfileWithoutCredentials: AWS_PROFILE may be set for the region alone,
// and the log says so.
func TestProfileWithoutCredentials(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.instance()
	w.files("[profile ops]\nregion = eu-west-1\n", "")
	w.env("AWS_PROFILE=ops")
	var log records
	s := w.open(log.option())
	require.Equal(t, w.became(home, "base"), w.identity(s))
	require.Equal(t, "eu-west-1", s.Config().Region)
	warnings := log.at(slog.LevelWarn)
	require.Len(t, warnings, 1)
	require.Equal(t, "ops", warnings[0].attrs["profile"].String())
	require.Equal(t, "EC2", warnings[0].attrs["source"].String())
}

// TestStaticStabilityEndsForRefusedKey: services go on accepting an instance's
// keys in an outage, until one does not.
func TestStaticStabilityEndsForRefusedKey(t *testing.T) {
	for name, outage := range outages {
		for when, after := range map[string]time.Duration{"before": instanceLifetime - 10*time.Minute, "after": instanceLifetime + time.Hour} {
			t.Run(name+", "+when+" the expiry", func(t *testing.T) {
				onItsClock(t, func(t *testing.T, w *place) {
					w.instance()
					s := w.open()
					first := get(t, s)
					over := outage(w)
					for start := time.Now(); time.Since(start) < after; time.Sleep(time.Minute) {
						require.Equal(t, first, ask(t.Context(), s).creds)
					}
					w.Expire(first.AccessKeyID)
					require.Equal(t, "ExpiredToken", refusal(whoami(s)))
					for end := first.Expires.Add(3 * time.Hour); time.Now().Before(end); time.Sleep(time.Minute) {
						c, err := s.Retrieve(t.Context())
						require.False(t, err == nil && c.Expired(), "%v past the expiry", time.Since(first.Expires))
					}
					over()
					w.instance()
					time.Sleep(2 * time.Minute)
					require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
					require.NoError(t, whoami(s))
				})
			})
		}
	}
}

// TestForeignKeyRefused: a client that brings keys of its own is none of the
// session's business.
func TestForeignKeyRefused(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		first := get(t, s)
		client := sts.NewFromConfig(s.Config(), func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(someID, someSecret, "")
		})
		for range 5 {
			_, err := client.GetCallerIdentity(t.Context(), nil)
			require.Equal(t, "InvalidClientTokenId", refusal(err))
		}
		require.Len(t, w.Calls("GetCallerIdentity"), 5, "sent again for nothing")
		require.Equal(t, 1, w.assumed())
		require.Equal(t, first, get(t, s))
	})
}

// onceOnly makes a client send a body that cannot be read twice.
func onceOnly(stack *middleware.Stack) error {
	if err := v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware(stack); err != nil {
		return err
	}
	return stack.Build.Add(middleware.BuildMiddlewareFunc("once", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
		middleware.BuildOutput, middleware.Metadata, error,
	) {
		r, err := in.Request.(*smithyhttp.Request).SetStream(struct{ io.Reader }{in.Request.(*smithyhttp.Request).GetStream()})
		if err != nil {
			return middleware.BuildOutput{}, middleware.Metadata{}, err
		}
		in.Request = r
		return next.HandleBuild(ctx, in)
	}), middleware.After)
}

// TestBodyOnceRefused: a request that cannot be sent again ends with what the
// service said, and the next one has new keys.
func TestBodyOnceRefused(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		s := w.inRole()
		first := get(t, s)
		client := sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.APIOptions = append(o.APIOptions, onceOnly) })
		w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: "ExpiredToken", Times: 1})
		_, err := client.GetCallerIdentity(t.Context(), nil)
		require.Equal(t, "ExpiredToken", refusal(err), "%v", err)
		require.Len(t, w.Calls("GetCallerIdentity"), 1)
		require.NotEqual(t, first.AccessKeyID, get(t, s).AccessKeyID)
		require.NoError(t, whoami(s))
	})
}

// TestDurationsOfProfiles reach STS as they are written.
func TestDurationsOfProfiles(t *testing.T) {
	for _, seconds := range []string{"900", "930", "960", "3601", "43200"} {
		onItsClock(t, func(t *testing.T, w *place) {
			w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/base"), Trust: []string{home}, MaxSession: 12 * time.Hour})
			w.files("[profile ops]\nrole_arn = $BASE\nduration_seconds = "+seconds+"\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
			c := get(t, w.open(awsauth.WithProfile("ops")))
			require.Equal(t, seconds, w.Calls("AssumeRole")[0].Params.Get("DurationSeconds"))
			require.Equal(t, seconds, fmt.Sprint(time.Until(c.Expires).Seconds()))
		})
	}
}

// TestChainedDurationOfProfile is refused before any call, with its place.
func TestChainedDurationOfProfile(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	for _, between := range []string{"", "[profile between]\nrole_arn = $MANAGE\nsource_profile = first\n"} {
		source := "first"
		if between != "" {
			source = "between"
		}
		w.files("[profile ops]\nrole_arn = $MIDDLE\nduration_seconds = 7200\nsource_profile = "+source+"\n"+between+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
		_, err := w.try(awsauth.WithProfile("ops"))
		requireBad(t, err, awsauth.InvalidDuration, w.dir+"/config:3: ", "1h", `profile "`+source+`"`, "3600")
	}
	require.Empty(t, w.said())
}

// TestExpiryDuringBackgroundRefresh: who waits is not served with the failure of
// a refresh that made few attempts because nobody waited for it, be it under way
// or just over.
func TestExpiryDuringBackgroundRefresh(t *testing.T) {
	for name, tt := range map[string]struct{ before, delay, after time.Duration }{
		"under way": {time.Second, time.Second, 100 * time.Millisecond},
		"over":      {1500 * time.Millisecond, 0, 100 * time.Millisecond},
		"both":      {500 * time.Millisecond, 300 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			onItsClock(t, func(t *testing.T, w *place) {
				s := w.inRole()
				c := get(t, s)
				time.Sleep(time.Until(c.Expires) - tt.before)
				w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.ServerError, Delay: tt.delay, Times: 2 + 5})
				require.Equal(t, c, get(t, s))
				time.Sleep(tt.before + tt.after)
				for _, o := range crowd(s, 20) {
					require.NoError(t, o.err)
					require.NotEqual(t, c.AccessKeyID, o.creds.AccessKeyID)
					require.False(t, o.creds.Expired())
				}
				require.Equal(t, 1+2+6, w.assumed())
			})
		})
	}
}

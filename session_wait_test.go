package awsauth_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRefusalPassedOn: a session that starts from another one passes the refusal of a
// key on to it, however many stand between.
func TestRefusalPassedOn(t *testing.T) {
	for name, between := range map[string]int{"one": 1, "two": 2, "four": 4} {
		for _, code := range []string{"ExpiredToken", "InvalidClientTokenId"} {
			t.Run(name+"/"+code, func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					last := w.InRole()
					for range between {
						next, err := awsauth.New(awsauth.WithLoadOptions(w.LoadOptions()), awsauth.WithCredentialsProvider(last))
						require.NoError(t, err)
						last = next
					}
					require.NoError(t, lab.Whoami(last))
					time.Sleep(2 * time.Minute) // what was accepted a moment ago is not replaced for one "unknown"
					for round := 2; round < 5; round++ {
						old := lab.Get(t, last).AccessKeyID
						if code == "ExpiredToken" {
							w.Expire(old)
						} else {
							w.Deactivate(old)
						}
						require.NoError(t, lab.Whoami(last))
						require.NotEqual(t, old, lab.Get(t, last).AccessKeyID)
						require.Equal(t, round, w.Assumed())
						time.Sleep(2 * time.Minute)
					}
				})
			})
		}
	}
}

// TestRefusalOfOneRegion: a region that the account has not enabled knows no key of
// it. Keys that others accepted just now are not replaced for that, nobody is asked
// for a code, and no process runs.
func TestRefusalOfOneRegion(t *testing.T) {
	for _, code := range []string{"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"} {
		t.Run(code, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				asked := 0
				base := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
					asked++
					return w.Keys.Provider().Retrieve(ctx)
				})
				s := w.Open(awsauth.WithCredentialsProvider(base), awsauth.WithAccount(lab.Target))
				require.NoError(t, lab.Whoami(s))
				off := w.Inject(awsauthtest.Fault{Action: "GetCallerIdentity", Kind: awsauthtest.Refuse, Code: code,
					Message: "AWS was not able to validate the provided access credentials"})
				for range 20 {
					require.Equal(t, code, lab.Refusal(lab.Whoami(s)))
				}
				off()
				require.Equal(t, 1, w.Assumed())
				require.Equal(t, 1, asked)
				require.NoError(t, lab.Whoami(s))
			})
		})
	}
}

// TestProvidersWithoutAnExpiry: keys that can expire and do not say when.
func TestProvidersWithoutAnExpiry(t *testing.T) {
	for name, tt := range map[string]struct {
		expires func() time.Time
		parts   []string
		without []string
	}{
		"zero":     {func() time.Time { return time.Time{} }, []string{"CanExpire", "no expiry", "Expires"}, []string{"2562047h", "clock", "ago"}},
		"now":      {time.Now, []string{"CanExpire", "no expiry"}, []string{"2562047h"}},
		"past":     {func() time.Time { return time.Now().Add(-90 * time.Minute) }, []string{"1h30m0s ago", "provider"}, nil},
		"year 1":   {func() time.Time { return time.Time{}.Add(time.Hour) }, []string{"provider"}, []string{"2562047h"}},
		"Unix 0":   {func() time.Time { return time.Unix(0, 0) }, []string{"provider"}, []string{"2562047h"}},
		"zero UTC": {func() time.Time { return time.Time{}.UTC() }, []string{"CanExpire"}, []string{"clock"}},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				p := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: lab.SomeID, SecretAccessKey: "x", CanExpire: true, Expires: tt.expires()}, nil
				})
				_, err := w.Open(awsauth.WithCredentialsProvider(p)).Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.Expired, tt.parts...)
				for _, part := range tt.without {
					assert.NotContains(t, err.Error(), part)
				}
			})
		})
	}
}

// TestDeadlineOfTheCaller: what STS said last is told, with its Kind, and Explain
// says FAILED.
func TestDeadlineOfTheCaller(t *testing.T) {
	faults := map[string]struct {
		fault awsauthtest.Fault
		kind  awsauth.Kind
		parts []string
	}{
		"throttled": {awsauthtest.Fault{Kind: awsauthtest.Throttle}, awsauth.Throttled, []string{"throttled by STS in us-east-1", "attempts in ", "then the caller's deadline"}},
		"failing":   {awsauthtest.Fault{Kind: awsauthtest.ServerError}, awsauth.Unreachable, []string{"STS in us-east-1 fails"}},
		"reset":     {awsauthtest.Fault{Kind: awsauthtest.Reset}, awsauth.Unreachable, []string{"sts.us-east-1.amazonaws.com"}},
		"slow 500":  {awsauthtest.Fault{Kind: awsauthtest.ServerError, Status: 500, Delay: 600 * time.Millisecond}, awsauth.Unreachable, []string{"STS in us-east-1 fails"}},
	}
	for name, tt := range faults {
		for _, attempts := range []string{"", "25", "100"} {
			t.Run(name+"/"+attempts, func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					w.Env("AWS_MAX_ATTEMPTS=" + attempts)
					tt.fault.Action = "AssumeRole"
					w.Inject(tt.fault)
					s := w.InRole()
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					o := lab.Ask(ctx, s)
					lab.RequireBad(t, o.Err, tt.kind, tt.parts...)
					assert.LessOrEqual(t, o.Took, 2100*time.Millisecond)
					step, _ := lastStep(s)
					assert.Equal(t, awsauth.Failed, step.Status, s.Explain().String())
				})
			})
		}
	}
}

// TestRefusedConnections are given up after a second try; a retryer of the caller's
// own wins.
func TestRefusedConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	for name, cause := range map[string]error{
		"refused": syscall.ECONNREFUSED,
		"unknown": &net.DNSError{Err: "no such host", Name: "sts.us-east-1.amazonaws.com", IsNotFound: true},
	} {
		for _, attempts := range []string{"", "25"} {
			t.Run(name+attempts, func(t *testing.T) {
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					w.Env("AWS_MAX_ATTEMPTS=" + attempts)
					away := &noWay{cause: cause}
					s, err := awsauth.New(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithHTTPClient(away)))
					require.NoError(t, err)
					o := lab.Ask(t.Context(), s)
					lab.RequireBad(t, o.Err, awsauth.Unreachable)
					assert.Less(t, o.Took, 2*time.Second)
					assert.Equal(t, 2, away.tries)
				})
			})
		}
	}
	w := lab.New(t, awsauth.AWS)
	own := &countingRetryer{Retryer: aws.NopRetryer{}}
	s, err := awsauth.New(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithSTSEndpoint(closed), awsauth.WithLoadOptions(config.WithRetryer(func() aws.Retryer { return own })))
	require.NoError(t, err)
	_, err = s.Retrieve(t.Context())
	lab.RequireBad(t, err, awsauth.Unreachable)
	assert.Greater(t, own.asked, 1)
}

// noWay is an HTTP client whose connections are not made.
type noWay struct {
	cause error
	tries int
}

func (n *noWay) Do(*http.Request) (*http.Response, error) {
	n.tries++
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: n.cause}
}

// countingRetryer tries six times.
type countingRetryer struct {
	aws.Retryer
	asked int
}

func (*countingRetryer) MaxAttempts() int                             { return 6 }
func (*countingRetryer) RetryDelay(int, error) (time.Duration, error) { return time.Millisecond, nil }

func (c *countingRetryer) IsErrorRetryable(error) bool {
	c.asked++
	return true
}

// TestGarbageTokens: STS's own sentence and the file's name, soon.
func TestGarbageTokens(t *testing.T) {
	for name, token := range map[string]string{"garbage": "this is no token", "a JWT of nobody": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "one letter": "xxxx", "HTML": "<html></html>"} {
		for _, profile := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.Write("token", token)
				if profile {
					w.Files("[default]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
				} else {
					w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
				}
				s := w.Open()
				o := lab.Ask(t.Context(), s)
				lab.RequireBad(t, o.Err, awsauth.InvalidKey, w.Dir+"/token", "InvalidIdentityToken")
				assert.Less(t, o.Took, 5*time.Second)
				assert.Len(t, w.Calls("AssumeRoleWithWebIdentity"), 1)
				assert.NotContains(t, o.Err.Error(), strings.TrimSpace(token))
			})
		}
	}
	for name, token := range map[string]string{"empty": "", "blank": " \n\t", "missing": "\x00"} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			if name != "missing" {
				w.Write("token", token)
			}
			w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
			s, err := w.Try()
			if err == nil {
				_, err = s.Retrieve(t.Context())
			}
			lab.RequireBad(t, err, awsauth.NoCredentials, w.Dir+"/token", "AWS_WEB_IDENTITY_TOKEN_FILE")
			assert.Empty(t, w.Said())
		})
	}
}

package awsauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// with is WithRolesAnywhere with another func for the certificate.
func (w *workload) with(cert func(context.Context) (tls.Certificate, error)) awsauth.Option {
	return awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, cert)
}

// stuck is a key in a device that does not sign.
type stuck struct {
	crypto.Signer
	say string
}

func (s stuck) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New(s.say)
}

// TestAnywhereOddKeys: a key that is none is refused by a plain error, before any call.
func TestAnywhereOddKeys(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	for name, key := range map[string]crypto.PrivateKey{
		"none": nil, "RSA, nil": (*rsa.PrivateKey)(nil), "ECDSA, nil": (*ecdsa.PrivateKey)(nil), "no signer": "key", "an empty one": &ecdsa.PrivateKey{},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Open(w.with(func(context.Context) (tls.Certificate, error) {
				c := w.Certificate(w.anchor, "machine-1", time.Hour)
				c.PrivateKey = key
				return c, nil
			})).Retrieve(t.Context())
			require.ErrorIs(t, err, awsauth.InvalidOption)
			require.ErrorContains(t, err, "private key")
			assert.Empty(t, w.Said())
		})
	}
}

// TestAnywhereStuckKey: a key that does not sign is no matter of the network.
func TestAnywhereStuckKey(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		_, err := w.Open(w.with(func(context.Context) (tls.Certificate, error) {
			c := w.Certificate(w.anchor, "machine-1", time.Hour)
			c.PrivateKey = stuck{c.PrivateKey.(crypto.Signer), "the token was pulled out"}
			return c, nil
		})).Retrieve(t.Context())
		require.Error(t, err)
		require.NotErrorIs(t, err, awsauth.Unreachable)
		assert.Contains(t, err.Error(), "the token was pulled out")
		assert.Contains(t, err.Error(), "check the device or agent that holds the key")
		assert.Empty(t, w.Said())
	})
}

// TestAnywherePanics: a func that panics is an error of its callers, with and without
// the disk cache, and holds nobody up afterwards.
func TestAnywherePanics(t *testing.T) {
	for _, onDisk := range []bool{false, true} {
		lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
			w := newWorkload(t, awsauth.AWS, "us-east-1")
			var well atomic.Bool
			opts := []awsauth.Option{w.with(func(ctx context.Context) (tls.Certificate, error) {
				if !well.Load() {
					panic("-----BEGIN PRIVATE KEY-----")
				}
				return w.certificate(ctx)
			})}
			if onDisk {
				opts = append(opts, disk(w.Place))
			}
			s := w.Open(opts...)
			_, err := s.Retrieve(t.Context())
			require.Error(t, err)
			assert.NotContains(t, fmt.Sprintf("%+v", err), "PRIVATE KEY")
			well.Store(true)
			time.Sleep(time.Minute)
			lab.Get(t, s)
		})
	}
}

// TestAnywhereHangs: a func that hangs, and does not heed its context, keeps a caller
// no longer than a refresh may take, and the caller leaves when he likes.
func TestAnywhereHangs(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		free := make(chan struct{})
		defer close(free)
		var hanging atomic.Int32
		s := w.Open(w.with(func(context.Context) (tls.Certificate, error) {
			hanging.Add(1)
			<-free
			return tls.Certificate{}, errors.New("too late")
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o := lab.Ask(ctx, s)
		require.ErrorIs(t, o.Err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, o.Took)
		for range 50 {
			o = lab.Ask(t.Context(), s)
			require.Error(t, o.Err)
			assert.LessOrEqual(t, o.Took, 32*time.Second)
			time.Sleep(3 * time.Second)
		}
		assert.LessOrEqual(t, hanging.Load(), int32(55))
	})
}

// TestAnywhereHosts: the certificate goes to the service of the trust anchor's own
// partition, or nowhere.
func TestAnywhereHosts(t *testing.T) {
	for p, suffix := range map[awsauth.Partition]string{awsauth.EUSovereign: ".amazonaws.eu", awsauth.ISO: ".c2s.ic.gov", awsauth.ISOB: ".sc2s.sgov.gov"} {
		t.Run(string(p), func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
				w := lab.New(t, p)
				region := lab.DefaultRegion(p)
				anchor := fmt.Sprintf("arn:%s:rolesanywhere:%s:%s:trust-anchor/a", p, region, lab.Home)
				profile := fmt.Sprintf("arn:%s:rolesanywhere:%s:%s:profile/b", p, region, lab.Home)
				s, err := w.Try(awsauth.WithRolesAnywhere(anchor, profile, w.ARN(lab.Home, "role/base"), func(context.Context) (tls.Certificate, error) {
					return tls.Certificate{}, errors.New("not asked")
				}))
				if err != nil {
					require.ErrorIs(t, err, awsauth.InvalidOption) // the service is not there
					return
				}
				assert.Contains(t, s.Explain().String(), "rolesanywhere."+region+suffix)
			})
		})
	}
}

// wired is an HTTP client whose requests end in do.
type wired func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (do wired) RoundTrip(r *http.Request) (*http.Response, error) { return do(r) }

func (do wired) option() awsauth.Option {
	return awsauth.WithLoadOptions(config.WithHTTPClient(&http.Client{Transport: do}))
}

func answer(r *http.Request, status int, header http.Header, text string) *http.Response {
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}
}

// TestAnywhereRedirect: no redirect is followed, with certificate and signature.
func TestAnywhereRedirect(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	var hosts []string
	client := wired(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		return answer(r, http.StatusTemporaryRedirect, http.Header{"Location": {"https://thief.example.com/sessions"}}, ""), nil
	})
	_, err := w.Open(w.option(), client.option()).Retrieve(t.Context())
	require.ErrorIs(t, err, awsauth.Unreachable)
	assert.Equal(t, []string{"rolesanywhere.us-east-1.amazonaws.com"}, hosts)
}

// TestAnywhereAddress: an address that is no https, and not on a private network, is
// refused, and so is one that is none.
func TestAnywhereAddress(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	for _, at := range []string{"http://anywhere.example.com", "localhost:1234"} {
		w.Env("AWS_ENDPOINT_URL_ROLESANYWHERE=" + at)
		_, err := w.Try(w.option())
		lab.RequireBad(t, err, awsauth.InvalidOption, "AWS_ENDPOINT_URL_ROLESANYWHERE")
	}
	w.Env("AWS_ENDPOINT_URL_ROLESANYWHERE=", "AWS_USE_FIPS_ENDPOINT=true")
	assert.Contains(t, w.Open(w.option()).Explain().String(), "rolesanywhere-fips.us-east-1.amazonaws.com")
}

// TestAnywhereAnswers: what is not the service's own answer, or is for another role, is
// told from a refusal.
func TestAnywhereAnswers(t *testing.T) {
	const body = `{"credentialSet":[{"credentials":{"accessKeyId":"ASIAEXAMPLEEXAMPLE01","secretAccessKey":"the-secret%s","sessionToken":"the-token","expiration":"2099-01-01T00:00:00Z"},"assumedRoleUser":{"arn":%q,"assumedRoleId":"AROA:x"}}]}`
	mine := "arn:aws:sts::" + lab.Home + ":assumed-role/workload/x"
	for name, tt := range map[string]struct {
		status int
		head   string
		text   string
		kind   awsauth.Kind
		says   string
	}{
		"a proxy's 403":    {403, "", "<html>go away</html>", awsauth.Unreachable, "rolesanywhere.us-east-1.amazonaws.com"},
		"a proxy's 200":    {200, "", "<html>sign in</html>", awsauth.Unreachable, "rolesanywhere.us-east-1.amazonaws.com"},
		"nothing":          {201, "", "", awsauth.Unreachable, "rolesanywhere.us-east-1.amazonaws.com"},
		"endless":          {201, "", strings.Repeat(" ", 3<<20), awsauth.Unreachable, "too large"},
		"another account":  {201, "", fmt.Sprintf(body, "", strings.Replace(mine, lab.Home, stranger, 1)), awsauth.Unreachable, "another role"},
		"another role":     {201, "", fmt.Sprintf(body, "", strings.Replace(mine, "workload", "admin", 1)), awsauth.Unreachable, "another role"},
		"a line end":       {201, "", strings.Replace(fmt.Sprintf(body, "", mine), "/x\"", `/x\n\u001b[31m"`, 1), awsauth.Unreachable, "another role"},
		"a key with blank": {201, "", fmt.Sprintf(body, " x", mine), awsauth.InvalidKey, "white space"},
		"slow down":        {429, "TooManyRequestsException", `{"message":"Rate exceeded"}`, awsauth.Throttled, "throttled"},
		"slow down, 400":   {400, "ThrottlingException", `{"message":"Rate exceeded"}`, awsauth.Throttled, "throttled"},
		"no such anchor":   {404, "ResourceNotFoundException", `{"message":"trust anchor not found\u001b[31m"}`, awsauth.InvalidOption, "trust anchor not found"},
		"it fails":         {500, "InternalServerException", `{"message":"oops"}`, awsauth.Unreachable, "oops"},
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
				w := newWorkload(t, awsauth.AWS, "us-east-1")
				asked := 0
				client := wired(func(r *http.Request) (*http.Response, error) {
					asked++
					header := http.Header{}
					if tt.head != "" {
						header.Set("X-Amzn-Errortype", tt.head)
					}
					return answer(r, tt.status, header, tt.text), nil
				})
				_, err := w.Open(w.option(), client.option()).Retrieve(t.Context())
				require.ErrorIs(t, err, tt.kind)
				assert.Contains(t, err.Error(), tt.says)
				assert.NotContains(t, err.Error(), "\x1b")
				assert.Less(t, len(err.Error()), 1000)
				assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), "the-secret")
				if tt.status == 429 || tt.status == 500 || tt.head == "ThrottlingException" {
					assert.Greater(t, asked, 1, "tried again")
				} else if tt.status > 400 {
					assert.Equal(t, 1, asked)
				}
			})
		})
	}
}

// TestAnywhereNamesItself: what answers in the service's place is not said to be STS's,
// which was not asked, and whose option changes nothing.
func TestAnywhereNamesItself(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	for _, status := range []int{200, 403} {
		client := wired(func(r *http.Request) (*http.Response, error) { return answer(r, status, http.Header{}, "<html>"), nil })
		_, err := w.Open(w.option(), client.option()).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.Unreachable)
		assert.NotContains(t, err.Error(), "STS")
	}
}

// TestAnywhereThrottled: while the keys live nobody notices, and what nobody waits for
// makes few calls.
func TestAnywhereThrottled(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		s := w.Open(w.option())
		lab.Get(t, s)
		w.ResetCalls()
		remove := w.Inject(awsauthtest.Fault{Action: "CreateSession", Kind: awsauthtest.Throttle})
		lab.Busy(t, s, time.Second, 57*time.Minute)
		assert.Less(t, len(w.Calls("CreateSession")), 150)
		remove()
		time.Sleep(time.Minute)
		for range 3 {
			lab.Get(t, s)
			time.Sleep(time.Minute)
		}
	})
}

// TestAnywhereIdleOption: an option that has no turn is held against its rules all the
// same, as WithWebIdentity is.
func TestAnywhereIdleOption(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	w.Files("[profile ops]\n"+lab.KeyLines, "")
	_, err := w.Try(awsauth.WithProfile("ops"), awsauth.WithRolesAnywhere("", "arn:x", "nonsense", w.certificate))
	lab.RequireBad(t, err, awsauth.InvalidOption, "WithRolesAnywhere")
}

// TestAnywhereBesideProfile: the profile wins, and the log says so.
func TestAnywhereBesideProfile(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	w.Files("[profile ops]\n"+lab.KeyLines, "")
	var log lab.Records
	s := w.Open(awsauth.WithProfile("ops"), w.option(), log.Option())
	assert.Equal(t, w.Keys.AccessKeyID, lab.Get(t, s).AccessKeyID)
	assert.True(t, log.Has("INFO", "awsauth: WithProfile beats the keys or the provider that were given too"), "%s", &log)
	assert.Zero(t, w.asked)
	_, err := w.Try(w.Static(), w.option(), awsauth.WithSessionName("nightly"))
	lab.RequireBad(t, err, awsauth.InvalidOption, "WithSessionName")
}

// TestAnywhereTwice: of the option given twice the last one counts.
func TestAnywhereTwice(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	first := awsauth.WithRolesAnywhere("x", "y", "z", nil)
	lab.Get(t, w.Open(first, w.option()))
}

// TestAnywhereNewSubject: a certificate of another machine that comes between the look
// at the disk and the sign-in: what signs in is the one that the disk was searched with.
func TestAnywhereNewSubject(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	asked := 0
	swapped := func(context.Context) (tls.Certificate, error) {
		name := "machine-2"
		if asked++; asked == 1 {
			name = "machine-1"
		}
		return w.Certificate(w.anchor, name, time.Hour), nil
	}
	second := lab.Get(t, w.Open(w.with(swapped), disk(w.Place)))
	first := lab.Get(t, w.Open(w.option(), disk(w.Place)))
	assert.Equal(t, second.AccessKeyID, first.AccessKeyID, "both are machine-1's")
	calls := w.Calls("CreateSession")
	assert.Len(t, calls, 1)
	assert.Equal(t, "CN=machine-1", calls[0].Caller, "the certificate that the disk was searched with")
}

// TestAnywhereAskedOnce: the certificate is asked for once for each refresh, with the
// disk cache too: it may be behind a PIN.
func TestAnywhereAskedOnce(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	lab.Get(t, w.Open(w.option(), disk(w.Place)))
	assert.Equal(t, 1, w.asked)
}

// TestAnywhereSecretError: what a func says is shown without keys that are in it.
func TestAnywhereSecretError(t *testing.T) {
	w := newWorkload(t, awsauth.AWS, "us-east-1")
	for _, secret := range []string{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"} {
		_, err := w.Open(w.with(func(context.Context) (tls.Certificate, error) {
			return tls.Certificate{}, fmt.Errorf("tls: failed to parse -----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----", secret)
		})).Retrieve(t.Context())
		require.ErrorIs(t, err, awsauth.NoCredentials)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
	}
}

// TestAnywhereEnds: a caller who has gone is told so by its own kind of error.
func TestAnywhereEnds(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
		w := newWorkload(t, awsauth.AWS, "us-east-1")
		w.Inject(awsauthtest.Fault{Action: "CreateSession", Kind: awsauthtest.Hang})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := w.Open(w.option()).Retrieve(ctx)
		require.ErrorIs(t, err, context.Canceled)
		o := lab.Ask(t.Context(), w.Open(w.option()))
		require.ErrorIs(t, o.Err, awsauth.Unreachable)
		assert.ErrorContains(t, o.Err, "no answer from rolesanywhere.us-east-1.amazonaws.com in 30s")
		assert.LessOrEqual(t, o.Took, 31*time.Second)
	})
}

// TestAnywhereLeaksNothing prints all that there is to print, when it works and in
// trouble.
func TestAnywhereLeaksNothing(t *testing.T) {
	for name, kind := range map[string]awsauthtest.FaultKind{
		"works": awsauthtest.None, "refuses": awsauthtest.Refuse, "malformed": awsauthtest.Malformed, "throttles": awsauthtest.Throttle, "reset": awsauthtest.Reset,
	} {
		t.Run(name, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, _ *lab.Place) {
				w := newWorkload(t, awsauth.AWS, "us-east-1")
				w.Watched()
				w.Inject(awsauthtest.Fault{Kind: kind})
				var p lab.Paper
				s := w.Open(w.option(), disk(w.Place), awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud)),
					awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				keys, err := s.Retrieve(t.Context())
				if err != nil {
					p.All(err)
				} else {
					w.Spy.Note("secret", keys.SecretAccessKey)
					w.Spy.Note("token", keys.SessionToken)
				}
				w.Show(&p, s)
				p.Print(w.option())
				p.Clean(t, w.Spy.Seen)
			})
		})
	}
}

package awsauth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

func stsMistakes() []mistake {
	refuse := func(status int, code, message string) func(w *lab.Place) error {
		return func(w *lab.Place) error {
			w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Status: status, Code: code, Message: message})
			return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
		}
	}
	return []mistake{
		{
			name: "region that does not exist",
			make: func(w *lab.Place) error {
				dial := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "sts.us-north-7.amazonaws.com", IsNotFound: true}}
				return w.Who(w.Static(), awsauth.WithRegion("us-north-7"), w.Cable(dial))
			},
			says: `awsauth: get caller identity: host sts.us-north-7.amazonaws.com is not known; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS of the region not activated",
			make: func(w *lab.Place) error {
				w.DisableRegion("ap-east-1")
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithRegion("ap-east-1"))
			},
			says: `awsauth: assume role $MANAGE: STS in ap-east-1 is not activated for the account (RegionDisabledException); ` +
				`activate the region in the account's IAM settings, or use another with WithRegion`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "the wrong secret",
			make: func(w *lab.Place) error {
				return w.Who(awsauth.WithStaticCredentials(w.Keys.AccessKeyID, lab.SomeSecret, ""))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not accept the signature of access key $KEY ` +
				`from static keys (SignatureDoesNotMatch); the secret key does not belong to the access key id; copy both again`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a temporary key without its token",
			make: func(w *lab.Place) error {
				k := w.SessionKeys()
				w.T.Setenv("AWS_ACCESS_KEY_ID", k.AccessKeyID)
				w.T.Setenv("AWS_SECRET_ACCESS_KEY", k.SecretAccessKey)
				return w.Who()
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $SESSION ` +
				`from environment (InvalidClientTokenId); a key that begins with ASIA is temporary and works with its session token only, which was not sent`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a temporary key without its token, seen at once",
			make: func(w *lab.Place) error {
				k := w.SessionKeys()
				return w.JustNew(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, ""))
			},
			says: `awsauth: WithStaticCredentials: access key $SESSION is temporary, as all that begin with ASIA, and works with its session token only; ` +
				`pass the session token too`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "keys the wrong way round",
			make: func(w *lab.Place) error {
				return w.JustNew(awsauth.WithStaticCredentials(lab.SomeSecret, lab.SomeID, ""))
			},
			says: `awsauth: WithStaticCredentials: the two are swapped: AKIA…MPLE, which looks like an access key id, is second; ` +
				`pass the access key id first, then the secret`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "keys of China and nothing that says so",
			make: func(w *lab.Place) error {
				k := w.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::111111111111:user/ana"})
				return w.Who(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, ""))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $CHINA from static keys (InvalidClientTokenId); ` +
				`keys are valid in one partition only: if this is a key of China, pass WithPartition(awsauth.China); else check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "an endpoint variable that is no URL",
			make: func(w *lab.Place) error {
				w.T.Setenv("AWS_ENDPOINT_URL", "127.0.0.1:5000")
				return w.JustNew()
			},
			says: `awsauth: AWS_ENDPOINT_URL "127.0.0.1:5000": not a URL, because it has no scheme; begin it with https:// or http://, ` +
				`like https://vpce-1234.sts.us-east-1.vpce.amazonaws.com`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "a temporary key that has expired",
			make: func(w *lab.Place) error {
				k := w.SessionKeys()
				time.Sleep(2 * time.Hour)
				return w.Fetch(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: the session token of access key $SESSION from static keys has expired (ExpiredToken); ` +
				`get new temporary credentials, or start from a source that renews them`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "the second role of a profile is denied",
			make: func(w *lab.Place) error {
				w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/middle")})
				w.Files("[profile ops]\nrole_arn = $MIDDLE\nexternal_id = x-1\nsource_profile = first\n"+
					"[profile first]\nrole_arn = $BASE\nsource_profile = keys\nrole_session_name = ana\n[profile keys]\n"+lab.KeyLines, "")
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $MIDDLE as arn:aws:sts::111111111111:assumed-role/base/ana: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: an external id, no MFA)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "the second role of a profile is in a region's STS that does not know the first's key",
			make: func(w *lab.Place) error {
				w.Files(lab.ChainProfile, "")
				w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "InvalidClientTokenId", Match: func(c awsauthtest.Call) bool {
					return strings.HasPrefix(c.AccessKeyID, "ASIA")
				}})
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $MIDDLE: sts.us-east-1.amazonaws.com does not know access key $SESSION from role $BASE (InvalidClientTokenId); ` +
				`keys are valid in one partition only: use aws keys, or check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a role of a profile lasts too long",
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\nrole_arn = $BASE\nduration_seconds = 14400\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $BASE: duration 4h0m0s is longer than this role allows; ` +
				`lower duration_seconds or raise the role's maximum session duration`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "a chain that the library cannot see lasts too long",
			make: func(w *lab.Place) error {
				k := w.SessionKeys()
				w.AddRole(awsauthtest.Role{ARN: lab.ManageRole, Trust: []string{lab.Home}, MaxSession: 12 * time.Hour})
				return w.Fetch(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
					awsauth.WithAccount(lab.Target), awsauth.WithDuration(2*time.Hour))
			},
			says:  `awsauth: assume role $MANAGE: a role assumed from another role lasts at most 1h; lower WithDuration to 1h`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "STS fails",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.ServerError)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: STS in us-east-1 fails (ServiceUnavailable), gave up after 8 attempts in $TIME; ` +
				`try again later, or another region with WithRegion`,
			kinds: only(awsauth.Unreachable), from: service,
		}, {
			name: "the connection is reset",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Reset)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: no connection to sts.us-east-1.amazonaws.com: read tcp: read: connection reset by peer; ` +
				`check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS does not answer",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Hang)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says:  `awsauth: assume role $MANAGE: no answer from sts.us-east-1.amazonaws.com in 30s; check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS answers half",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Malformed)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: what sts.us-east-1.amazonaws.com answered is not an answer of STS (HTTP 200); ` +
				`check WithSTSEndpoint, AWS_ENDPOINT_URL and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name:  "a request that STS does not like",
			make:  refuse(http.StatusBadRequest, "PackedPolicyTooLarge", "Serialized token too large for session"),
			says:  `awsauth: assume role $MANAGE: Serialized token too large for session (PackedPolicyTooLarge)`,
			kinds: only(awsauth.InvalidOption), from: service,
		}, {
			name:  "a caller whom STS does not like",
			make:  refuse(http.StatusForbidden, "OptInRequired", "You are not subscribed\nto this service."),
			says:  `awsauth: assume role $MANAGE: refused: You are not subscribed to this service (OptInRequired)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "DNS does not work",
			make: func(w *lab.Place) error {
				return w.Who(w.Static(), w.Cable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
					Err: "server misbehaving", Name: "sts.us-east-1.amazonaws.com", IsTemporary: true,
				}}))
			},
			says: `awsauth: get caller identity: host sts.us-east-1.amazonaws.com cannot be looked up: server misbehaving; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "the caller's own provider fails",
			make: func(w *lab.Place) error {
				return w.Fetch(awsauth.WithCredentialsProvider(lab.ProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, errors.New("redis: no such key")
				})))
			},
			says:  `awsauth: provider: redis: no such key`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "the caller's own provider has no keys",
			make: func(w *lab.Place) error {
				return w.Fetch(awsauth.WithCredentialsProvider(lab.ProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: lab.SomeID}, nil
				})))
			},
			says:  `awsauth: provider: the credentials it returned have an access key id (AKIA…MPLE) but no secret access key`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "the instance has no role",
			make: func(w *lab.Place) error {
				w.SetInstance(&awsauthtest.Instance{Region: "us-east-1"})
				w.Files("[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", "")
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: profile "ops" (EC2): http://169.254.169.254 knows no role of this instance; ` +
				`check the instance role and, in a container, an IMDSv2 hop limit of 2`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "login never done",
			make: func(w *lab.Place) error {
				w.T.Setenv("AWS_LOGIN_CACHE_DIRECTORY", w.Dir)
				w.Files("[profile ops]\nlogin_session = arn:aws:iam::111111111111:user/ana\n", "")
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says:  `awsauth: profile "ops" (login): the login session has ended or was never begun on this machine; run: aws login --profile ops`,
			kinds: only(awsauth.Expired),
		},
	}
}

// outside is an AWS whose clock is not that of the bubble that asks it.
type outside struct {
	requests chan *http.Request
	answers  chan outsideAnswer
}

type outsideAnswer struct {
	response *http.Response
	err      error
}

// RoundTrip hands the request out of the bubble.
func (o outside) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	out := r.Clone(context.Background()) // the bubble's contexts stay inside
	out.Body = io.NopCloser(bytes.NewReader(body))
	o.requests <- out
	a := <-o.answers
	if a.response != nil {
		a.response.Request = r
	}
	return a.response, a.err
}

// TestWrongClock: in the bubble it is the year 2000.
func TestWrongClock(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	for name, tt := range map[string]struct {
		date bool // STS says what time it is
		says string
	}{
		"it is told the time": {date: true},
		"it is not": {says: "awsauth: get caller identity: the clock of this machine is wrong by more than STS accepts " +
			"(SignatureDoesNotMatch); set the clock, for example with NTP"},
	} {
		t.Run(name, func(t *testing.T) {
			o := outside{make(chan *http.Request), make(chan outsideAnswer)}
			go func() {
				for r := range o.requests {
					response, err := w.Client().Transport.RoundTrip(r)
					if err == nil && !tt.date {
						response.Header.Del("Date")
					}
					o.answers <- outsideAnswer{response, err}
				}
			}()
			defer close(o.requests)
			synctest.Test(t, func(t *testing.T) {
				s, err := awsauth.New(w.Static(), awsauth.WithLoadOptions(config.WithHTTPClient(&http.Client{Transport: o})))
				require.NoError(t, err)
				_, err = s.Identity(t.Context())
				if tt.says == "" {
					require.NoError(t, err, "the SDK signs with the time that STS tells")
					return
				}
				lab.RequireBad(t, err, awsauth.InvalidKey)
				assert.Equal(t, tt.says, err.Error())
			})
		})
	}
}

package awsauth_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// keyMistakes are those of the keys that sign.
func keyMistakes() []mistake {
	return []mistake{
		{
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
			name: "keys of China and nothing that says so",
			make: func(w *lab.Place) error {
				k := w.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::111111111111:user/ana"})
				return w.Who(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, ""))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $CHINA from static keys (InvalidClientTokenId); ` +
				`keys are valid in one partition only: if this is a key of China or GovCloud, pass WithPartition(awsauth.China) or WithPartition(awsauth.GovCloud); else check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
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
		},
	}
}

// tokenMistakes are long-lived keys with a session token, which they never have.
func tokenMistakes() []mistake {
	return []mistake{
		{
			name: "a long-lived key beside a token that was left over",
			make: func(w *lab.Place) error {
				w.Env(lab.KeyEnv...)
				w.Env("AWS_SESSION_TOKEN=FwoGZXIvYXdzEXAMPLE")
				return w.Who()
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $KEY from environment (InvalidClientTokenId); ` +
				`a key that begins with AKIA is long-lived and has no session token, but one was sent: unset AWS_SESSION_TOKEN`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a long-lived key beside a token in a profile",
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\nregion = us-east-1\n"+lab.KeyLines+"aws_session_token = FwoGZXIvYXdzEXAMPLE\n", "")
				return w.Who(awsauth.WithProfile("ops"))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $KEY from profile "ops" (InvalidClientTokenId); ` +
				`a key that begins with AKIA is long-lived and has no session token, but one was sent: remove aws_session_token from the profile`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a long-lived key passed with a token",
			make: func(w *lab.Place) error {
				return w.Who(awsauth.WithStaticCredentials(w.Keys.AccessKeyID, w.Keys.SecretAccessKey, "FwoGZXIvYXdzEXAMPLE"))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $KEY from static keys (InvalidClientTokenId); ` +
				`a key that begins with AKIA is long-lived and has no session token, but one was sent: leave it out`,
			kinds: only(awsauth.InvalidKey), from: service,
		},
	}
}

// refuseRole has STS refuse to open a role.
func refuseRole(status int, code, message string) func(w *lab.Place) error {
	return func(w *lab.Place) error {
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Status: status, Code: code, Message: message})
		return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
	}
}

// policyMistakes are session policies that STS refuses.
func policyMistakes() []mistake {
	return []mistake{
		{
			name: "a policy that is too large",
			make: refuseRole(http.StatusBadRequest, "PackedPolicyTooLarge", "Serialized token too large for session"),
			says: `awsauth: assume role $MANAGE: Serialized token too large for session (PackedPolicyTooLarge); ` +
				`shorten WithPolicy, or leave out some of WithPolicyARNs and WithTags`,
			kinds: only(awsauth.InvalidOption), from: service,
		}, {
			name: "a policy that STS cannot read",
			make: func(w *lab.Place) error {
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target),
					awsauth.WithPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"x"}]}`))
			},
			says: `awsauth: assume role $MANAGE: Resource x must be in ARN format or "*" (MalformedPolicyDocument); ` +
				`correct the policy of WithPolicy, or the ARNs of WithPolicyARNs`,
			kinds: only(awsauth.InvalidOption), from: service,
		}, {
			name: "a policy that STS does not find",
			make: func(w *lab.Place) error {
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithPolicyARNs("arn:aws:iam::111111111111:policy/x"))
			},
			says: `awsauth: assume role $MANAGE: The managed policy arn:aws:iam::111111111111:policy/x is not of the role's account (MalformedPolicyDocument); ` +
				`correct the policy of WithPolicy, or the ARNs of WithPolicyARNs`,
			kinds: only(awsauth.InvalidOption), from: service,
		},
	}
}

// roleMistakes are those of a role and of who asks for it.
func roleMistakes() []mistake {
	return []mistake{
		{
			name: "STS of the region not activated",
			make: func(w *lab.Place) error {
				w.DisableRegion("ap-east-1")
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithRegion("ap-east-1"))
			},
			says: `awsauth: assume role $MANAGE: STS in ap-east-1 is not activated for the account (RegionDisabledException); ` +
				`activate the region in the account's IAM settings, or use another with WithRegion`,
			kinds: only(awsauth.AccessDenied), from: service,
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
			name:  "a request that STS does not like",
			make:  refuseRole(http.StatusBadRequest, "NotSupported", "You cannot do this here"),
			says:  `awsauth: assume role $MANAGE: You cannot do this here (NotSupported)`,
			kinds: only(awsauth.InvalidOption), from: service,
		}, {
			name:  "a caller whom STS does not like",
			make:  refuseRole(http.StatusForbidden, "OptInRequired", "You are not subscribed\nto this service."),
			says:  `awsauth: assume role $MANAGE: refused: You are not subscribed to this service (OptInRequired)`,
			kinds: only(awsauth.AccessDenied), from: service,
		},
	}
}

// profileRoleMistakes are those of the roles of a profile.
func profileRoleMistakes() []mistake {
	return []mistake{
		{
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

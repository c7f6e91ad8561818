package awsauth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// mistake is something that goes wrong, and what is said then. In the text
// stand $DIR for the directory of the shared files, $KEY for the user's
// shortened access key id, and the names that place.text knows.
type mistake struct {
	name  string
	make  func(w *lab.Place) error
	says  string
	kinds []awsauth.Kind
	from  origin
	real  bool // runs a process: not on a clock of its own
	new   bool // New refuses: nothing has gone over the wire
}

// origin is who said it first, and so which of the SDK's errors are found under
// the library's.
type origin int

const (
	ours    origin = iota // the library: none
	service               // STS: all of them
	network               // no answer: an OperationError
)

// kinds are all there are.
var kinds = []awsauth.Kind{
	awsauth.InvalidOption, awsauth.NoCredentials, awsauth.ProfileNotFound, awsauth.Expired, awsauth.MFARequired,
	awsauth.LongTermCredentials, awsauth.AccessDenied, awsauth.InvalidKey, awsauth.WrongPartition, awsauth.InvalidDuration,
	awsauth.Throttled, awsauth.Unreachable,
}

func only(k ...awsauth.Kind) []awsauth.Kind { return k }

// TestMistakes holds every error to its text, its kinds and what is under it.
func TestMistakes(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			lab.OnAnyClock(t, m.real, func(t *testing.T, w *lab.Place) {
				w.Files("", "")
				err := m.make(w)
				require.Error(t, err)
				var e *awsauth.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, w.Text(m.says), w.General(err.Error()))
				lab.RequireBad(t, err, m.kinds[0])
				for _, k := range kinds {
					assert.Equal(t, slices.Contains(m.kinds, k), errors.Is(err, k), "kind %q", k)
				}
				_, rest, _ := strings.Cut(err.Error(), "awsauth: ")
				assert.NotRegexp(t, `^[A-Z][a-z]`, strings.ReplaceAll(rest, "With", "with"), "lower case, but for names")
				if m.new {
					assert.Empty(t, w.Said())
				}
				m.from.check(t, err, e)
			})
		})
	}
}

// check asks for the SDK's errors under err.
func (from origin) check(t *testing.T, err error, e *awsauth.Error) {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	var awsResponse *awshttp.ResponseError
	var operation *smithy.OperationError
	plain, detailed := fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err)
	if from != ours {
		assert.ErrorAs(t, err, &operation)
	}
	if from == service {
		assert.ErrorAs(t, err, &api)
		require.ErrorAs(t, err, &awsResponse)
		assert.GreaterOrEqual(t, awsResponse.HTTPStatusCode(), 400)
	}
	id := ""
	if errors.As(err, &awsResponse) {
		require.ErrorAs(t, err, &response)
		assert.Equal(t, response.Response.StatusCode, awsResponse.HTTPStatusCode())
		id = awsResponse.ServiceRequestID()
	}
	assert.Equal(t, id, e.RequestID)
	if id != "" {
		assert.NotContains(t, plain, id)
		plain += " (request id " + id + ")"
	}
	assert.Equal(t, plain, detailed)
}

// catalogue are the mistakes that ERRORS.md lists, by its numbers.
func catalogue() []mistake {
	return slices.Concat(nobodyMistakes(), identityMistakes(), loginMistakes(), assumeMistakes(), mfaMistakes(), offlineMistakes())
}

// beyond are mistakes that ERRORS.md does not list.
func beyond() []mistake {
	return slices.Concat(webMistakes(), containerMistakes(), processMistakes(), ssoMistakes(), providerMistakes(),
		optionMistakes(), keyMistakes(), tokenMistakes(), roleMistakes(), policyMistakes(), profileRoleMistakes(), answerMistakes(), hostMistakes())
}

// mfaMistakes are those of MFA.
func mfaMistakes() []mistake {
	return []mistake{
		{
			name: "7. MFA needed", make: func(w *lab.Place) error { w.MFAProfile(); return w.JustNew(awsauth.WithProfile("admin")) },
			says: `awsauth: profile "admin" requires MFA with arn:aws:iam::111111111111:mfa/ana; pass WithMFA("arn:aws:iam::111111111111:mfa/ana", code) ` +
				`with a func that returns the current code, for example PromptMFA`,
			kinds: only(awsauth.MFARequired), new: true,
		}, {
			name: "7. wrong MFA code",
			make: func(w *lab.Place) error {
				w.MFAProfile()
				return w.Fetch(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return "000000", nil }))
			},
			says:  `awsauth: start MFA session: STS refused the MFA code for arn:aws:iam::111111111111:mfa/ana; each code works once, wait for the next one`,
			kinds: only(awsauth.MFARequired), from: service,
		}, {
			name: "7. unknown MFA device",
			make: func(w *lab.Place) error {
				w.MFAProfile()
				w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci"), MFASerial: w.ARN(lab.Home, "mfa/another")})
				return w.Fetch(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return "000000", nil }))
			},
			says: `awsauth: start MFA session: STS knows no MFA device arn:aws:iam::111111111111:mfa/ana of this user; ` +
				`check mfa_serial or WithMFA against the user's devices in IAM`,
			kinds: only(awsauth.MFARequired), from: service,
		},
	}
}

// identityMistakes are those of who one starts as.
func identityMistakes() []mistake {
	return []mistake{
		{
			name: "2. only the access key, in the environment",
			make: func(w *lab.Place) error { w.Env("AWS_ACCESS_KEY_ID=" + lab.SomeID); return w.JustNew() },
			says: `awsauth: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; ` +
				`set both, or unset AWS_ACCESS_KEY_ID to let the next source be used`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name:  "2. only the access key, as an option",
			make:  func(w *lab.Place) error { return w.JustNew(awsauth.WithStaticCredentials(lab.SomeID, "", "")) },
			says:  `awsauth: WithStaticCredentials: secret access key is empty for access key AKIA…MPLE; pass both, or use WithProfile`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "3. unknown profile, a near name",
			make: func(w *lab.Place) error {
				w.Files("[profile dev]\n[profile prod-admin]\n", "[ops]\n"+lab.KeyLines)
				return w.JustNew(awsauth.WithProfile("prod-admn"))
			},
			says:  `awsauth: profile "prod-admn" is not in $DIR/config or $DIR/credentials; did you mean "prod-admin"?`,
			kinds: only(awsauth.ProfileNotFound), new: true,
		}, {
			name: "3. unknown profile, no near name",
			make: func(w *lab.Place) error {
				w.Files("[profile dev]\n[profile prod-admin]\n[profile qa]\n", "[ops]\n"+lab.KeyLines)
				w.Env("AWS_PROFILE=nowhere")
				return w.JustNew()
			},
			says: `awsauth: profile "nowhere" (from AWS_PROFILE) is not in $DIR/config or $DIR/credentials; ` +
				`defined there: dev, ops, prod-admin and 1 more`,
			kinds: only(awsauth.ProfileNotFound), new: true,
		},
	}
}

// nobodyMistakes are those of a chain that comes to its end.
func nobodyMistakes() []mistake {
	return []mistake{
		{
			name: "1. no credentials anywhere", make: func(w *lab.Place) error { return w.Fetch() },
			says: `awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), ` +
				`web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "default" (not in $DIR/config or $DIR/credentials), ` +
				`container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), ` +
				`EC2 (disabled by AWS_EC2_METADATA_DISABLED); set AWS_PROFILE or use WithProfile`,
			kinds: only(awsauth.NoCredentials), from: network,
		}, {
			name: "1. no credentials in the profile that is named",
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\nregion = us-east-1\n", "")
				w.Env("AWS_PROFILE=ops")
				return w.Fetch()
			},
			says: `awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), ` +
				`web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "ops" (AWS_PROFILE) (has no credentials), ` +
				`container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), ` +
				`EC2 (disabled by AWS_EC2_METADATA_DISABLED); put credentials into profile "ops", or name another`,
			kinds: only(awsauth.NoCredentials), from: network,
		}, {
			name: "12. the instance metadata does not answer",
			make: func(w *lab.Place) error {
				w.OnInstance()
				w.Inject(awsauthtest.Fault{Match: lab.OfMetadata, Kind: awsauthtest.Hang})
				return w.Fetch(awsauth.WithRegion("us-east-1"))
			},
			says: `awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), ` +
				`web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "default" (not in $DIR/config or $DIR/credentials), ` +
				`container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), ` +
				`EC2 (http://169.254.169.254 did not answer within 2s); if this is EC2, check the instance role and, ` +
				`in a container, an IMDSv2 hop limit of 2; elsewhere set AWS_PROFILE`,
			kinds: only(awsauth.NoCredentials, awsauth.Unreachable), from: network,
		},
	}
}

// loginMistakes are those of keys and logins that AWS does not accept.
func loginMistakes() []mistake {
	return []mistake{
		{
			name: "5. keys of another partition",
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\n"+lab.KeyLines, "")
				return w.Fetch(awsauth.WithProfile("ops"), awsauth.WithRoleARN(lab.ChinaRole))
			},
			says: `awsauth: assume role ` + lab.ChinaRole + `: sts.cn-north-1.amazonaws.com.cn does not know access key $KEY ` +
				`from profile "ops" (InvalidClientTokenId); keys are valid in one partition only: use aws-cn keys, or check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "6. expired SSO session",
			make: func(w *lab.Place) error {
				w.SSOProfile()
				w.SSOToken("corp", -2*time.Hour-13*time.Minute)
				return w.Fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO session "corp" expired 2h13m ago; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired),
		}, {
			name:  "6. never logged in",
			make:  func(w *lab.Place) error { w.SSOProfile(); return w.Fetch(awsauth.WithProfile("dev")) },
			says:  `awsauth: profile "dev": SSO session "corp" has never been logged in on this machine; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired),
		},
	}
}

// assumeMistakes are those of the role to become.
func assumeMistakes() []mistake {
	return []mistake{
		{
			name: "4. access denied",
			make: func(w *lab.Place) error {
				w.AddRole(awsauthtest.Role{ARN: lab.ManageRole})
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: no external id, no MFA)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "4. access denied, with an external id",
			make: func(w *lab.Place) error {
				w.AddRole(awsauthtest.Role{ARN: lab.ManageRole, Trust: []string{lab.Home}, ExternalID: "right"})
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithExternalID("wrong"), awsauth.WithSourceIdentity("ana"))
			},
			says: `awsauth: assume role $MANAGE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it ` +
				`(sent: an external id, no MFA, a source identity)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "4. access denied, with MFA",
			make: func(w *lab.Place) error {
				w.MFAProfile()
				w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/base")})
				return w.Fetch(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return w.MFACode(lab.MFASerial), nil }))
			},
			says: `awsauth: assume role $BASE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it ` +
				`(sent: no external id, an MFA session); the MFA session is 0s old, which a policy may limit (aws:MultiFactorAuthAge)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "11. throttled",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Throttle)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: throttled by STS in us-east-1, gave up after 8 attempts in $TIME; ` +
				`keep one Session per role instead of calling New for each task, or run fewer accounts at once`,
			kinds: only(awsauth.Throttled), from: service,
		},
	}
}

// offlineMistakes are those of accounts, partitions and durations.
func offlineMistakes() []mistake {
	return []mistake{
		{
			name:  "8. 11-digit account id",
			make:  func(w *lab.Place) error { return w.JustNew(w.Static(), awsauth.WithAccount("12345678901")) },
			says:  `awsauth: WithAccount("12345678901"): an account id has 12 digits, this has 11; a leading zero may have been lost ("012345678901"?)`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "9. ARN of another partition than the region",
			make: func(w *lab.Place) error {
				return w.JustNew(w.Static(), awsauth.WithRoleARN(lab.ChinaRole), awsauth.WithRegion("us-east-1"))
			},
			says: `awsauth: role ` + lab.ChinaRole + ` is in partition aws-cn, but region us-east-1 (from WithRegion) is in aws; ` +
				`use WithRegion("cn-north-1") or correct the ARN`,
			kinds: only(awsauth.WrongPartition), new: true,
		}, {
			name: "10. duration over the role's maximum",
			make: func(w *lab.Place) error {
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithDuration(4*time.Hour))
			},
			says: `awsauth: assume role $MANAGE: duration 4h0m0s is longer than this role allows; ` +
				`lower WithDuration or raise the role's maximum session duration`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "10. duration over the maximum of a chain, offline",
			make: func(w *lab.Place) error {
				hub := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
				_, err := hub.Assume(awsauth.WithAccount(lab.Target), awsauth.WithDuration(4*time.Hour))
				return err
			},
			says:  `awsauth: WithDuration(4h0m0s): a role assumed from another role lasts at most 1h; lower it to 1h`,
			kinds: only(awsauth.InvalidDuration, awsauth.InvalidOption), new: true,
		},
	}
}

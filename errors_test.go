package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// mistake is something that goes wrong, and what is said then. In the text
// stand $DIR for the directory of the shared files, $KEY for the user's
// shortened access key id, and the names that place.text knows.
type mistake struct {
	name  string
	make  func(w *place) error
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

// fetch makes a session and asks it for credentials.
func (w *place) fetch(opts ...awsauth.Option) error {
	s, err := w.try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Retrieve(context.Background())
	return err
}

// who makes a session and asks it who it is.
func (w *place) who(opts ...awsauth.Option) error {
	s, err := w.try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Identity(context.Background())
	return err
}

// justNew is an error of New itself.
func (w *place) justNew(opts ...awsauth.Option) error {
	_, err := w.try(opts...)
	return err
}

const otherPartition = "arn:aws-cn:iam::123456789012:role/manage-role"

// catalogue is ERRORS.md, in its order.
func catalogue() []mistake {
	return []mistake{
		{
			name: "1. no credentials anywhere", make: func(w *place) error { return w.fetch() },
			says: `awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), ` +
				`web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "default" (not in $DIR/config or $DIR/credentials), ` +
				`container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), ` +
				`EC2 (disabled by AWS_EC2_METADATA_DISABLED); set AWS_PROFILE or use WithProfile`,
			kinds: only(awsauth.NoCredentials), from: network,
		}, {
			name: "2. only the access key, in the environment",
			make: func(w *place) error { w.env("AWS_ACCESS_KEY_ID=" + someID); return w.justNew() },
			says: `awsauth: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; ` +
				`set both, or unset AWS_ACCESS_KEY_ID to let the next source be used`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name:  "2. only the access key, as an option",
			make:  func(w *place) error { return w.justNew(awsauth.WithStaticCredentials(someID, "", "")) },
			says:  `awsauth: WithStaticCredentials: secret access key is empty for access key AKIA…MPLE; pass both, or use WithProfile`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "3. unknown profile, a near name",
			make: func(w *place) error {
				w.files("[profile dev]\n[profile prod-admin]\n", "[ops]\n"+keyLines)
				return w.justNew(awsauth.WithProfile("prod-admn"))
			},
			says:  `awsauth: profile "prod-admn" is not in $DIR/config or $DIR/credentials; did you mean "prod-admin"?`,
			kinds: only(awsauth.ProfileNotFound), new: true,
		}, {
			name: "3. unknown profile, no near name",
			make: func(w *place) error {
				w.files("[profile dev]\n[profile prod-admin]\n[profile qa]\n", "[ops]\n"+keyLines)
				w.env("AWS_PROFILE=nowhere")
				return w.justNew()
			},
			says: `awsauth: profile "nowhere" (from AWS_PROFILE) is not in $DIR/config or $DIR/credentials; ` +
				`defined there: dev, ops, prod-admin and 1 more`,
			kinds: only(awsauth.ProfileNotFound), new: true,
		}, {
			name: "4. access denied",
			make: func(w *place) error {
				w.AddRole(awsauthtest.Role{ARN: manageRole})
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: no external id, no MFA)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "4. access denied, with an external id",
			make: func(w *place) error {
				w.AddRole(awsauthtest.Role{ARN: manageRole, Trust: []string{home}, ExternalID: "right"})
				return w.fetch(w.static(), awsauth.WithAccount(target), awsauth.WithExternalID("wrong"), awsauth.WithSourceIdentity("ana"))
			},
			says: `awsauth: assume role $MANAGE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it ` +
				`(sent: an external id, no MFA, a source identity)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "4. access denied, with MFA",
			make: func(w *place) error {
				w.mfaProfile()
				w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/base")})
				return w.fetch(awsauth.WithProfile("admin"), w.mfaCode(func() (string, error) { return w.MFACode(mfaSerial), nil }))
			},
			says: `awsauth: assume role $BASE as arn:aws:iam::111111111111:user/ci: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it ` +
				`(sent: no external id, an MFA code)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "5. keys of another partition",
			make: func(w *place) error {
				w.files("[profile ops]\n"+keyLines, "")
				return w.fetch(awsauth.WithProfile("ops"), awsauth.WithRoleARN(otherPartition))
			},
			says: `awsauth: assume role ` + otherPartition + `: sts.cn-north-1.amazonaws.com.cn does not know access key $KEY ` +
				`from profile "ops" (InvalidClientTokenId); keys are valid in one partition only: use aws-cn keys, or check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "6. expired SSO session",
			make: func(w *place) error {
				w.ssoProfile()
				w.ssoToken("corp", -2*time.Hour-13*time.Minute)
				return w.fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO session "corp" expired 2h13m ago; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired),
		}, {
			name:  "6. never logged in",
			make:  func(w *place) error { w.ssoProfile(); return w.fetch(awsauth.WithProfile("dev")) },
			says:  `awsauth: profile "dev": SSO session "corp" has never been logged in on this machine; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired),
		}, {
			name: "7. MFA needed", make: func(w *place) error { w.mfaProfile(); return w.justNew(awsauth.WithProfile("admin")) },
			says: `awsauth: profile "admin" requires MFA with arn:aws:iam::111111111111:mfa/ana; use a profile without mfa_serial, ` +
				`or pass a token provider with WithLoadOptions(config.WithAssumeRoleCredentialOptions(…))`,
			kinds: only(awsauth.MFARequired), new: true,
		}, {
			name: "7. wrong MFA code",
			make: func(w *place) error {
				w.mfaProfile()
				return w.fetch(awsauth.WithProfile("admin"), w.mfaCode(func() (string, error) { return "000000", nil }))
			},
			says:  `awsauth: assume role $BASE: STS refused the MFA code for arn:aws:iam::111111111111:mfa/ana; each code works once, wait for the next one`,
			kinds: only(awsauth.MFARequired), from: service,
		}, {
			name: "7. unknown MFA device",
			make: func(w *place) error {
				w.mfaProfile()
				w.AddUser(awsauthtest.User{ARN: w.arn(home, "user/ci"), MFASerial: w.arn(home, "mfa/another")})
				return w.fetch(awsauth.WithProfile("admin"), w.mfaCode(func() (string, error) { return "000000", nil }))
			},
			says: `awsauth: assume role $BASE: STS knows no MFA device arn:aws:iam::111111111111:mfa/ana of this user; ` +
				`check mfa_serial against the user's devices in IAM`,
			kinds: only(awsauth.MFARequired), from: service,
		}, {
			name:  "8. 11-digit account id",
			make:  func(w *place) error { return w.justNew(w.static(), awsauth.WithAccount("12345678901")) },
			says:  `awsauth: WithAccount("12345678901"): an account id has 12 digits, this has 11; a leading zero may have been lost ("012345678901"?)`,
			kinds: only(awsauth.InvalidOption), new: true,
		}, {
			name: "9. ARN of another partition than the region",
			make: func(w *place) error {
				return w.justNew(w.static(), awsauth.WithRoleARN(otherPartition), awsauth.WithRegion("us-east-1"))
			},
			says: `awsauth: role ` + otherPartition + ` is in partition aws-cn, but region us-east-1 (from WithRegion) is in aws; ` +
				`use WithRegion("cn-north-1") or correct the ARN`,
			kinds: only(awsauth.WrongPartition), new: true,
		}, {
			name: "10. duration over the role's maximum",
			make: func(w *place) error {
				return w.fetch(w.static(), awsauth.WithAccount(target), awsauth.WithDuration(4*time.Hour))
			},
			says: `awsauth: assume role $MANAGE: duration 4h0m0s is longer than this role allows; ` +
				`lower WithDuration or raise the role's maximum session duration`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "10. duration over the maximum of a chain, offline",
			make: func(w *place) error {
				hub := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")))
				_, err := hub.Assume(awsauth.WithAccount(target), awsauth.WithDuration(4*time.Hour))
				return err
			},
			says:  `awsauth: WithDuration(4h0m0s): a role assumed from another role lasts at most 1h; lower it to 1h`,
			kinds: only(awsauth.InvalidDuration, awsauth.InvalidOption), new: true,
		}, {
			name: "11. throttled",
			make: func(w *place) error {
				w.down(awsauthtest.Throttle)
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE: throttled by STS in us-east-1, gave up after 8 attempts in $TIME; ` +
				`keep one Session per role instead of calling New for each task, or run fewer accounts at once`,
			kinds: only(awsauth.Throttled), from: service,
		}, {
			name: "12. the instance metadata does not answer",
			make: func(w *place) error {
				w.instance()
				w.Inject(awsauthtest.Fault{Match: ofMetadata, Kind: awsauthtest.Hang})
				return w.fetch(awsauth.WithRegion("us-east-1"))
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

// beyond are mistakes that ERRORS.md does not list.
func beyond() []mistake {
	return slices.Concat(webMistakes(), containerMistakes(), processMistakes(), ssoMistakes(), stsMistakes())
}

func webMistakes() []mistake {
	web := []string{"AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE"}
	return []mistake{
		{
			name: "web identity token file missing",
			make: func(w *place) error { w.env(web...); return w.fetch() },
			says: `awsauth: web identity: the token file cannot be read: $DIR/token: no such file or directory; ` +
				`check AWS_WEB_IDENTITY_TOKEN_FILE and that the token is mounted`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "web identity token file of a profile missing",
			make: func(w *place) error {
				w.files("[profile ops]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: profile "ops" (web identity): the token file cannot be read: $DIR/token: no such file or directory; ` +
				`check web_identity_token_file and that the token is mounted`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "web identity token expired",
			make: func(w *place) error {
				w.write("token", w.WebIdentityToken(issuer, "repo:corp/app", -time.Minute))
				w.env(web...)
				return w.fetch()
			},
			says: `awsauth: assume role $BASE: the web identity token has expired (ExpiredTokenException); ` +
				`check that what writes the token file still renews it`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "web identity token that is none",
			make: func(w *place) error { w.write("token", "not.a.token"); w.env(web...); return w.fetch() },
			says: `awsauth: assume role $BASE: STS does not accept the web identity token (InvalidIdentityToken); ` +
				`check that the role's trust policy names the token's issuer and audience`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "web identity token of an issuer that the role does not trust",
			make: func(w *place) error {
				w.write("token", w.WebIdentityToken("elsewhere.example.com", "repo:corp/app", time.Hour))
				w.env(web...)
				return w.fetch()
			},
			says: `awsauth: assume role $BASE: access denied; check that the role exists, ` +
				`and that its trust policy names the token's issuer, audience and subject`,
			kinds: only(awsauth.AccessDenied), from: service,
		},
	}
}

func containerMistakes() []mistake {
	refused := func(status int) func(w *place) error {
		return func(w *place) error {
			w.container()
			w.Inject(awsauthtest.Fault{Action: "GetCredentials", Kind: awsauthtest.Refuse, Status: status})
			return w.fetch()
		}
	}
	return []mistake{
		{
			name: "container refuses, 401", make: refused(http.StatusUnauthorized),
			says: `awsauth: container: the container's credentials endpoint refuses (HTTP 401); ` +
				`check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`,
			kinds: only(awsauth.NoCredentials, awsauth.AccessDenied),
		}, {
			name: "container refuses, 403", make: refused(http.StatusForbidden),
			says: `awsauth: container: the container's credentials endpoint refuses (HTTP 403); ` +
				`check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`,
			kinds: only(awsauth.NoCredentials, awsauth.AccessDenied),
		}, {
			name: "container fails, 500", make: refused(http.StatusInternalServerError),
			says: `awsauth: container: the container's credentials endpoint answered HTTP 500; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and the role of the task or pod`,
			kinds: only(awsauth.NoCredentials, awsauth.Unreachable),
		}, {
			name: "nothing there in place of the container",
			make: func(w *place) error { w.container(); w.SetContainer(nil); return w.fetch() },
			says: `awsauth: container: the container's credentials endpoint does not answer; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, and that this runs in the container it was set for`,
			kinds: only(awsauth.NoCredentials, awsauth.Unreachable),
		}, {
			name: "container answers half",
			make: func(w *place) error {
				w.container()
				w.Inject(awsauthtest.Fault{Action: "GetCredentials", Kind: awsauthtest.Malformed})
				return w.fetch()
			},
			says: `awsauth: container: what the container's credentials endpoint answered is not JSON; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`,
			kinds: only(awsauth.NoCredentials),
		},
	}
}

func processMistakes() []mistake {
	process := func(command string) func(w *place) error {
		return func(w *place) error {
			w.files("[profile ops]\ncredential_process = "+command+"\n", "")
			return w.fetch(awsauth.WithProfile("ops"))
		}
	}
	const byHand = `; run the credential_process by hand to see what it says`
	return []mistake{
		{
			name: "credential_process exits with a code", make: process("sh -c 'echo password; exit 3'"),
			says:  `awsauth: profile "ops" (process): credential_process ended with exit status 3` + byHand,
			kinds: only(awsauth.NoCredentials), real: true,
		}, {
			name: "credential_process is not there", make: process("$DIR/no-such-program"),
			says:  `awsauth: profile "ops" (process): credential_process was not found (exit status 127)` + byHand,
			kinds: only(awsauth.NoCredentials), real: true,
		}, {
			name: "credential_process writes no JSON", make: process("echo password: $SECRET"),
			says:  `awsauth: profile "ops" (process): credential_process wrote something that is not JSON` + byHand,
			kinds: only(awsauth.NoCredentials), real: true,
		}, {
			name: "credential_process of a source profile writes no JSON",
			make: func(w *place) error {
				w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\ncredential_process = echo password: $SECRET\n", "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says:  `awsauth: profile "ops" (process): credential_process wrote something that is not JSON` + byHand,
			kinds: only(awsauth.NoCredentials), real: true,
		}, {
			name: "credential_process leaves a field out", make: process(`echo '{"Version": 1, "SecretAccessKey": "$SECRET"}'`),
			says:  `awsauth: profile "ops" (process): credential_process wrote JSON without Version 1, AccessKeyId and SecretAccessKey` + byHand,
			kinds: only(awsauth.NoCredentials), real: true,
		}, {
			name: "credential_process hands out expired keys",
			make: process(`echo '{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET", "Expiration": "2001-01-01T00:00:00Z"}'`),
			says: `awsauth: profile "ops" (process): the keys that were returned had already expired $TIME ago; ` +
				`the clock of this machine is probably ahead: set it, for example with NTP`,
			kinds: only(awsauth.Expired), real: true,
		},
	}
}

func ssoMistakes() []mistake {
	return []mistake{
		{
			name: "SSO gives no access",
			make: func(w *place) error {
				w.ssoProfile()
				w.ssoToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.Refuse, Code: "ForbiddenException", Message: "No access"})
				return w.fetch(awsauth.WithProfile("dev"))
			},
			says: `awsauth: profile "dev": SSO gives no access to this account and role; ` +
				`check sso_account_id and sso_role_name, and that the user is assigned to them`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "SSO does not accept the token",
			make: func(w *place) error {
				w.ssoProfile()
				w.ssoToken("corp", time.Hour)
				return w.fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO session "corp" has ended; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "SSO throttles",
			make: func(w *place) error {
				w.ssoProfile()
				w.ssoToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.Refuse, Status: 429, Code: "TooManyRequestsException"})
				return w.fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": throttled by SSO, gave up after 3 attempts; try again later`,
			kinds: only(awsauth.Throttled), from: service,
		}, {
			name: "SSO fails",
			make: func(w *place) error {
				w.ssoProfile()
				w.ssoToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.ServerError})
				return w.fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO fails (HTTP 503), gave up after 3 attempts; try again later`,
			kinds: only(awsauth.Unreachable), from: service,
		},
	}
}

func stsMistakes() []mistake {
	refuse := func(status int, code, message string) func(w *place) error {
		return func(w *place) error {
			w.Inject(awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Refuse, Status: status, Code: code, Message: message})
			return w.fetch(w.static(), awsauth.WithAccount(target))
		}
	}
	return []mistake{
		{
			name: "region that does not exist",
			make: func(w *place) error {
				dial := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "sts.us-north-7.amazonaws.com", IsNotFound: true}}
				return w.who(w.static(), awsauth.WithRegion("us-north-7"), w.cable(dial))
			},
			says: `awsauth: get caller identity: host sts.us-north-7.amazonaws.com is not known; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS of the region not activated",
			make: func(w *place) error {
				w.DisableRegion("ap-east-1")
				return w.fetch(w.static(), awsauth.WithAccount(target), awsauth.WithRegion("ap-east-1"))
			},
			says: `awsauth: assume role $MANAGE: STS in ap-east-1 is not activated for the account (RegionDisabledException); ` +
				`activate the region in the account's IAM settings, or use another with WithRegion`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "the wrong secret",
			make: func(w *place) error {
				return w.who(awsauth.WithStaticCredentials(w.keys.AccessKeyID, someSecret, ""))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not accept the signature of access key $KEY ` +
				`from static keys (SignatureDoesNotMatch); the secret key does not belong to the access key id; copy both again`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a temporary key without its token",
			make: func(w *place) error {
				k := w.sessionKeys()
				return w.who(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, ""))
			},
			says: `awsauth: get caller identity: sts.us-east-1.amazonaws.com does not know access key $SESSION ` +
				`from static keys (InvalidClientTokenId); a key that begins with ASIA is temporary and works with its session token only, which was not sent`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a temporary key that has expired",
			make: func(w *place) error {
				k := w.sessionKeys()
				time.Sleep(2 * time.Hour)
				return w.fetch(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE: the session token of access key $SESSION from static keys has expired (ExpiredToken); ` +
				`get new temporary credentials, or start from a source that renews them`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "the second role of a profile is denied",
			make: func(w *place) error {
				w.AddRole(awsauthtest.Role{ARN: w.arn(home, "role/middle")})
				w.files("[profile ops]\nrole_arn = $MIDDLE\nexternal_id = x-1\nsource_profile = first\n"+
					"[profile first]\nrole_arn = $BASE\nsource_profile = keys\nrole_session_name = ana\n[profile keys]\n"+keyLines, "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $MIDDLE as arn:aws:sts::111111111111:assumed-role/base/ana: access denied; check that the role exists, ` +
				`that its trust policy names this principal, and that the principal may call sts:AssumeRole on it (sent: an external id, no MFA)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "the second role of a profile is in a region's STS that does not know the first's key",
			make: func(w *place) error {
				w.files("[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n"+
					"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
				w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "InvalidClientTokenId", Match: func(c awsauthtest.Call) bool {
					return strings.HasPrefix(c.AccessKeyID, "ASIA")
				}})
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $MIDDLE: sts.us-east-1.amazonaws.com does not know access key $SESSION from profile "ops" (InvalidClientTokenId); ` +
				`keys are valid in one partition only: use aws keys, or check that the key is still active`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "a role of a profile lasts too long",
			make: func(w *place) error {
				w.files("[profile ops]\nrole_arn = $BASE\nduration_seconds = 14400\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: assume role $BASE: duration 4h0m0s is longer than this role allows; ` +
				`lower duration_seconds or raise the role's maximum session duration`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "a chain that the library cannot see lasts too long",
			make: func(w *place) error {
				k := w.sessionKeys()
				w.AddRole(awsauthtest.Role{ARN: manageRole, Trust: []string{home}, MaxSession: 12 * time.Hour})
				return w.fetch(awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
					awsauth.WithAccount(target), awsauth.WithDuration(2*time.Hour))
			},
			says:  `awsauth: assume role $MANAGE: a role assumed from another role lasts at most 1h; lower WithDuration to 1h`,
			kinds: only(awsauth.InvalidDuration), from: service,
		}, {
			name: "STS fails",
			make: func(w *place) error {
				w.down(awsauthtest.ServerError)
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE: STS in us-east-1 fails (ServiceUnavailable), gave up after 8 attempts in $TIME; ` +
				`try again later, or another region with WithRegion`,
			kinds: only(awsauth.Unreachable), from: service,
		}, {
			name: "the connection is reset",
			make: func(w *place) error {
				w.down(awsauthtest.Reset)
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE: no connection to sts.us-east-1.amazonaws.com: read tcp: read: connection reset by peer; ` +
				`check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS does not answer",
			make: func(w *place) error {
				w.down(awsauthtest.Hang)
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says:  `awsauth: assume role $MANAGE: no answer from sts.us-east-1.amazonaws.com in 30s; check the network and the proxy variables`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "STS answers half",
			make: func(w *place) error {
				w.down(awsauthtest.Malformed)
				return w.fetch(w.static(), awsauth.WithAccount(target))
			},
			says: `awsauth: assume role $MANAGE: what sts.us-east-1.amazonaws.com answered is not STS's: XML syntax error on line $LINE: unexpected EOF; ` +
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
			make: func(w *place) error {
				return w.who(w.static(), w.cable(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
					Err: "server misbehaving", Name: "sts.us-east-1.amazonaws.com", IsTemporary: true,
				}}))
			},
			says: `awsauth: get caller identity: host sts.us-east-1.amazonaws.com cannot be looked up: server misbehaving; ` +
				`check the region, the network and the DNS of this machine`,
			kinds: only(awsauth.Unreachable), from: network,
		}, {
			name: "the caller's own provider fails",
			make: func(w *place) error {
				return w.fetch(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, errors.New("redis: no such key")
				})))
			},
			says:  `awsauth: provider: redis: no such key`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "the caller's own provider has no keys",
			make: func(w *place) error {
				return w.fetch(awsauth.WithCredentialsProvider(providerFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: someID}, nil
				})))
			},
			says:  `awsauth: provider: the credentials it returned have no keys`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "the instance has no role",
			make: func(w *place) error {
				w.SetInstance(&awsauthtest.Instance{Region: "us-east-1"})
				w.files("[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: profile "ops" (EC2): http://169.254.169.254 knows no role of this instance; ` +
				`check the instance role and, in a container, an IMDSv2 hop limit of 2`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "login never done",
			make: func(w *place) error {
				w.t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", w.dir)
				w.files("[profile ops]\nlogin_session = arn:aws:iam::111111111111:user/ana\n", "")
				return w.fetch(awsauth.WithProfile("ops"))
			},
			says:  `awsauth: profile "ops" (login): the login session has ended or was never begun on this machine; run: aws login --profile ops`,
			kinds: only(awsauth.Expired),
		},
	}
}

// cable is a network on which every request ends like this.
func (*place) cable(err error) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithHTTPClient(&http.Client{Transport: brokenCable{err}}))
}

type brokenCable struct{ err error }

func (c brokenCable) RoundTrip(*http.Request) (*http.Response, error) { return nil, c.err }

const mfaSerial = "arn:aws:iam::111111111111:mfa/ana"

// mfaProfile is a profile whose role asks for MFA, and a user with a device.
func (w *place) mfaProfile() {
	w.t.Helper()
	w.keys = w.AddUser(awsauthtest.User{ARN: w.arn(home, "user/ci"), MFASerial: mfaSerial})
	w.files("[profile admin]\nrole_arn = $BASE\nmfa_serial = "+mfaSerial+"\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
}

// mfaCode answers for the codes.
func (*place) mfaCode(code func() (string, error)) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = code }))
}

// ssoProfile is a profile that starts from SSO, on a machine where nobody has
// logged in yet.
func (w *place) ssoProfile() {
	w.t.Helper()
	w.t.Setenv("HOME", w.dir)
	w.files("[profile dev]\nsso_session = corp\nsso_account_id = "+home+"\nsso_role_name = base\n"+
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", "")
	path, err := ssocreds.StandardCachedTokenFilepath("corp")
	require.NoError(w.t, err)
	if !strings.HasPrefix(path, w.dir) {
		w.t.Skip("the SDK does not take its SSO token from $HOME on this system")
	}
}

// ssoToken leaves a token behind that nobody issued and that expires then.
func (w *place) ssoToken(session string, left time.Duration) {
	w.t.Helper()
	path, err := ssocreds.StandardCachedTokenFilepath(session)
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	text := fmt.Sprintf(`{"accessToken": "an-sso-token", "expiresAt": %q}`, time.Now().Add(left).UTC().Format(time.RFC3339))
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
}

// onAnyClock runs f with a place, on a clock of its own unless it is not to.
func onAnyClock(t *testing.T, realTime bool, f func(t *testing.T, w *place)) {
	t.Helper()
	if realTime {
		f(t, newPlace(t, awsauth.AWS))
		return
	}
	onItsClock(t, f)
}

// TestMistakes holds every error to its text, its kinds and what is under it.
func TestMistakes(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			onAnyClock(t, m.real, func(t *testing.T, w *place) {
				w.files("", "")
				err := m.make(w)
				require.Error(t, err)
				var e *awsauth.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, w.text(m.says), w.general(err.Error()))
				requireBad(t, err, m.kinds[0])
				for _, k := range kinds {
					assert.Equal(t, slices.Contains(m.kinds, k), errors.Is(err, k), "kind %q", k)
				}
				_, rest, _ := strings.Cut(err.Error(), "awsauth: ")
				assert.NotRegexp(t, `^[A-Z][a-z]`, strings.ReplaceAll(rest, "With", "with"), "lower case, but for names")
				if m.new {
					assert.Empty(t, w.said())
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

// general puts names for what is another in each run.
func (w *place) general(text string) string {
	short := func(id string) string { return id[:4] + "…" + id[len(id)-4:] }
	text = strings.ReplaceAll(text, "access key "+short(w.keys.AccessKeyID), "access key $KEY")
	for _, r := range []struct{ pattern, name string }{
		{`ASIA….{4}`, "$$SESSION"},
		{`attempts in \d+s`, "attempts in $$TIME"},
		{`already expired \S+ ago`, "already expired $$TIME ago"},
		{`on line \d+`, "on line $$LINE"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.name)
	}
	return text
}

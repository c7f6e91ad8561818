package awsauth_test

import (
	"net/http"
	"slices"
	"time"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// catalogue is ERRORS.md, in its order.
func catalogue() []mistake {
	return []mistake{
		{
			name: "1. no credentials anywhere", make: func(w *lab.Place) error { return w.Fetch() },
			says: `awsauth: no AWS credentials found: environment (AWS_ACCESS_KEY_ID not set), ` +
				`web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set), profile "default" (not in $DIR/config or $DIR/credentials), ` +
				`container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI not set), ` +
				`EC2 (disabled by AWS_EC2_METADATA_DISABLED); set AWS_PROFILE or use WithProfile`,
			kinds: only(awsauth.NoCredentials), from: network,
		}, {
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
		}, {
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
				`(sent: no external id, an MFA code)`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
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
		}, {
			name: "7. MFA needed", make: func(w *lab.Place) error { w.MFAProfile(); return w.JustNew(awsauth.WithProfile("admin")) },
			says: `awsauth: profile "admin" requires MFA with arn:aws:iam::111111111111:mfa/ana; use a profile without mfa_serial, ` +
				`or pass a token provider with WithLoadOptions(config.WithAssumeRoleCredentialOptions(…))`,
			kinds: only(awsauth.MFARequired), new: true,
		}, {
			name: "7. wrong MFA code",
			make: func(w *lab.Place) error {
				w.MFAProfile()
				return w.Fetch(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return "000000", nil }))
			},
			says:  `awsauth: assume role $BASE: STS refused the MFA code for arn:aws:iam::111111111111:mfa/ana; each code works once, wait for the next one`,
			kinds: only(awsauth.MFARequired), from: service,
		}, {
			name: "7. unknown MFA device",
			make: func(w *lab.Place) error {
				w.MFAProfile()
				w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci"), MFASerial: w.ARN(lab.Home, "mfa/another")})
				return w.Fetch(awsauth.WithProfile("admin"), w.MFAFrom(func() (string, error) { return "000000", nil }))
			},
			says: `awsauth: assume role $BASE: STS knows no MFA device arn:aws:iam::111111111111:mfa/ana of this user; ` +
				`check mfa_serial against the user's devices in IAM`,
			kinds: only(awsauth.MFARequired), from: service,
		}, {
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
		}, {
			name: "11. throttled",
			make: func(w *lab.Place) error {
				w.Down(awsauthtest.Throttle)
				return w.Fetch(w.Static(), awsauth.WithAccount(lab.Target))
			},
			says: `awsauth: assume role $MANAGE: throttled by STS in us-east-1, gave up after 8 attempts in $TIME; ` +
				`keep one Session per role instead of calling New for each task, or run fewer accounts at once`,
			kinds: only(awsauth.Throttled), from: service,
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

// beyond are mistakes that ERRORS.md does not list.
func beyond() []mistake {
	return slices.Concat(webMistakes(), containerMistakes(), processMistakes(), ssoMistakes(), stsMistakes())
}

func webMistakes() []mistake {
	web := []string{"AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE"}
	return []mistake{
		{
			name: "web identity token file missing",
			make: func(w *lab.Place) error { w.Env(web...); return w.Fetch() },
			says: `awsauth: web identity: the token file cannot be read: $DIR/token: no such file or directory; ` +
				`check AWS_WEB_IDENTITY_TOKEN_FILE and that the token is mounted`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "web identity token file of a profile missing",
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
				return w.Fetch(awsauth.WithProfile("ops"))
			},
			says: `awsauth: profile "ops" (web identity): the token file cannot be read: $DIR/token: no such file or directory; ` +
				`check web_identity_token_file and that the token is mounted`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "web identity token expired",
			make: func(w *lab.Place) error {
				w.Write("token", w.WebIdentityToken(lab.Issuer, "repo:corp/app", -time.Minute))
				w.Env(web...)
				return w.Fetch()
			},
			says: `awsauth: assume role $BASE: the web identity token of $DIR/token has expired: ` +
				`Token expired: current date/time 946684800 must be before the expiration date/time 946684740 (ExpiredTokenException); ` +
				`check that what writes the token still renews it, and that this machine's clock is right`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "web identity token that is none",
			make: func(w *lab.Place) error { w.Write("token", "not.a.token"); w.Env(web...); return w.Fetch() },
			says: `awsauth: assume role $BASE: STS does not accept the web identity token of $DIR/token: ` +
				`Couldn't retrieve verification key from your identity provider, or the signature is not its own (InvalidIdentityToken); ` +
				`check that it is a token of the issuer and audience that the role's trust policy names`,
			kinds: only(awsauth.InvalidKey), from: service,
		}, {
			name: "web identity token of an issuer that the role does not trust",
			make: func(w *lab.Place) error {
				w.Write("token", w.WebIdentityToken("elsewhere.example.com", "repo:corp/app", time.Hour))
				w.Env(web...)
				return w.Fetch()
			},
			says: `awsauth: assume role $BASE: access denied; check that the role exists, ` +
				`and that its trust policy names the token's issuer, audience and subject`,
			kinds: only(awsauth.AccessDenied), from: service,
		},
	}
}

func containerMistakes() []mistake {
	refused := func(status int) func(w *lab.Place) error {
		return func(w *lab.Place) error {
			w.InContainer()
			w.Inject(awsauthtest.Fault{Action: "GetCredentials", Kind: awsauthtest.Refuse, Status: status})
			return w.Fetch()
		}
	}
	return []mistake{
		{
			name: "container refuses, 401", make: refused(http.StatusUnauthorized),
			says: `awsauth: container: the container's credentials endpoint refuses (HTTP 401): Access denied; ` +
				`check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`,
			kinds: only(awsauth.NoCredentials, awsauth.AccessDenied),
		}, {
			name: "container refuses, 403", make: refused(http.StatusForbidden),
			says: `awsauth: container: the container's credentials endpoint refuses (HTTP 403): Access denied; ` +
				`check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`,
			kinds: only(awsauth.NoCredentials, awsauth.AccessDenied),
		}, {
			name: "container fails, 500", make: refused(http.StatusInternalServerError),
			says: `awsauth: container: the container's credentials endpoint answered HTTP 500; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and the role of the task or pod`,
			kinds: only(awsauth.NoCredentials, awsauth.Unreachable),
		}, {
			name: "nothing there in place of the container",
			make: func(w *lab.Place) error { w.InContainer(); w.SetContainer(nil); return w.Fetch() },
			says: `awsauth: container: the container's credentials endpoint does not answer; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, and that this runs in the container it was set for`,
			kinds: only(awsauth.NoCredentials, awsauth.Unreachable),
		}, {
			name: "container answers half",
			make: func(w *lab.Place) error {
				w.InContainer()
				w.Inject(awsauthtest.Fault{Action: "GetCredentials", Kind: awsauthtest.Malformed})
				return w.Fetch()
			},
			says: `awsauth: container: what the container's credentials endpoint answered is not JSON; ` +
				`check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`,
			kinds: only(awsauth.NoCredentials),
		},
	}
}

func processMistakes() []mistake {
	process := func(command string) func(w *lab.Place) error {
		return func(w *lab.Place) error {
			w.Files("[profile ops]\ncredential_process = "+command+"\n", "")
			return w.Fetch(awsauth.WithProfile("ops"))
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
			make: func(w *lab.Place) error {
				w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\ncredential_process = echo password: $SECRET\n", "")
				return w.Fetch(awsauth.WithProfile("ops"))
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
			make: func(w *lab.Place) error {
				w.SSOProfile()
				w.SSOToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.Refuse, Code: "ForbiddenException", Message: "No access"})
				return w.Fetch(awsauth.WithProfile("dev"))
			},
			says: `awsauth: profile "dev": SSO gives no access to this account and role; ` +
				`check sso_account_id and sso_role_name, and that the user is assigned to them`,
			kinds: only(awsauth.AccessDenied), from: service,
		}, {
			name: "SSO does not accept the token",
			make: func(w *lab.Place) error {
				w.SSOProfile()
				w.SSOToken("corp", time.Hour)
				return w.Fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO session "corp" has ended; run: aws sso login --profile dev`,
			kinds: only(awsauth.Expired), from: service,
		}, {
			name: "SSO throttles",
			make: func(w *lab.Place) error {
				w.SSOProfile()
				w.SSOToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.Refuse, Status: 429, Code: "TooManyRequestsException"})
				return w.Fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": throttled by SSO, gave up after 3 attempts; try again later`,
			kinds: only(awsauth.Throttled), from: service,
		}, {
			name: "SSO fails",
			make: func(w *lab.Place) error {
				w.SSOProfile()
				w.SSOToken("corp", time.Hour)
				w.Inject(awsauthtest.Fault{Action: "GetRoleCredentials", Kind: awsauthtest.ServerError})
				return w.Fetch(awsauth.WithProfile("dev"))
			},
			says:  `awsauth: profile "dev": SSO fails (HTTP 503), gave up after 3 attempts; try again later`,
			kinds: only(awsauth.Unreachable), from: service,
		},
	}
}

package awsauth_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

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
			says: `awsauth: container: the container's credentials endpoint answered HTTP 500: Access denied; ` +
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
			says: `awsauth: profile "ops" (process): the keys that were returned have an Expiration that is years ago, as if none was set; ` +
				`correct it where the keys come from, or leave it out for keys that do not expire`,
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

// providerMistakes are those of the caller's own provider, of an instance and of a login.
func providerMistakes() []mistake {
	return []mistake{
		{
			name: "the caller's own provider fails",
			make: func(w *lab.Place) error {
				return w.Fetch(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, errors.New("redis: no such key")
				})))
			},
			says:  `awsauth: provider: redis: no such key`,
			kinds: only(awsauth.NoCredentials),
		}, {
			name: "the caller's own provider has no keys",
			make: func(w *lab.Place) error {
				return w.Fetch(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
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

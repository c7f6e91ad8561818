package lab

import (
	"strings"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Source is one place that an identity can come from. Its texts are filled
// in by Place.Text; "$REGION" is a line that names the profile's region, or
// nothing.
type Source struct {
	Name                string
	Config, Credentials string
	Variables           []string
	Opts                func(*Place) []awsauth.Option
	Setup               func(*Place)
	Role                string   // the role that the source leads to by itself; "" for the user
	Calls               []string // what that takes, with HOST and REGION; nil for nothing
	Service             bool     // keys of a service: STS did not say whose they are
	FromInstance        bool     // the region, too, comes from the source
}

func profileOps(*Place) []awsauth.Option {
	return []awsauth.Option{awsauth.WithProfile("ops")}
}

// KeyLines are the user's keys, in a shared file.
const KeyLines = "aws_access_key_id = $ID\naws_secret_access_key = $SECRET\n"

// SomePair are keys that nobody issued, in a shared file.
const SomePair = "aws_access_key_id = " + SomeID + "\naws_secret_access_key = " + SomeSecret + "\n"

// KeyEnv are the user's keys, in the environment.
var KeyEnv = []string{"AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET"}

// SomeEnv are keys that nobody issued, in the environment.
var SomeEnv = []string{"AWS_ACCESS_KEY_ID=" + SomeID, "AWS_SECRET_ACCESS_KEY=" + SomeSecret}

// baseCall assumes the base role with the user's keys.
const baseCall = "AssumeRole/base HOST REGION user"

// Sources lists those that work in every partition.
func Sources() []Source {
	return append(append(optionSources(), environmentSources()...), append(ProfileSources(), machineSources()...)...)
}

// EverySource lists Sources, and what works in partition aws alone.
func EverySource() []Source {
	return append(Sources(), Source{
		Name: "login", Config: "[profile ops]\n$REGION\nlogin_session = " + LoginSession + "\n", Opts: profileOps,
		Setup: (*Place).LoggedIn, Service: true, Role: "base",
	})
}

func optionSources() []Source {
	return []Source{
		{
			Name: "static keys", Config: "[default]\n$REGION\n",
			Opts: func(w *Place) []awsauth.Option { return []awsauth.Option{w.Static()} },
		}, {
			Name: "static keys with a token", Config: "[default]\n$REGION\n",
			Opts: func(w *Place) []awsauth.Option {
				k := w.SessionKeys()
				return []awsauth.Option{awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)}
			},
			Role: "base", Service: true,
		}, {
			Name: "provider", Config: "[default]\n$REGION\n",
			Opts: func(w *Place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithCredentialsProvider(w.Keys.Provider())}
			},
		}, {
			Name:   "profile with keys in the config file",
			Config: "[profile ops]\n$REGION\n" + KeyLines, Opts: profileOps,
		}, {
			Name:   "profile with keys in the credentials file",
			Config: "[profile ops]\n$REGION\n", Credentials: "[ops]\n" + KeyLines, Opts: profileOps,
		},
	}
}

func environmentSources() []Source {
	return []Source{
		{
			Name: "environment", Config: "[default]\n$REGION\n",
			Variables: KeyEnv,
		}, {
			Name: "environment, old names", Config: "[default]\n$REGION\n",
			Variables: []string{"AWS_ACCESS_KEY=$ID", "AWS_SECRET_KEY=$SECRET"},
		}, {
			Name: "AWS_PROFILE", Config: "[profile ops]\n$REGION\n" + KeyLines, Variables: []string{"AWS_PROFILE=ops"},
		}, {
			Name: "AWS_DEFAULT_PROFILE", Config: "[profile ops]\n$REGION\n" + KeyLines, Variables: []string{"AWS_DEFAULT_PROFILE=ops"},
		}, {
			Name: "default profile of the config file", Config: "[default]\n$REGION\n" + KeyLines,
		}, {
			Name: "default profile of the credentials file", Config: "[default]\n$REGION\n", Credentials: "[default]\n" + KeyLines,
		}, {
			Name: "web identity", Config: "[default]\n$REGION\n", Setup: (*Place).WebToken,
			Variables: []string{"AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE"},
			Role:      "base", Calls: []string{"AssumeRoleWithWebIdentity/base HOST unsigned"},
		},
	}
}

// ProfileSources are those that a profile names.
func ProfileSources() []Source {
	return []Source{
		{
			Name:   "source_profile",
			Config: "[profile ops]\n$REGION\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + KeyLines, Opts: profileOps,
			Role: "base", Calls: []string{baseCall},
		}, {
			Name: "source_profile of a source_profile",
			Config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\nsource_profile = first\n" +
				"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + KeyLines,
			Opts: profileOps, Role: "middle", Calls: []string{baseCall, "AssumeRole/middle HOST REGION session"},
		}, {
			Name:   "source_profile that is the profile itself",
			Config: "[profile ops]\n$REGION\nrole_arn = $BASE\nsource_profile = ops\n" + KeyLines, Opts: profileOps,
			Role: "base", Calls: []string{baseCall},
		}, {
			Name:   "credential_source Environment",
			Config: "[profile ops]\n$REGION\nrole_arn = $BASE\ncredential_source = Environment\n", Opts: profileOps,
			Variables: KeyEnv,
			Role:      "base", Calls: []string{baseCall},
		}, {
			Name:   "credential_source EcsContainer",
			Config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\ncredential_source = EcsContainer\n", Opts: profileOps,
			Setup: (*Place).InContainer,
			Role:  "middle", Calls: []string{"GetCredentials 169.254.170.2 unsigned", "AssumeRole/middle HOST REGION session"},
		}, {
			Name:   "credential_source Ec2InstanceMetadata",
			Config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n", Opts: profileOps,
			Setup: (*Place).OnInstance, FromInstance: true,
			Role: "middle", Calls: []string{
				"GetToken 169.254.169.254 unsigned", "GetRole 169.254.169.254 unsigned",
				"GetCredentials 169.254.169.254 unsigned", "AssumeRole/middle HOST REGION session",
			},
		}, {
			Name:   "web identity of a profile",
			Config: "[profile ops]\n$REGION\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", Opts: profileOps,
			Setup: (*Place).WebToken,
			Role:  "base", Calls: []string{"AssumeRoleWithWebIdentity/base HOST unsigned"},
		}, {
			Name: "process", Config: "[profile ops]\n$REGION\ncredential_process = cat \"$DIR/keys.json\"\n", Opts: profileOps,
			Setup: func(w *Place) {
				w.Write("keys.json", `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET"}`)
			},
		}, {
			Name: "SSO session",
			Config: "[profile ops]\n$REGION\nsso_session = corp\nsso_account_id = " + Home + "\nsso_role_name = base\n" +
				"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = $SSOREGION\n",
			Opts: profileOps, Setup: func(w *Place) { w.SSOLogin("corp") },
			Role: "base", Service: true, Calls: []string{"GetRoleCredentials portal.sso.DOMAIN unsigned"},
		}, {
			Name: "SSO, old form",
			Config: "[profile ops]\n$REGION\nsso_account_id = " + Home + "\nsso_role_name = base\n" +
				"sso_start_url = https://corp.awsapps.com/start\nsso_region = $SSOREGION\n",
			Opts: profileOps, Setup: func(w *Place) { w.SSOLogin("https://corp.awsapps.com/start") },
			Role: "base", Service: true, Calls: []string{"GetRoleCredentials portal.sso.DOMAIN unsigned"},
		},
	}
}

func machineSources() []Source {
	return []Source{
		{
			Name: "container", Config: "[default]\n$REGION\n", Setup: (*Place).InContainer,
			Role: "base", Service: true, Calls: []string{"GetCredentials 169.254.170.2 unsigned"},
		}, {
			Name: "container, full URI and token", Config: "[default]\n$REGION\n",
			Setup: func(w *Place) {
				w.SetContainer(&awsauthtest.Container{RoleARN: w.ARN(Home, "role/base"), Token: "Basic b3Bz"})
			},
			Variables: []string{
				"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials",
				"AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic b3Bz",
			},
			Role: "base", Service: true, Calls: []string{"GetCredentials 169.254.170.23 unsigned"},
		}, {
			Name: "EC2", Config: "[default]\n$REGION\n", Setup: (*Place).OnInstance, FromInstance: true,
			Role: "base", Service: true, Calls: []string{
				"GetToken 169.254.169.254 unsigned", "GetRole 169.254.169.254 unsigned", "GetCredentials 169.254.169.254 unsigned",
			},
		},
	}
}

// Fill sets the place up as the source has it, with region as the profile's
// (none if empty), and returns the source's options.
func (b Source) Fill(w *Place, region string) (opts []awsauth.Option) {
	w.T.Helper()
	if b.Setup != nil {
		b.Setup(w)
	}
	w.Env(b.Variables...)
	w.Files(b.ProfileText(w, region), b.Credentials)
	if b.Opts != nil {
		opts = b.Opts(w)
	}
	return opts
}

// Again is the source's options once more; its place is set up.
func (b Source) Again(w *Place) []awsauth.Option {
	if b.Opts == nil {
		return nil
	}
	return b.Opts(w)
}

// ProfileText is the config file, with the region line in its place.
func (b Source) ProfileText(w *Place, region string) string {
	line := ""
	if region != "" {
		line = "region = " + region
	}
	return strings.NewReplacer("$SSOREGION", DefaultRegion(w.Partition), "$REGION", line).Replace(b.Config)
}

// Wire fills host and scope into a source's calls.
func (b Source) Wire(region string) (lines []string) {
	domain := strings.TrimPrefix(STSHost(region), "sts.")
	for _, c := range b.Calls {
		lines = append(lines, strings.NewReplacer("HOST", STSHost(region), "DOMAIN", domain, "REGION", region).Replace(c))
	}
	return lines
}

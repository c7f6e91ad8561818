package awsauth_test

import (
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// baseSource is one place that an identity can come from. Its texts are filled
// in by place.text; "$REGION" is a line that names the profile's region, or
// nothing.
type baseSource struct {
	name                string
	config, credentials string
	env                 []string
	opts                func(*place) []awsauth.Option
	setup               func(*place)
	role                string   // the role that the source leads to by itself; "" for the user
	calls               []string // what that takes, with HOST and REGION; nil for nothing
	service             bool     // keys of a service: STS did not say whose they are
	fromInstance        bool     // the region, too, comes from the source
}

func profileOps(*place) []awsauth.Option {
	return []awsauth.Option{awsauth.WithProfile("ops")}
}

const (
	keyLines = "aws_access_key_id = $ID\naws_secret_access_key = $SECRET\n"
	baseCall = "AssumeRole/base HOST REGION user"
)

// baseSources lists them all.
func baseSources() []baseSource {
	return append(append(optionSources(), environmentSources()...), append(profileSources(), machineSources()...)...)
}

func optionSources() []baseSource {
	return []baseSource{
		{
			name: "static keys", config: "[default]\n$REGION\n",
			opts: func(w *place) []awsauth.Option { return []awsauth.Option{w.static()} },
		}, {
			name: "static keys with a token", config: "[default]\n$REGION\n",
			opts: func(w *place) []awsauth.Option {
				k := w.sessionKeys()
				return []awsauth.Option{awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)}
			},
			role: "base", service: true,
		}, {
			name: "provider", config: "[default]\n$REGION\n",
			opts: func(w *place) []awsauth.Option {
				return []awsauth.Option{awsauth.WithCredentialsProvider(w.keys.Provider())}
			},
		}, {
			name:   "profile with keys in the config file",
			config: "[profile ops]\n$REGION\n" + keyLines, opts: profileOps,
		}, {
			name:   "profile with keys in the credentials file",
			config: "[profile ops]\n$REGION\n", credentials: "[ops]\n" + keyLines, opts: profileOps,
		},
	}
}

func environmentSources() []baseSource {
	return []baseSource{
		{
			name: "environment", config: "[default]\n$REGION\n",
			env: []string{"AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET"},
		}, {
			name: "environment, old names", config: "[default]\n$REGION\n",
			env: []string{"AWS_ACCESS_KEY=$ID", "AWS_SECRET_KEY=$SECRET"},
		}, {
			name: "AWS_PROFILE", config: "[profile ops]\n$REGION\n" + keyLines, env: []string{"AWS_PROFILE=ops"},
		}, {
			name: "AWS_DEFAULT_PROFILE", config: "[profile ops]\n$REGION\n" + keyLines, env: []string{"AWS_DEFAULT_PROFILE=ops"},
		}, {
			name: "default profile of the config file", config: "[default]\n$REGION\n" + keyLines,
		}, {
			name: "default profile of the credentials file", config: "[default]\n$REGION\n", credentials: "[default]\n" + keyLines,
		}, {
			name: "web identity", config: "[default]\n$REGION\n", setup: (*place).webToken,
			env:  []string{"AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE"},
			role: "base", calls: []string{"AssumeRoleWithWebIdentity/base HOST unsigned"},
		},
	}
}

func profileSources() []baseSource {
	return []baseSource{
		{
			name:   "source_profile",
			config: "[profile ops]\n$REGION\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + keyLines, opts: profileOps,
			role: "base", calls: []string{baseCall},
		}, {
			name: "source_profile of a source_profile",
			config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\nsource_profile = first\n" +
				"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + keyLines,
			opts: profileOps, role: "middle", calls: []string{baseCall, "AssumeRole/middle HOST REGION session"},
		}, {
			name:   "source_profile that is the profile itself",
			config: "[profile ops]\n$REGION\nrole_arn = $BASE\nsource_profile = ops\n" + keyLines, opts: profileOps,
			role: "base", calls: []string{baseCall},
		}, {
			name:   "credential_source Environment",
			config: "[profile ops]\n$REGION\nrole_arn = $BASE\ncredential_source = Environment\n", opts: profileOps,
			env:  []string{"AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET"},
			role: "base", calls: []string{baseCall},
		}, {
			name:   "credential_source EcsContainer",
			config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\ncredential_source = EcsContainer\n", opts: profileOps,
			setup: (*place).container,
			role:  "middle", calls: []string{"GetCredentials 169.254.170.2 unsigned", "AssumeRole/middle HOST REGION session"},
		}, {
			name:   "credential_source Ec2InstanceMetadata",
			config: "[profile ops]\n$REGION\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n", opts: profileOps,
			setup: (*place).instance, fromInstance: true,
			role: "middle", calls: []string{
				"GetToken 169.254.169.254 unsigned", "GetRole 169.254.169.254 unsigned",
				"GetCredentials 169.254.169.254 unsigned", "AssumeRole/middle HOST REGION session",
			},
		}, {
			name:   "web identity of a profile",
			config: "[profile ops]\n$REGION\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", opts: profileOps,
			setup: (*place).webToken,
			role:  "base", calls: []string{"AssumeRoleWithWebIdentity/base HOST unsigned"},
		}, {
			name: "process", config: "[profile ops]\n$REGION\ncredential_process = cat \"$DIR/keys.json\"\n", opts: profileOps,
			setup: func(w *place) {
				w.write("keys.json", `{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET"}`)
			},
		}, {
			name: "SSO session",
			config: "[profile ops]\n$REGION\nsso_session = corp\nsso_account_id = " + home + "\nsso_role_name = base\n" +
				"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = $SSOREGION\n",
			opts: profileOps, setup: func(w *place) { w.login("corp") },
			role: "base", service: true, calls: []string{"GetRoleCredentials portal.sso.DOMAIN unsigned"},
		}, {
			name: "SSO, old form",
			config: "[profile ops]\n$REGION\nsso_account_id = " + home + "\nsso_role_name = base\n" +
				"sso_start_url = https://corp.awsapps.com/start\nsso_region = $SSOREGION\n",
			opts: profileOps, setup: func(w *place) { w.login("https://corp.awsapps.com/start") },
			role: "base", service: true, calls: []string{"GetRoleCredentials portal.sso.DOMAIN unsigned"},
		},
	}
}

func machineSources() []baseSource {
	return []baseSource{
		{
			name: "container", config: "[default]\n$REGION\n", setup: (*place).container,
			role: "base", service: true, calls: []string{"GetCredentials 169.254.170.2 unsigned"},
		}, {
			name: "container, full URI and token", config: "[default]\n$REGION\n",
			setup: func(w *place) {
				w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base"), Token: "Basic b3Bz"})
			},
			env: []string{
				"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials",
				"AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic b3Bz",
			},
			role: "base", service: true, calls: []string{"GetCredentials 169.254.170.23 unsigned"},
		}, {
			name: "EC2", config: "[default]\n$REGION\n", setup: (*place).instance, fromInstance: true,
			role: "base", service: true, calls: []string{
				"GetToken 169.254.169.254 unsigned", "GetRole 169.254.169.254 unsigned", "GetCredentials 169.254.169.254 unsigned",
			},
		},
	}
}

// write puts a file into the place's directory.
func (w *place) write(name, text string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(w.text(text)), 0o600))
}

func (w *place) webToken() {
	w.t.Helper()
	w.write("token", w.WebIdentityToken(issuer, "repo:corp/app", time.Hour))
}

func (w *place) container() {
	w.t.Helper()
	w.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=" + w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base")}))
}

func (w *place) instance() {
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Region: regionsOf[w.p].second})
}

// login leaves behind what `aws sso login` does.
func (w *place) login(key string) {
	w.t.Helper()
	w.t.Setenv("HOME", w.dir)
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	require.NoError(w.t, err)
	if rel, err := filepath.Rel(w.dir, path); err != nil || !filepath.IsLocal(rel) {
		w.t.Skip("the SDK does not take its SSO token from $HOME on this system")
	}
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	token := `{"accessToken": "sso-token", "expiresAt": "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`
	require.NoError(w.t, os.WriteFile(path, []byte(token), 0o600))
	w.AddSSO("sso-token", regionsOf[w.p].main, w.arn(home, "role/base"))
}

// sessionKeys are temporary keys of the base role, as somebody passes them on.
func (w *place) sessionKeys() awsauthtest.Keys {
	w.t.Helper()
	s := w.open(w.static(), awsauth.WithRoleARN(w.arn(home, "role/base")))
	c, err := s.Retrieve(w.t.Context())
	require.NoError(w.t, err)
	w.ResetCalls()
	return awsauthtest.Keys{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// regionsOf are two regions of each partition, the default one first.
var regionsOf = map[awsauth.Partition]struct{ main, second string }{
	awsauth.AWS:         {"us-east-1", "eu-west-3"},
	awsauth.China:       {"cn-north-1", "cn-northwest-1"},
	awsauth.GovCloud:    {"us-gov-west-1", "us-gov-east-1"},
	awsauth.EUSovereign: {"eusc-de-east-1", "eusc-de-east-9"},
	awsauth.ISO:         {"us-iso-east-1", "us-iso-west-1"},
	awsauth.ISOB:        {"us-isob-east-1", "us-isob-west-1"},
	awsauth.ISOE:        {"eu-isoe-west-1", "eu-isoe-west-9"},
	awsauth.ISOF:        {"us-isof-south-1", "us-isof-east-1"},
}

// fill sets the place up as the source has it, with region as the profile's
// (none if empty), and returns the source's options.
func (b baseSource) fill(w *place, region string) (opts []awsauth.Option) {
	w.t.Helper()
	if b.setup != nil {
		b.setup(w)
	}
	w.env(b.env...)
	w.files(b.profileText(w, region), b.credentials)
	if b.opts != nil {
		opts = b.opts(w)
	}
	return opts
}

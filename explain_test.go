package awsauth_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// sourceRows is how many places there are to look at.
const sourceRows = 8

// explained is what Explain must say of a source: the row that is used, its
// detail, and the mark that the SDK's provider leaves in what it returns.
type explained struct{ row, detail, sdk string }

const option = `profile (option)`

// explanations are those of baseSources, by name.
var explanations = map[string]explained{
	"static keys":                          {"static keys (option)", "access key $KEY", "StaticCredentials"},
	"static keys with a token":             {"static keys (option)", "access key $SESSION", "StaticCredentials"},
	"provider":                             {"provider (option)", "aws.CredentialsProviderFunc", "awsauthtest"},
	"profile with keys in the config file": {option, `profile "ops": access key $KEY in $DIR/config`, "SharedConfigCredentials: $DIR/config"},
	"profile with keys in the credentials file": {
		option, `profile "ops": access key $KEY in $DIR/credentials`, "SharedConfigCredentials: $DIR/credentials",
	},
	"environment":            {"environment", "access key $KEY in AWS_ACCESS_KEY_ID", "EnvConfigCredentials"},
	"environment, old names": {"environment", "access key $KEY in AWS_ACCESS_KEY", "EnvConfigCredentials"},
	"AWS_PROFILE":            {`profile "ops" (AWS_PROFILE)`, "access key $KEY in $DIR/config", "SharedConfigCredentials: $DIR/config"},
	"AWS_DEFAULT_PROFILE":    {`profile "ops" (AWS_DEFAULT_PROFILE)`, "access key $KEY in $DIR/config", "SharedConfigCredentials: $DIR/config"},
	"default profile of the config file": {
		`profile "default"`, "access key $KEY in $DIR/config", "SharedConfigCredentials: $DIR/config",
	},
	"default profile of the credentials file": {
		`profile "default"`, "access key $KEY in $DIR/credentials", "SharedConfigCredentials: $DIR/credentials",
	},
	"web identity":                       {"web identity", "token file $DIR/token", "WebIdentityCredentials"},
	"source_profile":                     {option, `profile "ops": access key $KEY in $DIR/config of source profile keys`, "AssumeRoleProvider"},
	"source_profile of a source_profile": {option, `profile "ops": access key $KEY in $DIR/config of source profile keys`, "AssumeRoleProvider"},
	"source_profile that is the profile itself": {
		option, `profile "ops": access key $KEY in $DIR/config of source profile ops`, "AssumeRoleProvider",
	},
	"credential_source Environment":         {option, `profile "ops": access key $KEY in AWS_ACCESS_KEY_ID`, "AssumeRoleProvider"},
	"credential_source EcsContainer":        {option, `profile "ops": AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, "AssumeRoleProvider"},
	"credential_source Ec2InstanceMetadata": {option, `profile "ops": http://169.254.169.254`, "AssumeRoleProvider"},
	"web identity of a profile":             {option, `profile "ops": token file $DIR/token`, "WebIdentityCredentials"},
	"process":                               {option, `profile "ops": credential_process`, "ProcessProvider"},
	"SSO session":                           {option, `profile "ops": SSO session "corp"`, "SSOProvider"},
	"SSO, old form":                         {option, `profile "ops": SSO session "https://corp.awsapps.com/start"`, "SSOProvider"},
	"container":                             {"container", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "CredentialsEndpointProvider"},
	"container, full URI and token":         {"container", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "CredentialsEndpointProvider"},
	"EC2":                                   {"EC2", "http://169.254.169.254", "EC2RoleProvider"},
	"login":                                 {option, `profile "ops": login`, "LoginProvider"},
}

// explainSources are baseSources and what cannot be done in every partition.
func explainSources() []baseSource {
	return append(baseSources(), baseSource{
		name: "login", config: "[profile ops]\n$REGION\nlogin_session = " + loginSession + "\n", opts: profileOps,
		setup: (*place).loggedIn, service: true, role: "base",
	})
}

const loginSession = "arn:aws:iam::111111111111:user/ana"

// loggedIn leaves behind what `aws login` does.
func (w *place) loggedIn() {
	w.t.Helper()
	w.t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", w.dir)
	path, err := logincreds.StandardCachedTokenFilepath(loginSession, w.dir)
	require.NoError(w.t, err)
	k := w.sessionKeys()
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{
			"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
			"accountId": home, "expiresAt": time.Now().Add(10 * time.Minute).UTC(),
		},
		"tokenType": "aws_sigv4", "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "refresh-me", "dpopKey": "none",
	})
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(path, text, 0o600))
}

// rows are a report's sources, which must be in order: those before the one
// that is used or failed were skipped, those behind it were not tried.
func rows(t *testing.T, r awsauth.Report) (decided awsauth.Step, rest []awsauth.Step) {
	t.Helper()
	require.Greater(t, len(r.Steps), sourceRows)
	found := 0
	for _, step := range r.Steps[:sourceRows] {
		assert.NotEmpty(t, step.Detail, step.Source)
		switch {
		case step.Status == awsauth.Used || step.Status == awsauth.Failed:
			decided = step
			found++
		case found == 0:
			assert.Equal(t, awsauth.Skipped, step.Status, "%s, before the one that is used", step.Source)
		default:
			assert.Contains(t, []awsauth.Status{awsauth.Skipped, awsauth.NotTried}, step.Status, step.Source)
		}
	}
	assert.Equal(t, 1, found, "one source decides:\n%s", r)
	region := r.Steps[sourceRows]
	assert.Equal(t, "region "+r.Region, region.Source)
	assert.Equal(t, awsauth.Used, region.Status)
	assert.Contains(t, region.Detail, r.RegionFrom)
	return decided, r.Steps[sourceRows+1:]
}

// statuses are those of the roles.
func statuses(steps []awsauth.Step) (all []awsauth.Status) {
	for _, step := range steps {
		all = append(all, step.Status)
	}
	return all
}

// explain asks twice, the second time in an environment that has lost
// everything: nothing is read or called, and the answer is the same.
func (w *place) explain(s *awsauth.Session) awsauth.Report {
	w.t.Helper()
	calls := len(w.Calls())
	r := s.Explain()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") || name == "HOME" {
			require.NoError(w.t, os.Unsetenv(name))
			defer os.Setenv(name, value)
		}
	}
	away := w.dir + ".away"
	require.NoError(w.t, os.Rename(w.dir, away))
	assert.Equal(w.t, r, s.Explain())
	require.NoError(w.t, os.Rename(away, w.dir))
	assert.Len(w.t, w.Calls(), calls)
	for line := range strings.Lines(r.String()) {
		for _, secret := range []string{w.keys.SecretAccessKey, w.keys.AccessKeyID} {
			assert.NotContains(w.t, line, secret)
		}
	}
	return r
}

// TestExplainTellsTheTruth walks all sources and holds what Explain says against
// what the SDK did.
func TestExplainTellsTheTruth(t *testing.T) {
	for _, src := range explainSources() {
		t.Run(src.name, func(t *testing.T) {
			want, ok := explanations[src.name]
			require.True(t, ok, "a source without an explanation")
			onAnyClock(t, src.name == "process", func(t *testing.T, w *place) {
				opts := append(src.fill(w, "eu-west-3"), awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithAccount(target))
				child := w.open(opts...)
				base := w.open(append(src.again(w), awsauth.WithRegion("eu-west-3"))...)

				// Before any call.
				w.ResetCalls()
				used, roles := rows(t, w.explain(child))
				detail := w.text(want.detail)
				assert.Equal(t, awsauth.Used, used.Status)
				assert.Equal(t, want.row, used.Source)
				assert.Equal(t, detail, strings.TrimSuffix(w.general(used.Detail), ", not asked for credentials yet"))
				assert.Equal(t, !strings.Contains(detail, "access key"), strings.HasSuffix(used.Detail, ", not asked for credentials yet"))
				for _, role := range roles {
					assert.Equal(t, awsauth.NotTried, role.Status)
					assert.Equal(t, "at sts.eu-west-3.amazonaws.com when credentials are first needed", role.Detail)
				}

				// After a failure.
				mend := w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "AccessDenied"})
				_, err := child.Retrieve(t.Context())
				require.Error(t, err)
				failed, roles := rows(t, w.explain(child))
				assert.Equal(t, want.row, failed.Source)
				states := append([]awsauth.Status{failed.Status}, statuses(roles)...)
				at := slices.Index(states, awsauth.Failed)
				require.GreaterOrEqual(t, at, 0)
				for i, state := range states {
					switch {
					case i < at:
						assert.Equal(t, awsauth.Used, state)
					case i > at:
						assert.Equal(t, awsauth.NotTried, state)
					}
				}
				hops := len(roles) - 1
				switch {
				case strings.HasPrefix(src.name, "SSO"), strings.HasPrefix(src.name, "container"), src.name == "EC2",
					src.name == "credential_source EcsContainer", src.name == "credential_source Ec2InstanceMetadata":
					assert.Equal(t, 0, at, "the source itself was asked and refused")
				case hops > 0:
					assert.Equal(t, 1, at, "the first role of the profile was refused")
				default:
					assert.Equal(t, 1, at, "the role was refused")
				}
				mend()

				// After success, against what was asked of whom.
				again := w.open(opts...)
				w.ResetCalls()
				_, err = again.Retrieve(t.Context())
				require.NoError(t, err)
				used, roles = rows(t, w.explain(again))
				assert.Equal(t, awsauth.Used, used.Status)
				assert.Equal(t, detail, w.general(used.Detail))
				var said []string
				for _, c := range w.Calls("AssumeRole", "AssumeRoleWithWebIdentity") {
					said = append(said, fmt.Sprintf("assume role %s at %s", c.Params.Get("RoleArn"), c.Host))
				}
				require.Len(t, roles, len(said))
				for i, role := range roles {
					assert.Equal(t, awsauth.Used, role.Status)
					host, _, _ := strings.Cut(role.Detail, " as ")
					assert.Equal(t, said[i], role.Source+" "+host)
				}

				creds, err := base.Retrieve(t.Context())
				require.NoError(t, err)
				assert.Equal(t, w.text(want.sdk), creds.Source)
				if strings.Contains(detail, "$KEY") && hops == 0 {
					assert.Equal(t, w.keys.AccessKeyID, creds.AccessKeyID)
				}
			})
		})
	}
}

// again is the source's options once more; its place is set up.
func (b baseSource) again(w *place) []awsauth.Option {
	if b.opts == nil {
		return nil
	}
	return b.opts(w)
}

// TestExplainOrder has every source at once, each with its own identity, and
// takes away the one that is used until none is left.
func TestExplainOrder(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	user := func(name string) awsauthtest.Keys { return w.AddUser(awsauthtest.User{ARN: w.arn(home, "user/"+name)}) }
	lines := func(k awsauthtest.Keys) string {
		return "aws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\n"
	}
	option, keys, provider, environment, profile, byDefault := user("option"), user("keys"), user("provider"), user("environment"), user("profile"), user("default")
	w.files("[profile option]\n"+lines(option)+"[profile ops]\n"+lines(profile)+"[default]\n"+lines(byDefault), "")
	w.webToken()
	w.container()
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/middle"), Region: "us-east-1"})
	w.env("AWS_ACCESS_KEY_ID="+environment.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+environment.SecretAccessKey,
		"AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE", "AWS_PROFILE=ops")
	unset := func(names ...string) func() {
		return func() {
			for _, name := range names {
				require.NoError(t, os.Unsetenv(name))
			}
		}
	}
	opts := []awsauth.Option{
		awsauth.WithProfile("option"), awsauth.WithStaticCredentials(keys.AccessKeyID, keys.SecretAccessKey, ""),
		awsauth.WithCredentialsProvider(provider.Provider()),
	}
	drop := func() { opts = opts[1:] }
	for i, step := range []struct {
		row, who, first string // the row that is used, who that is, and what later rows say
		remove          func()
	}{
		{"profile (option)", "user/option", `profile "option" comes first`, drop},
		{"static keys (option)", "user/keys", "static keys come first", drop},
		{"provider (option)", "user/provider", "provider comes first", drop},
		{"environment", "user/environment", "environment comes first", unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
		{"web identity", "assumed-role/base", "web identity comes first", unset("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")},
		{`profile "ops" (AWS_PROFILE)`, "user/profile", `profile "ops" comes first`, unset("AWS_PROFILE")},
		{`profile "default"`, "user/default", `profile "default" comes first`, func() { w.files("[default]\nregion = us-east-1\n", "") }},
		{"container", "assumed-role/base", "container comes first", unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")},
		{"EC2", "assumed-role/middle", "", func() {}},
	} {
		s := w.open(opts...)
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(shortARN(id.ARN), ":"+step.who), "%s, want %s", id.ARN, step.who)
		r := w.explain(s)
		used, _ := rows(t, r)
		assert.Equal(t, step.row, used.Source)
		behind := r.Steps[slices.Index(r.Steps, used)+1 : sourceRows]
		for _, later := range behind {
			assert.Equal(t, awsauth.Step{Source: later.Source, Status: awsauth.NotTried, Detail: step.first}, later, "row %d", i)
		}
		step.remove()
	}
}

// TestExplainNothing is case 1 of ERRORS.md, before and after.
func TestExplainNothing(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.files("", "")
		w.instance()
		w.Inject(awsauthtest.Fault{Match: ofMetadata, Kind: awsauthtest.Hang})
		s := w.open(awsauth.WithRegion("us-east-1"), awsauth.WithAccount(target))
		table := func(source, role string) string {
			return w.text(`SKIPPED     profile (option)                                         WithProfile not given
SKIPPED     static keys (option)                                     WithStaticCredentials not given
SKIPPED     provider (option)                                        WithCredentialsProvider not given
SKIPPED     environment                                              AWS_ACCESS_KEY_ID not set
SKIPPED     web identity                                             AWS_WEB_IDENTITY_TOKEN_FILE not set
SKIPPED     profile "default"                                        not in $DIR/config, $DIR/credentials
SKIPPED     container                                                AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI not set
` + source + `
USED        region us-east-1                                         from WithRegion
NOT TRIED   assume role arn:aws:iam::123456789012:role/manage-role   ` + role + "\n")
		}
		assert.Equal(t, table("USED        EC2                                                      http://169.254.169.254, not asked for credentials yet",
			"at sts.us-east-1.amazonaws.com when credentials are first needed"), s.Explain().String())
		_, err := s.Retrieve(t.Context())
		require.Error(t, err)
		assert.Equal(t, table("FAILED      EC2                                                      http://169.254.169.254 did not answer within 2s",
			"no base credentials"), s.Explain().String())
	})
}

// TestExplainDisabled: nothing is left to ask, which is known before it is tried.
func TestExplainDisabled(t *testing.T) {
	for _, by := range []string{"AWS_EC2_METADATA_DISABLED", "config.WithEC2IMDSClientEnableState"} {
		w := newPlace(t, awsauth.AWS)
		w.files("[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", "")
		var opts []awsauth.Option
		if by != "AWS_EC2_METADATA_DISABLED" {
			w.env("AWS_EC2_METADATA_DISABLED=false")
			opts = append(opts, awsauth.WithLoadOptions(config.WithEC2IMDSClientEnableState(imds.ClientDisabled)))
		}
		s := w.open(append(opts, awsauth.WithAccount(target))...)
		for range 2 {
			failed, roles := rows(t, w.explain(s))
			assert.Equal(t, awsauth.Step{Source: "EC2", Status: awsauth.Failed, Detail: "disabled by " + by}, failed)
			assert.Equal(t, []awsauth.Step{{
				Source: "assume role " + manageRole, Status: awsauth.NotTried, Detail: "no base credentials",
			}}, roles)
			_, err := s.Retrieve(t.Context())
			requireBad(t, err, awsauth.NoCredentials, "EC2 (disabled by "+by+")")
		}
		s = w.open(append(opts, awsauth.WithProfile("ops"))...)
		failed, roles := rows(t, w.explain(s))
		assert.Equal(t, awsauth.Step{Source: "profile (option)", Status: awsauth.Failed, Detail: `profile "ops": disabled by ` + by}, failed)
		assert.Equal(t, "no credentials to assume it with", roles[0].Detail)
	}
}

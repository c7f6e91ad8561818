package awsauth_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

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

// statuses are those of the roles.
func statuses(steps []awsauth.Step) (all []awsauth.Status) {
	for _, step := range steps {
		all = append(all, step.Status)
	}
	return all
}

// TestExplainOrder has every source at once, each with its own identity, and
// takes away the one that is used until none is left.
func TestExplainOrder(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	user := func(name string) awsauthtest.Keys {
		return w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/"+name)})
	}
	lines := func(k awsauthtest.Keys) string {
		return "aws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\n"
	}
	option, keys, provider, environment, profile, byDefault := user("option"), user("keys"), user("provider"), user("environment"), user("profile"), user("default")
	w.Files("[profile option]\n"+lines(option)+"[profile ops]\n"+lines(profile)+"[default]\n"+lines(byDefault), "")
	w.WebToken()
	w.InContainer()
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/middle"), Region: "us-east-1"})
	w.Env("AWS_ACCESS_KEY_ID="+environment.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+environment.SecretAccessKey,
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
		{`profile "default"`, "user/default", `profile "default" comes first`, func() { w.Files("[default]\nregion = us-east-1\n", "") }},
		{"container", "assumed-role/base", "container comes first", unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")},
		{"EC2", "assumed-role/middle", "", func() {}},
	} {
		s := w.Open(opts...)
		id, err := s.Identity(t.Context())
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(lab.ShortARN(id.ARN), ":"+step.who), "%s, want %s", id.ARN, step.who)
		r := w.Explain(s)
		used, _ := lab.Rows(t, r)
		assert.Equal(t, step.row, used.Source)
		behind := r.Steps[slices.Index(r.Steps, used)+1 : lab.SourceRows]
		for _, later := range behind {
			assert.Equal(t, awsauth.Step{Source: later.Source, Status: awsauth.NotTried, Detail: step.first}, later, "row %d", i)
		}
		step.remove()
	}
}

// TestExplainNothing is case 1 of ERRORS.md, before and after.
func TestExplainNothing(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Files("", "")
		w.OnInstance()
		w.Inject(awsauthtest.Fault{Match: lab.OfMetadata, Kind: awsauthtest.Hang})
		s := w.Open(awsauth.WithRegion("us-east-1"), awsauth.WithAccount(lab.Target))
		table := func(source, role string) string {
			return w.Text(`SKIPPED     profile (option)                                         WithProfile not given
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
		w := lab.New(t, awsauth.AWS)
		w.Files("[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", "")
		var opts []awsauth.Option
		if by != "AWS_EC2_METADATA_DISABLED" {
			w.Env("AWS_EC2_METADATA_DISABLED=false")
			opts = append(opts, awsauth.WithLoadOptions(config.WithEC2IMDSClientEnableState(imds.ClientDisabled)))
		}
		s := w.Open(append(opts, awsauth.WithAccount(lab.Target))...)
		for range 2 {
			failed, roles := lab.Rows(t, w.Explain(s))
			assert.Equal(t, awsauth.Step{Source: "EC2", Status: awsauth.Failed, Detail: "disabled by " + by}, failed)
			assert.Equal(t, []awsauth.Step{{
				Source: "assume role " + lab.ManageRole, Status: awsauth.NotTried, Detail: "no base credentials",
			}}, roles)
			_, err := s.Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.NoCredentials, "EC2 (disabled by "+by+")")
		}
		s = w.Open(append(opts, awsauth.WithProfile("ops"))...)
		failed, roles := lab.Rows(t, w.Explain(s))
		assert.Equal(t, awsauth.Step{Source: "profile (option)", Status: awsauth.Failed, Detail: `profile "ops": disabled by ` + by}, failed)
		assert.Equal(t, "no base credentials", roles[0].Detail)
	}
}

// TestExplainTellsTheTruth walks all sources and holds what Explain says against
// what the SDK did.
func TestExplainTellsTheTruth(t *testing.T) {
	for _, src := range lab.EverySource() {
		t.Run(src.Name, func(t *testing.T) {
			want, ok := explanations[src.Name]
			require.True(t, ok, "a source without an explanation")
			lab.OnAnyClock(t, src.Name == "process", func(t *testing.T, w *lab.Place) {
				opts := append(src.Fill(w, "eu-west-3"), awsauth.WithTags(map[string]string{"team": "ops"}), awsauth.WithAccount(lab.Target))
				child := w.Open(opts...)
				base := w.Open(append(src.Again(w), awsauth.WithRegion("eu-west-3"))...)
				want.detail = w.Text(want.detail)
				want.untried(t, w, child)
				hops := want.failed(t, w, child, src)
				want.works(t, w, w.Open(opts...))

				creds, err := base.Retrieve(t.Context())
				require.NoError(t, err)
				assert.Equal(t, w.Text(want.sdk), creds.Source)
				if strings.Contains(want.detail, "$KEY") && hops == 0 {
					assert.Equal(t, w.Keys.AccessKeyID, creds.AccessKeyID)
				}
			})
		})
	}
}

// untried holds what Explain says before any call.
func (want explained) untried(t *testing.T, w *lab.Place, s *awsauth.Session) {
	w.ResetCalls()
	used, roles := lab.Rows(t, w.Explain(s))
	assert.Equal(t, awsauth.Used, used.Status)
	assert.Equal(t, want.row, used.Source)
	assert.Equal(t, want.detail, strings.TrimSuffix(w.General(used.Detail), ", not asked for credentials yet"))
	assert.Equal(t, !strings.Contains(want.detail, "access key"), strings.HasSuffix(used.Detail, ", not asked for credentials yet"))
	for _, role := range roles {
		assert.Equal(t, awsauth.NotTried, role.Status)
		assert.Equal(t, "at sts.eu-west-3.amazonaws.com when credentials are first needed", role.Detail)
	}
}

// failed holds it after a refusal: the first that was asked has failed, and
// those behind it were not tried. It returns the number of the source's roles.
func (want explained) failed(t *testing.T, w *lab.Place, s *awsauth.Session, src lab.Source) (hops int) {
	mend := w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "AccessDenied"})
	defer mend()
	_, err := s.Retrieve(t.Context())
	require.Error(t, err)
	failed, roles := lab.Rows(t, w.Explain(s))
	assert.Equal(t, want.row, failed.Source)
	states := append([]awsauth.Status{failed.Status}, statuses(roles)...)
	at := 1 // the first role; else the source itself, where it is a service
	switch src.Name {
	case "SSO session", "SSO, old form", "container", "container, full URI and token", "EC2",
		"credential_source EcsContainer", "credential_source Ec2InstanceMetadata":
		at = 0
	}
	order := slices.Repeat([]awsauth.Status{awsauth.NotTried}, len(states))
	order[0], order[at] = awsauth.Used, awsauth.Failed
	assert.Equal(t, order, states)
	return len(roles) - 1
}

// works holds it after success, against what was asked of whom.
func (want explained) works(t *testing.T, w *lab.Place, s *awsauth.Session) {
	w.ResetCalls()
	lab.Get(t, s)
	used, roles := lab.Rows(t, w.Explain(s))
	assert.Equal(t, awsauth.Used, used.Status)
	assert.Equal(t, want.detail, w.General(used.Detail))
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
}

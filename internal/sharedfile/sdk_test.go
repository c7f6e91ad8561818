package sharedfile_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile/corpus"
)

// sdkDifference is a way in which we read otherwise than the Go SDK, on purpose.
type sdkDifference struct {
	name, reason string
	explains     func(r reading) bool
	config       string // an example, for profile "ops"
	credentials  string
}

// reading is one key as both read it.
type reading struct {
	files             *sharedfile.Files
	profile, key      string
	ours, theirs      string
	inConfig, inCreds sharedfile.Value
}

func sdkDifferences() []sdkDifference {
	const pair = "aws_access_key_id = AKIDALPHA\naws_secret_access_key = secret/alpha\n"
	return []sdkDifference{
		{"quoted", "the SDK keeps the quotes of a heading, cuts it at a # and takes keys for nested settings that are no deeper; the AWS CLI does not. Quoted says so",
			func(r reading) bool { return r.files.Quoted(r.profile) }, "[profile 'ops']\nregion = us-east-1\n[profile ops]\n", ""},
		{"quotes of a command", "the SDK takes the outer quotes off credential_process, which breaks \"/my dir/p.sh\" \"--user name\"",
			func(r reading) bool { return r.key == "credential_process" && strings.ContainsAny(r.ours, `'"`) },
			"[profile ops]\ncredential_process = \"/my dir/p.sh\" \"--user name\"\n", ""},
		{"token of another file", "the SDK joins the pair of one file with the token of another, which no service accepts",
			func(r reading) bool {
				return r.key == "aws_session_token" && r.ours == "" && r.theirs == r.inConfig.Text && r.inCreds.Text == ""
			},
			"[profile ops]\n" + pair + "aws_session_token = token/alpha\n", "[ops]\n" + pair},
		{"not merged", "some keys of the credentials file the SDK forgets where the config file has the profile, too; the AWS CLI does not",
			func(r reading) bool {
				return (r.key == "sdk_ua_app_id" || r.key == "endpoint_url" || r.key == "services") && r.theirs == r.inConfig.Text && r.ours == r.inCreds.Text
			},
			"[profile ops]\nregion = us-east-1\n", "[ops]\nendpoint_url = http://localhost:4566\n"},
		{"old token name", "the SDK knows aws_session_token only; boto3 also aws_security_token",
			func(r reading) bool { return r.key == "aws_session_token" && r.theirs == "" && r.ours != "" },
			"[profile ops]\n" + pair + "aws_security_token = token/alpha\n", ""},
		{"empty is absent", "an empty region, mfa_serial or token in the credentials file does not hide that of the config file",
			func(r reading) bool {
				return (r.key == "region" || r.key == "mfa_serial") && r.theirs == "" && r.inCreds.Path != ""
			},
			"[profile ops]\nregion = us-east-1\n", "[ops]\nregion =\n"},
	}
}

// sdkValues are the keys of a profile that the SDK shows, as it reads them.
func sdkValues(c config.SharedConfig) map[string]string {
	values := map[string]string{
		"role_arn": c.RoleARN, "external_id": c.ExternalID, "mfa_serial": c.MFASerial, "role_session_name": c.RoleSessionName,
		"source_profile": c.SourceProfileName, "region": c.Region, "services": c.ServicesSectionName, "ca_bundle": c.CustomCABundle,
		"endpoint_url": c.BaseEndpoint, "sdk_ua_app_id": c.AppID,
	}
	if c.SourceProfileName != "" {
		return values // the SDK forgets the others then
	}
	for key, value := range map[string]string{
		"credential_source": c.CredentialSource, "credential_process": c.CredentialProcess, "web_identity_token_file": c.WebIdentityTokenFile,
		"sso_session": c.SSOSessionName, "sso_account_id": c.SSOAccountID, "sso_role_name": c.SSORoleName, "sso_region": c.SSORegion,
		"sso_start_url": c.SSOStartURL, "login_session": c.LoginSession,
		"aws_access_key_id": c.Credentials.AccessKeyID, "aws_secret_access_key": c.Credentials.SecretAccessKey, "aws_session_token": c.Credentials.SessionToken,
	} {
		values[key] = value
	}
	return values
}

// ourValue is what a session of the profile would use.
func ourValue(files *sharedfile.Files, profile, key string) string {
	pair, ok := files.Keys(profile, true)
	if !ok {
		pair, _ = files.Keys(profile, false)
	}
	switch key {
	case "aws_access_key_id":
		return pair.AccessKeyID.Text
	case "aws_secret_access_key":
		return pair.SecretAccessKey.Text
	case "aws_session_token":
		return pair.SessionToken.Text
	}
	v, _ := files.Get(profile, key)
	return v.Text
}

// compareWithSDK returns the readings that are not the same, and false where
// one of both refuses the files.
func compareWithSDK(files *sharedfile.Files, configPath, credentialsPath, profile string) (differences []reading, ok bool) {
	if len(files.Problems(profile)) > 0 {
		return nil, false
	}
	c, err := config.LoadSharedConfigProfile(context.Background(), profile, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{configPath}, []string{credentialsPath}
	})
	if _, missing := err.(config.SharedConfigProfileNotExistError); missing {
		if files.Has(profile) {
			differences = append(differences, reading{files: files, profile: profile, key: "profile", ours: "there"})
		}
		return differences, true
	}
	if err != nil {
		return nil, false
	}
	for key, theirs := range sdkValues(c) {
		if ours := ourValue(files, profile, key); ours != theirs {
			r := reading{files: files, profile: profile, key: key, ours: ours, theirs: theirs}
			r.inConfig, _ = files.In(profile, key, false)
			r.inCreds, _ = files.In(profile, key, true)
			differences = append(differences, r)
		}
	}
	return differences, true
}

// explained returns the row of the table for a difference, or "".
func explained(r reading) string {
	for _, d := range sdkDifferences() {
		if d.explains(r) {
			return d.name
		}
	}
	return ""
}

// TestSDKDifferences: each row of the table is needed, and has a reason.
func TestSDKDifferences(t *testing.T) {
	for _, d := range sdkDifferences() {
		t.Run(d.name, func(t *testing.T) {
			files, configPath, credentialsPath := write(t, d.config, d.credentials)
			differences, ok := compareWithSDK(files, configPath, credentialsPath, "ops")
			if d.name == "quoted" {
				require.Equal(t, []string{"duplicate"}, kinds(files.Problems("ops")), "two forms of one name are refused")
				return
			}
			require.True(t, ok)
			require.NotEmpty(t, differences)
			for _, r := range differences {
				assert.Equal(t, d.name, explained(r), "%s: ours %q, the SDK's %q", r.key, r.ours, r.theirs)
			}
			assert.NotEmpty(t, d.reason)
		})
	}
}

// TestSDKCorpus: the files of the corpus are read as the SDK reads them, or
// refused, or the difference is a row of the table.
func TestSDKCorpus(t *testing.T) {
	compared := 0
	for _, entry := range corpus.Entries() {
		if strings.Contains(entry.Name, "lone quote") {
			continue // the SDK panics
		}
		t.Run(entry.Name, func(t *testing.T) {
			files, configPath, credentialsPath := write(t, entry.Config, entry.Credentials)
			differences, ok := compareWithSDK(files, configPath, credentialsPath, entry.Profile)
			if ok {
				compared++
			}
			for _, r := range differences {
				assert.NotEmpty(t, explained(r), "%s: ours %q, the SDK's %q", r.key, r.ours, r.theirs)
			}
		})
	}
	assert.Greater(t, compared, 50)
}

// fragments are what generated files are made of.
var fragments = strings.Split(`[default]
[profile ops]
[profile 'ops']
[profile dev]
[profile default]
[ops]
[dev]
[sso-session corp]
[services local]
[Default] # comment
[profile  ops ] ; comment
aws_access_key_id = AKIDALPHA
aws_access_key_id=AKIDBETA
aws_access_key_id = "AKIDGAMMA" # comment
aws_secret_access_key = secret/alpha=
aws_secret_access_key: secret/beta
aws_session_token = token/alpha==
aws_session_token =
AWS_Session_Token = token/beta
region = us-east-1
region = 'eu-west-1'
region = cn-north-1 # comment
region =
	region = us-west-2
  region = us-west-1
role_arn = arn:aws:iam::123456789012:role/manage-role
source_profile = dev
source_profile = ops
credential_process = /usr/bin/helper
credential_process = "/a b" "c"
credential_source = Environment
external_id = a;b#c
external_id = "a # b" # c
mfa_serial = arn:aws:iam::123456789012:mfa/ana
mfa_serial =
sso_session = corp
sso_account_id = 111111111111
sso_role_name = base
sso_region = us-east-1
sso_start_url = https://corp.awsapps.com/start
services = local
ca_bundle = /etc/ssl/x # y
ca_bundle = /one
  /two
s3 =
  max_concurrent_requests = 20
  sdk_ua_app_id = abc
endpoint_url = http://localhost:4566
sdk_ua_app_id = a"b
# comment
; comment

  # comment
= x
nonsense`, "\n")

// TestSDKGenerated: files made of random lines.
func TestSDKGenerated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	configPath, credentialsPath := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	compared := 0
	for range 800 {
		configText, credentialsText := generate(random), generate(random)
		require.NoError(t, os.WriteFile(configPath, []byte(configText), 0o600))
		require.NoError(t, os.WriteFile(credentialsPath, []byte(credentialsText), 0o600))
		files := sharedfile.Read([]string{configPath}, []string{credentialsPath})
		for _, profile := range []string{"default", "ops", "dev"} {
			differences, ok := compareWithSDK(files, configPath, credentialsPath, profile)
			if ok && files.Has(profile) {
				compared++
			}
			for _, r := range differences {
				require.NotEmpty(t, explained(r), "%s of %s: ours %q, the SDK's %q\n--- config\n%s\n--- credentials\n%s",
					r.key, profile, r.ours, r.theirs, configText, credentialsText)
			}
		}
	}
	assert.Greater(t, compared, 120)
}

// generate makes a file that is mostly right: random lines below a section.
func generate(random *rand.Rand) string {
	var b strings.Builder
	headings := fragments[:11]
	for range random.IntN(4) {
		b.WriteString(headings[random.IntN(len(headings))] + "\n")
		for range random.IntN(6) {
			b.WriteString(fragments[len(headings)+random.IntN(len(fragments)-len(headings)-random.IntN(3))] + "\n")
		}
	}
	return b.String()
}

// TestExtract: from the copy, the SDK reads what we read from the files.
func TestExtract(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "config"), filepath.Join(dir, "copy")
	compared := 0
	for range 1000 {
		require.NoError(t, os.WriteFile(path, []byte(generate(random)), 0o600))
		files := sharedfile.Read([]string{path}, nil)
		for _, as := range []string{"default", "Foo Bar"} {
			if len(files.Problems("ops")) > 0 || !files.Has("ops") {
				continue
			}
			text := files.Extract("ops", as, func(key string) bool { return !sharedfile.IsIdentity(key) })
			require.NoError(t, os.WriteFile(copied, []byte(text), 0o600))
			c, err := config.LoadSharedConfigProfile(t.Context(), as, func(o *config.LoadSharedConfigOptions) {
				o.ConfigFiles, o.CredentialsFiles = []string{copied}, []string{}
			})
			require.NoError(t, err, "%s", text)
			for _, key := range []string{"region", "services", "endpoint_url", "sdk_ua_app_id"} {
				require.Equal(t, ourValue(files, "ops", key), sdkValues(c)[key], "%s in\n%s", key, text)
			}
			assert.Empty(t, c.RoleARN+c.CredentialProcess+c.Credentials.AccessKeyID)
			compared++
		}
	}
	assert.Greater(t, compared, 150)
}

package lab

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// OnLaptop runs what a TestMain has to run on a laptop of its own: a local AWS instead of the
// real one, shared files with the profiles "default", "ops" and "china", a job of
// GitHub Actions, and nothing else of AWS in the environment. A process that a test
// has started, which a variable AWSAUTH_TEST_… tells, keeps what the test gave it.
func OnLaptop(run func() int) int {
	if slices.ContainsFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "AWSAUTH_TEST_") }) {
		return run()
	}
	cloud := awsauthtest.Start()
	defer cloud.Close()
	dir, err := os.MkdirTemp("", "awsauth-example")
	must(err)
	defer os.RemoveAll(dir)
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if (strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "VAULT_")) && name != "AWS_NEW_RETRIES_2026" {
			must(os.Unsetenv(name))
		}
	}
	gitHub := httptest.NewServer(workflow(cloud))
	defer gitHub.Close()
	for name, value := range laptop(cloud, dir) {
		must(os.Setenv(name, value))
	}
	must(os.Setenv("ACTIONS_ID_TOKEN_REQUEST_URL", gitHub.URL+"?api-version=2.0"))
	must(os.Setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-this-job"))
	return run()
}

// laptop fills the cloud and the directory, and returns the environment.
func laptop(cloud *awsauthtest.Cloud, dir string) map[string]string {
	ana := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	ops := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ops"})
	china := cloud.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::333333333333:user/ops"})
	for _, role := range []awsauthtest.Role{
		{ARN: "arn:aws:iam::123456789012:role/manage-role", MaxSession: 12 * time.Hour},
		{ARN: "arn:aws:iam::123456789012:role/team/reader"},
		{ARN: "arn:aws:iam::222222222222:role/hub"},
		{ARN: "arn:aws:iam::222222222222:role/audit"},
		{ARN: "arn:aws:iam::555555555555:role/audit"},
		{ARN: "arn:aws:iam::999999999999:role/partner", ExternalID: "contract-42"},
		{ARN: "arn:aws-cn:iam::123456789012:role/manage-role"},
	} {
		role.Trust, role.AllowTags, role.AllowSourceIdentity = []string{"*"}, true, true
		cloud.AddRole(role)
	}
	must(os.WriteFile(filepath.Join(dir, "credentials"), []byte("[default]\n"+keyLines(ana)+"[ops]\n"+keyLines(ops)+"[china]\n"+keyLines(china)), 0o600))
	endpoint, err := cloud.Serve()
	must(err)
	return map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
		"AWS_CONFIG_FILE":             filepath.Join(dir, "config"),
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_ENDPOINT_URL_STS":        endpoint,
		"VAULT_KEY_ID":                ops.AccessKeyID,
		"VAULT_SECRET_KEY":            ops.SecretAccessKey,
	}
}

// workflow stands in for GitHub: its token endpoint, for a job of the repository
// corp/app, which the role deploy trusts.
func workflow(cloud *awsauthtest.Cloud) http.HandlerFunc {
	const issuer = "token.actions.githubusercontent.com"
	cloud.AddOIDC("123456789012", issuer)
	cloud.AddRole(awsauthtest.Role{
		ARN:     "arn:aws:iam::123456789012:role/deploy",
		Trust:   []string{"arn:aws:iam::123456789012:oidc-provider/" + issuer},
		Subject: "repo:corp/app:*", Audience: "sts.amazonaws.com",
	})
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-this-job" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token := cloud.WebIdentityToken(issuer, "repo:corp/app:ref:refs/heads/main", 5*time.Minute, r.URL.Query().Get("audience"))
		_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
	}
}

func keyLines(k awsauthtest.Keys) string {
	return "aws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\n"
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

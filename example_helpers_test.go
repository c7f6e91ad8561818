package awsauth_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// demo puts the examples on a laptop of their own: a local AWS instead of the
// real one, shared files with the profiles "default", "ops" and "china", and
// nothing else of AWS in the environment. What it returns puts all back.
func demo() (restore func()) {
	cloud := awsauthtest.Start()
	dir, err := os.MkdirTemp("", "awsauth-example")
	must(err)
	before := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "VAULT_") {
			before[name] = value
			must(os.Unsetenv(name))
		}
	}
	set := demoEnvironment(cloud, dir)
	for name, value := range set {
		must(os.Setenv(name, value))
	}
	return func() {
		for name := range set {
			must(os.Unsetenv(name))
		}
		for name, value := range before {
			must(os.Setenv(name, value))
		}
		must(os.RemoveAll(dir))
		must(cloud.Close())
	}
}

// demoEnvironment fills the cloud and the directory.
func demoEnvironment(cloud *awsauthtest.Cloud, dir string) map[string]string {
	ana := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	ops := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ops"})
	china := cloud.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::333333333333:user/ops"})
	for _, role := range []awsauthtest.Role{
		{ARN: "arn:aws:iam::123456789012:role/manage-role", MaxSession: 12 * time.Hour},
		{ARN: "arn:aws:iam::123456789012:role/team/reader"},
		{ARN: "arn:aws:iam::222222222222:role/hub"},
		{ARN: "arn:aws:iam::999999999999:role/partner", ExternalID: "contract-42"},
		{ARN: "arn:aws-cn:iam::123456789012:role/manage-role"},
	} {
		role.Trust, role.AllowTags, role.AllowSourceIdentity = []string{"*"}, true, true
		cloud.AddRole(role)
	}
	must(os.WriteFile(filepath.Join(dir, "credentials"), []byte("[default]\n"+keysOf(ana)+"[ops]\n"+keysOf(ops)+"[china]\n"+keysOf(china)), 0o600))
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

func keysOf(k awsauthtest.Keys) string {
	return "aws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\n"
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

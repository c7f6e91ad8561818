package awsauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestContainerVariables: the container's address is looked at only where it
// decides, and then held against the rules without a look-up.
func TestContainerVariables(t *testing.T) {
	full, relative := "AWS_CONTAINER_CREDENTIALS_FULL_URI=", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="
	var tests []identityCase
	for _, bad := range []string{"http://host.docker.internal:9099/", "localhost:9099", "ftp://127.0.0.1/x", "http://10.0.0.1/x", "http://%zz/", ":", "/v2/x"} {
		tests = append(tests,
			identityCase{name: bad + ", environment keys", env: append([]string{full + bad}, environmentUser...), who: "user/ci"},
			identityCase{name: bad + ", profile", env: []string{full + bad}, config: "[profile ops]\n$OTHER\n", opts: profileOf("ops"), who: "user/other"},
			identityCase{name: bad + ", default profile", env: []string{full + bad}, config: "[default]\n$OTHER\n", who: "user/other"},
			identityCase{name: bad + ", role of the profile", env: []string{full + bad, "AWS_PROFILE=ops"}, config: "[profile ops]\nrole_arn = $BASE\nsource_profile = b\n[profile b]\n$KEYS\n", who: "role/base"},
			identityCase{name: bad + ", static keys", env: []string{full + bad}, opts: staticUser, who: "user/ci"},
			identityCase{name: bad + ", provider", env: []string{full + bad}, opts: providerUser, who: "user/ci"},
			identityCase{name: bad + ", instance of a profile", env: []string{full + bad}, config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n",
				opts: profileOf("ops"), setup: (*cast).instanceAlone, who: "role/base"},
		)
	}
	for bad, text := range map[string]string{
		"host.docker.internal:9099": "no scheme", "localhost/x": "no scheme", "ftp://127.0.0.1/x": `scheme "ftp"`, "http://": "no host",
		"http://10.0.0.1/x": "http://10.0.0.1/x", "http://example.com:0/": "port", "file:///x": "scheme",
	} {
		tests = append(tests,
			identityCase{name: bad + " decides", env: []string{full + bad}, text: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", text}},
			identityCase{name: bad + " of a profile", env: []string{full + bad}, config: "[profile ops]\nrole_arn = $BASE\ncredential_source = EcsContainer\n",
				opts: profileOf("ops"), text: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", text}},
			identityCase{name: bad + ", profile without credentials", env: []string{full + bad, "AWS_PROFILE=ops"}, config: "[profile ops]\nregion = $REGION\n",
				text: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", text}})
	}
	for _, bad := range []string{"v2/x", "http://169.254.170.2/v2/x", "@127.0.0.1:7863/x", ":80/x", ".evil.example/x", "//evil.example/x", "/v2 x", "/\\evil"} {
		tests = append(tests,
			identityCase{name: bad + " decides", env: []string{relative + bad}, text: []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "slash"}},
			identityCase{name: bad + " beside keys", env: append([]string{relative + bad}, environmentUser...), who: "user/ci"})
	}
	runIdentity(t, asWritten, tests)
}

// instanceAlone is for cases in which the instance is named.
func (c *cast) instanceAlone() {
	c.SetInstance(&awsauthtest.Instance{RoleARN: c.ARN(lab.Home, "role/middle"), Region: lab.DefaultRegion(c.Partition)})
	c.machineNamed = true
}

// TestRelativeBeforeFull: the relative URI decides where both are set, and the
// full one is not looked at.
func TestRelativeBeforeFull(t *testing.T) {
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China} {
		for _, full := range []string{"http://host.docker.internal:9099/", "nonsense", "ftp://x", "http://169.254.170.23/v1/credentials"} {
			c := newCast(t, p)
			c.InContainer()
			c.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=" + full)
			assert.Equal(t, c.arnOf("role/base"), c.IdentityOf(c.Open(awsauth.WithPartition(p))))
			assert.Equal(t, []string{"GetCredentials 169.254.170.2 unsigned"}, c.Said("GetCredentials"))
		}
	}
}

// TestNameOfContainerIsCheckedWhenDialled: whether a name is this machine's is
// not asked in New, and no token goes to another machine.
func TestNameOfContainerIsCheckedWhenDialled(t *testing.T) {
	awsauthtest.Isolate(t)
	for _, full := range []string{"http://host.docker.internal:9099/", "http://nowhere.invalid/x", "http://localhost:1/"} {
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", full)
		t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", lab.SomeSecret)
		start := time.Now()
		s, err := awsauth.New(awsauth.WithRegion("us-east-1"))
		require.NoError(t, err, full)
		assert.Less(t, time.Since(start), time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err = s.Retrieve(ctx)
		cancel()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), lab.SomeSecret)
	}
}

// TestIgnoredEndpoints: an address that is to be ignored is not looked at.
func TestIgnoredEndpoints(t *testing.T) {
	keys := "[profile ops]\n$KEYS\n"
	ignore := "ignore_configured_endpoint_urls = true\n"
	runIdentity(t, asWritten, []identityCase{
		{name: "both variables", env: []string{"AWS_ENDPOINT_URL=localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, config: keys, opts: profileOf("ops"), who: "user/ci"},
		{name: "STS's own variable", env: []string{"AWS_ENDPOINT_URL_STS=localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, config: keys, opts: profileOf("ops"), who: "user/ci"},
		{name: "said in the profile", env: []string{"AWS_ENDPOINT_URL=localhost:4566"}, config: keys + ignore, opts: profileOf("ops"), who: "user/ci"},
		{name: "said in the profile, in capitals", env: []string{"AWS_ENDPOINT_URL=localhost:4566"}, config: keys + strings.ToUpper(ignore), opts: profileOf("ops"), who: "user/ci"},
		{name: "address of the profile", config: keys + ignore + "endpoint_url = localhost:4566\n", opts: profileOf("ops"), who: "user/ci"},
		{name: "address of the profile, variable", env: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, config: keys + "endpoint_url = localhost:4566\n", opts: profileOf("ops"), who: "user/ci"},
		{name: "services section", env: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, config: keys + "services = s\n[services s]\nsts =\n  endpoint_url = localhost:4566\n", opts: profileOf("ops"), who: "user/ci"},
		{name: "environment keys", env: append([]string{"AWS_ENDPOINT_URL=localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, environmentUser...), who: "user/ci"},
		{name: "of another profile", config: keys + "[profile dev]\nendpoint_url = localhost:4566\n", opts: profileOf("ops"), who: "user/ci"},

		{name: "not ignored", env: []string{"AWS_ENDPOINT_URL=localhost:4566"}, config: keys, opts: profileOf("ops"), text: []string{"AWS_ENDPOINT_URL", "scheme"}},
		{name: "not ignored, said so", env: []string{"AWS_ENDPOINT_URL=localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"}, config: keys + ignore, opts: profileOf("ops"), text: []string{"AWS_ENDPOINT_URL", "scheme"}},
		{name: "STS's own", env: []string{"AWS_ENDPOINT_URL_STS=localhost:4566"}, config: keys, opts: profileOf("ops"), text: []string{"AWS_ENDPOINT_URL_STS", "scheme"}},
		{name: "profile", config: keys + "endpoint_url = localhost:4566\n", opts: profileOf("ops"), text: []string{"/config:4", "scheme"}},
		{name: "profile, AWS_PROFILE", config: keys + "endpoint_url = localhost:4566\n", env: []string{"AWS_PROFILE=ops"}, text: []string{"/config:4", "scheme"}},
		{name: "default profile, environment keys", config: "[default]\nendpoint_url = localhost:4566\n", env: environmentUser, text: []string{"/config:2", "scheme"}},
		{name: "services section", config: keys + "services = s\n[services s]\nsts =\n  endpoint_url = localhost:4566\n", opts: profileOf("ops"), text: []string{"/config:", "scheme"}},
		{name: "http to the internet, for all services", env: []string{"AWS_ENDPOINT_URL=http://minio.example.com:9000"}, config: keys, opts: profileOf("ops"), text: []string{"AWS_ENDPOINT_URL ", "use https, or", "AWS_ENDPOINT_URL_S3"}},
		{name: "http to the internet, for S3", env: []string{"AWS_ENDPOINT_URL_S3=http://minio.example.com:9000"}, config: keys, opts: profileOf("ops"), who: "user/ci"},
		{name: "http to the internet, in the profile", config: keys + "endpoint_url = http://sts.example.com\n", opts: profileOf("ops"), text: []string{"/config:4", "https"}},
	})
}

// notKeys are what a mounted secret or an editor makes of a key.
var notKeys = map[string]func(string) string{
	"a newline behind":       func(s string) string { return s + "\n" },
	"a carriage return":      func(s string) string { return s + "\r" },
	"a line end of Windows":  func(s string) string { return s + "\r\n" },
	"a newline in front":     func(s string) string { return "\n" + s },
	"a space behind":         func(s string) string { return s + " " },
	"a tab in front":         func(s string) string { return "\t" + s },
	"a space alone":          func(string) string { return " " },
	"a no-break space":       func(s string) string { return s + "\u00a0" },
	"a zero-width space":     func(s string) string { return s + "\u200b" },
	"a newline in the midst": func(s string) string { return s[:3] + "\n" + s[3:] },
	"a byte order mark":      func(s string) string { return "\ufeff" + s },
}

// TestKeysThatCannotBe: such a key is refused at once, with the name of the
// variable, the option or the provider.
func TestKeysThatCannotBe(t *testing.T) {
	pairs := func(c *cast) map[string]string {
		return map[string]string{"AWS_ACCESS_KEY_ID": c.Keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.Keys.SecretAccessKey, "AWS_SESSION_TOKEN": "token"}
	}
	for what, spoil := range notKeys {
		for _, bad := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
			spoilt := func(c *cast) map[string]string {
				all := pairs(c)
				all[bad] = spoil(all[bad])
				return all
			}
			t.Run(what+"/"+bad+"/environment", func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				for name, value := range spoilt(c) {
					t.Setenv(name, value)
				}
				_, err := c.Try()
				lab.RequireBad(t, err, awsauth.InvalidOption, bad)
				assert.Empty(t, c.Said())
				c.Files("[profile ops]\nrole_arn = "+lab.ManageRole+"\ncredential_source = Environment\n", "")
				_, err = c.Try(awsauth.WithProfile("ops"))
				lab.RequireBad(t, err, awsauth.InvalidOption, bad)
				assert.Empty(t, c.Said())
			})
			t.Run(what+"/"+bad+"/option", func(t *testing.T) {
				c := newCast(t, awsauth.China)
				all := spoilt(c)
				_, err := c.Try(awsauth.WithStaticCredentials(all["AWS_ACCESS_KEY_ID"], all["AWS_SECRET_ACCESS_KEY"], all["AWS_SESSION_TOKEN"]), awsauth.WithPartition(c.Partition))
				lab.RequireBad(t, err, awsauth.InvalidOption, "WithStaticCredentials")
				assert.Empty(t, c.Said())
			})
			t.Run(what+"/"+bad+"/provider", func(t *testing.T) {
				c := newCast(t, awsauth.AWS)
				all := spoilt(c)
				p := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: all["AWS_ACCESS_KEY_ID"], SecretAccessKey: all["AWS_SECRET_ACCESS_KEY"], SessionToken: all["AWS_SESSION_TOKEN"]}, nil
				})
				start := time.Now()
				_, err := c.Open(awsauth.WithCredentialsProvider(p), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.InvalidKey, "provider")
				assert.NotContains(t, err.Error(), c.Keys.SecretAccessKey)
				assert.Empty(t, c.Said())
				assert.Less(t, time.Since(start), 5*time.Second)
			})
		}
	}
}

// TestKeysThatCannotBeInFiles: a profile's and a process's keys are held to the
// same.
func TestKeysThatCannotBeInFiles(t *testing.T) {
	process := func(id string) func(*cast) {
		return func(c *cast) {
			c.Write("keys.json", `{"Version": 1, "AccessKeyId": "`+id+`", "SecretAccessKey": "`+c.Keys.SecretAccessKey+`"}`)
		}
	}
	for name, id := range map[string]string{"newline": `AKIA\n`, "space": "AKIA X", "Chinese": "AKIA密"} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, awsauth.AWS)
			process(id)(c)
			c.Files(c.text("[profile ops]\ncredential_process = cat \"$DIR/keys.json\"\n"), "")
			_, err := c.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target)).Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.InvalidKey, `profile "ops"`)
			assert.Empty(t, c.Said())
		})
	}
}

// TestMetadataAddress: an address without a scheme is named with the variable, the
// option or the line that says it.
func TestMetadataAddress(t *testing.T) {
	variable := "AWS_EC2_METADATA_SERVICE_ENDPOINT="
	for _, bad := range []string{"127.0.0.1:45651", "169.254.169.254", "localhost", "fd00:ec2::254", "ftp://169.254.169.254", "http://", "http://169.254.169.254?x=1"} {
		runIdentity(t, asWritten, []identityCase{
			{name: bad + ", chain", env: []string{variable + bad}, text: []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http"}},
			{name: bad + ", credential_source", env: []string{variable + bad}, config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\n", opts: profileOf("ops"),
				text: []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http"}},
			{name: bad + ", profile", config: "[profile ops]\nrole_arn = $BASE\ncredential_source = Ec2InstanceMetadata\nec2_metadata_service_endpoint = " + bad + "\n", opts: profileOf("ops"),
				text: []string{"/config:4", "http"}},
			{name: bad + ", environment keys", env: append([]string{variable + bad}, environmentUser...), who: "user/ci"},
			{name: bad + ", profile keys", env: []string{variable + bad}, config: "[default]\n$OTHER\n", who: "user/other"},
		})
	}
}

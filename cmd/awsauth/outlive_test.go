//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// botoLoop prints the access key id and the caller, until it has seen so many keys.
const botoLoop = `
import boto3, time, sys
s = boto3.Session()
sts = s.client('sts')
keys, end = set(), time.time() + 180
while len(keys) < int(sys.argv[1]) and time.time() < end:
    arn = sts.get_caller_identity()['Arn']
    keys.add(s.get_credentials().get_frozen_credentials().access_key)
    print(s.get_credentials().get_frozen_credentials().access_key, arn, flush=True)
    time.sleep(0.5)
`

// nodeLoop is botoLoop with the SDK for JavaScript.
const nodeLoop = `
const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');
const sts = new STSClient({});
const keys = new Set(), end = Date.now() + 180000;
async function once() {
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  const key = (await sts.config.credentials()).accessKeyId;
  console.log(key, Arn);
  if (keys.add(key).size < Number(process.argv[1]) && Date.now() < end) setTimeout(once, 500);
}
once();
`

// cliLoop is botoLoop with the AWS CLI, in sh.
const cliLoop = `
end=$(($(date +%s) + 180)) n=0 last=
while [ $n -lt $1 ] && [ $(date +%s) -lt $end ]; do
  key=$(aws configure list | awk '/access_key/ {print $2}')
  [ "$key" = "$last" ] || n=$((n + 1))
  last=$key
  printf '%s ' "$key"
  aws sts get-caller-identity --query Arn --output text || exit 1
  sleep 1
done`

// needsNodeSDK skips the test where Node or its SDK is not there. NODE_PATH says where
// it is.
func needsNodeSDK(t *testing.T) string {
	t.Helper()
	node := needs(t, "node")
	if err := exec.CommandContext(t.Context(), node, "-e", "require('@aws-sdk/client-sts')").Run(); err != nil {
		t.Skip("node has no @aws-sdk/client-sts: install it with npm, and name its node_modules in NODE_PATH")
	}
	return node
}

// looping are the programs that call STS until they have had so many keys, and print
// with which key.
func looping(keys string) map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"boto3": func(t *testing.T) []string { return []string{needsBoto(t), "-c", botoLoop, keys} },
		"aws": func(t *testing.T) []string {
			needs(t, "aws")
			return []string{shell(t), "-c", cliLoop, "sh", keys}
		},
		"node": func(t *testing.T) []string { return []string{needsNodeSDK(t), "-e", nodeLoop, keys} },
	}
}

// outliving is a Cloud whose roles last life, and shared files with a profile for each
// partition, and keys in [default], which would win over an endpoint.
func outliving(t *testing.T, life time.Duration) {
	t.Helper()
	cloud, keys, url := served(t, ana)
	china := cloud.AddUser(awsauthtest.User{ARN: anaCN})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + accountA + ":role/manage-role", Trust: []string{ana}})
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws-cn:iam::" + accountA + ":role/manage-role", Trust: []string{anaCN}})
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		require.NoError(t, os.Unsetenv(name))
	}
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte("[profile aws]\nregion = eu-west-1\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+
		"\n[profile aws-cn]\nregion = cn-north-1\naws_access_key_id = "+china.AccessKeyID+"\naws_secret_access_key = "+china.SecretAccessKey+
		"\n[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = made-up\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	const shortest = 15 * time.Minute // of a role
	cloud.SetClock(func() time.Time { return time.Now().Add(life - shortest) })
}

// TestServeOutlives: a child that outlives three expiries of its keys gets new ones, in
// both partitions, and never fails. The keys here last ten seconds.
func TestServeOutlives(t *testing.T) {
	outliving(t, 10*time.Second)
	type child struct {
		name, partition string
		c               *exec.Cmd
		stdout, stderr  interface{ String() string }
	}
	var all []child
	for name, client := range looping("4") {
		for _, partition := range []string{"aws", "aws-cn"} {
			var args []string
			if !t.Run(name+" "+partition, func(t *testing.T) { args = client(t) }) || args == nil {
				continue // it is missing, and says so
			}
			c, stdout, stderr := process(t, append([]string{"exec", "--serve", "--profile", partition, "--account", accountA, "--duration", "15m", "--"}, args...)...)
			all = append(all, child{name, partition, c, stdout, stderr})
		}
	}
	for i := range all {
		require.NoError(t, all[i].c.Start())
	}
	for _, one := range all {
		name := one.name + " " + one.partition
		require.NoError(t, one.c.Wait(), "%s: %s%s", name, one.stdout, one.stderr)
		keys := map[string]bool{}
		for line := range strings.Lines(one.stdout.String()) {
			keys[strings.Fields(line)[0]] = true
			assert.Contains(t, line, " arn:"+one.partition+":sts::"+accountA+":assumed-role/manage-role/", name)
		}
		assert.GreaterOrEqual(t, len(keys), 4, "%s: %s", name, one.stdout)
		assert.NotContains(t, one.stderr.String(), "awsauth", name)
	}
}

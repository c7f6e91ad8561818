package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachRegions: the command runs once in each region, and says where.
func TestEachRegions(t *testing.T) {
	sh := shell(t)
	cloud, url := fleet(t)
	code, out, stderr := command(t, "each", "--accounts", accountA+","+accountB, "--sts-endpoint", url, "--regions", "us-east-1,eu-west-1,us-east-1", "--",
		sh, "-c", `echo "$AWS_REGION $AWS_DEFAULT_REGION"; case $AWSAUTH_ACCOUNT$AWS_REGION in `+accountB+`eu-west-1) exit 4;; esac`)
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, []string{
		accountA + " eu-west-1 | eu-west-1 eu-west-1", accountA + " us-east-1 | us-east-1 us-east-1",
		accountB + " eu-west-1 | eu-west-1 eu-west-1", accountB + " us-east-1 | us-east-1 us-east-1",
	}, sortedLines(out))
	assert.Contains(t, stderr, "  "+accountB+": eu-west-1: exit status 4\nawsauth: 1 of 2 accounts failed\n")
	assert.Len(t, cloud.Calls(), 2, "one role an account, whatever the regions")
	for list, says := range map[string]string{"us-east-1,mars": `"mars" is not the name of a region`, "cn-north-1": "is in partition aws-cn"} {
		code, _, stderr = command(t, "each", "--accounts", accountA, "--sts-endpoint", url, "--regions", list, "--", sh, "-c", "true")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, says)
	}
}

// TestEachJSON: one object for each run, also where the command did not get that far.
func TestEachJSON(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	code, out, stderr := command(t, "each", "--accounts", accountA+",999999999999,"+accountB+","+accountC, "--sts-endpoint", url, "--region", "eu-west-1", "--output", "json", "--",
		sh, "-c", `printf 'one\ntwo <&>'; echo talk >&2; case $AWSAUTH_ACCOUNT in `+accountB+`) exit 3;; `+accountC+`) kill -9 $$;; esac`)
	assert.Equal(t, exitFailed, code)
	got := map[string]map[string]any{}
	for line := range strings.Lines(out) {
		var r map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		got[r["account"].(string)] = r
	}
	require.Len(t, got, 4)
	ran := func(account string, exit any, more ...any) map[string]any {
		r := map[string]any{"account": account, "region": "eu-west-1", "exit_code": exit, "output": "one\ntwo <&>", "stderr": "talk\n"}
		if len(more) > 0 {
			r["error"] = more[0]
		}
		return r
	}
	assert.Equal(t, ran(accountA, 0.0), got[accountA])
	assert.Equal(t, ran(accountB, 3.0, "exit status 3"), got[accountB])
	assert.Equal(t, ran(accountC, nil, "signal: killed"), got[accountC])
	denied := got["999999999999"]
	assert.Nil(t, denied["exit_code"])
	assert.Contains(t, denied["error"], "access denied")
	assert.NotContains(t, denied["error"], "999999999999: ")
	assert.NotContains(t, denied, "role", "the list has none")
	assert.Contains(t, stderr, "awsauth: 3 of 4 accounts failed\n")
	code, _, stderr = command(t, "each", "--accounts", accountA, "--output", "yaml", "--", sh)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "write text or json")
}

// TestEachFailFast: after the first failure nothing starts, and what runs is ended.
func TestEachFailFast(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	start := time.Now()
	code, out, stderr := command(t, "each", "--accounts", accountA+","+accountB+","+accountC, "--concurrency", "2", "--fail-fast", "--sts-endpoint", url, "--",
		sh, "-c", `case $AWSAUTH_ACCOUNT in `+accountA+`) exec sleep 60;; `+accountB+`) sleep 0.2; exit 5;; *) echo ran;; esac`)
	assert.Equal(t, exitFailed, code)
	assert.Less(t, time.Since(start), 30*time.Second)
	assert.Empty(t, out)
	assert.Contains(t, stderr, "  "+accountB+": exit status 5\n")
	assert.True(t, strings.HasSuffix(stderr, "awsauth: 2 of 3 accounts failed, 1 not started\n"), stderr)
}

// TestEachReasons: thirty accounts that fail for one reason are one line, in the order
// of the list.
func TestEachReasons(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	ids := []string{"700000000001", "700000000002", "700000000003", accountA, accountB}
	code, _, stderr := command(t, "each", "--accounts", strings.Join(ids, ","), "--concurrency", "1", "--sts-endpoint", url, "--", sh, "-c", `exit $((AWSAUTH_ACCOUNT % 10))`)
	assert.Equal(t, exitFailed, code)
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	require.Len(t, lines, 5+4, stderr)
	assert.Regexp(t, `^  3 accounts: assume role arn:aws:iam::<account>:role/manage-role as `+ana+`: access denied.*: 700000000001, 700000000002, 700000000003$`, lines[5])
	assert.Equal(t, "  "+accountA+": exit status 2", lines[6])
	assert.Equal(t, "  "+accountB+": exit status 3", lines[7])
	assert.Equal(t, "awsauth: 5 of 5 accounts failed", lines[8])
	assert.Equal(t, []string{"2 accounts: exit status 1: 1, 2", "3: x 3", "no account"}, grouped([]failedAccount{
		{"1", "exit status 1"}, {"3", "x 3"}, {"2", "exit status 1"}, {"", "no account"},
	}))
}

// TestEachShadows: a command in an account sees nothing of the caller's identity.
func TestEachShadows(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	shadows(t)
	code, out, stderr := command(t, "each", "--accounts", accountA, "--sts-endpoint", url, "--", sh, "-c", "env")
	require.Equal(t, exitOK, code, stderr)
	assert.NotContains(t, out, "the-callers")
	assert.Contains(t, out, "AWS_ACCOUNT_ID="+accountA+"\n")
	assert.Contains(t, out, "AWS_CREDENTIAL_EXPIRATION=")
}

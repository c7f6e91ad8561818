//go:build unix

package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachEnds: a command that is told to end may tidy up first. One that does not listen
// is killed after five seconds.
func TestEachEnds(t *testing.T) {
	sh := shell(t)
	_, url := fleet(t)
	dir := t.TempDir()
	start := time.Now()
	code, out, stderr := command(t, "each", "--accounts", accountA+","+accountB+","+accountC, "--concurrency", "3", "--fail-fast", "--sts-endpoint", url, "--",
		sh, "-c", `case $AWSAUTH_ACCOUNT in
`+accountA+`) trap 'sleep 0.5; echo tidy; exit 3' TERM; touch "$1/a"; while :; do sleep 0.1; done;;
`+accountB+`) trap '' TERM; touch "$1/b"; exec sleep 60;;
*) while [ ! -e "$1/a" ] || [ ! -e "$1/b" ]; do sleep 0.05; done; exit 5;;
esac`, "sh", dir)
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, accountA+" | tidy\n", out)
	assert.Contains(t, stderr, "  "+accountB+": signal: killed\n")
	assert.GreaterOrEqual(t, time.Since(start), childGrace)
	assert.Less(t, time.Since(start), 40*time.Second)
}

// TestExited: what kept a command from running is found in its end.
func TestExited(t *testing.T) {
	cause := errors.New("no such program")
	require.ErrorIs(t, &exited{code: exitNotRun, err: cause}, cause)
	assert.EqualError(t, &exited{code: exitNotRun, err: cause}, "no such program")
	assert.EqualError(t, &exited{code: 3}, "exit status 3")
}

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAccountsForged: what is no account id makes no line of the list.
func TestAccountsForged(t *testing.T) {
	l := lister{seen: map[string]bool{}}
	var all []types.Account
	for _, id := range []string{"111111111111", "222222222222\n333333333333", "\x1b[2J444444444444", "55555555555", ""} {
		all = append(all, types.Account{Id: aws.String(id), Name: aws.String("x"), State: types.AccountStateActive})
	}
	l.add("", all)
	require.Len(t, l.found, 1)
	assert.Equal(t, "111111111111", l.found[0].ID)
	assert.Equal(t, 4, l.silent)
}

// TestJSONEscaped: nothing in JSON moves the cursor, and a program reads what was meant.
func TestJSONEscaped(t *testing.T) {
	const name = "a\u009b2Jb\u202ec\x1bd é 中\U0001f600"
	var b bytes.Buffer
	require.NoError(t, writeJSON(&b, map[string]string{"name": name}))
	for _, moves := range []string{"\u009b", "\u202e", "\x1b"} {
		assert.NotContains(t, b.String(), moves)
	}
	assert.Contains(t, b.String(), "é 中\U0001f600")
	var got map[string]string
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, name, got["name"])
}

// TestPromptAccount: only digits of an account reach a shell's prompt.
func TestPromptAccount(t *testing.T) {
	for said, want := range map[string]string{"111111111111": "111111111111", "$(id)": "", "12ab": "", "": ""} {
		assert.Equal(t, want, accountOf(aws.Credentials{AccountID: said}))
	}
}

// TestRunToEnd: a command that ended well has done so though what it left behind holds
// its output open, and one that failed has not.
func TestRunToEnd(t *testing.T) {
	for script, well := range map[string]bool{"sleep 5 & exit 0": true, "sleep 5 & exit 3": false} {
		c := exec.Command(shell(t), "-c", script)
		c.Stdout, c.WaitDelay = &strings.Builder{}, 50*time.Millisecond
		assert.Equal(t, well, runToEnd(c) == nil, script)
	}
}

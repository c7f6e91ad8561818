package corpus

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed boto.py
var botoScript string

// A BotoAnswer is what boto3 says of an entry.
type BotoAnswer struct {
	Name                string
	Config, Credentials map[string]any // what it reads in the profile's sections; nil where there is no such section
	Error               string         // why it cannot read a file
	Method, Key         string         // how it gets credentials, and the key's id where the keys are static
	Refusal             string         // the exception that it raises instead
}

// AskBoto has boto3 read all entries, in one Python process. It skips the test
// where there is none.
func AskBoto(t *testing.T, entries []Entry) (answers []BotoAnswer) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here")
	}
	if out, err := exec.Command(python, "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("python3 has no boto3: %s", out)
	}
	type question struct {
		Name        string   `json:"name"`
		Config      []byte   `json:"config"`
		Credentials []byte   `json:"credentials"`
		Profile     string   `json:"profile"`
		Env         []string `json:"env"`
	}
	var questions []question
	for _, e := range entries {
		questions = append(questions, question{e.Name, []byte(e.Config), []byte(e.Credentials), e.Profile, e.Env})
	}
	in, err := json.Marshal(questions)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), python, "-c", botoScript)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "AWS_") })
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	require.NoError(t, json.Unmarshal(out, &answers))
	require.Len(t, answers, len(entries))
	return answers
}

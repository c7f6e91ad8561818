package lab

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// SourceRows is how many places there are to look at.
const SourceRows = 8

// Rows are a report's sources, which must be in order: those before the one
// that is used or failed were skipped, those behind it were not tried.
func Rows(t *testing.T, r awsauth.Report) (decided awsauth.Step, rest []awsauth.Step) {
	t.Helper()
	require.Greater(t, len(r.Steps), SourceRows)
	found := 0
	for _, step := range r.Steps[:SourceRows] {
		assert.NotEmpty(t, step.Detail, step.Source)
		switch {
		case step.Status == awsauth.Used || step.Status == awsauth.Failed:
			decided = step
			found++
		case found == 0:
			assert.Equal(t, awsauth.Skipped, step.Status, "%s, before the one that is used", step.Source)
		default:
			assert.Contains(t, []awsauth.Status{awsauth.Skipped, awsauth.NotTried}, step.Status, step.Source)
		}
	}
	assert.Equal(t, 1, found, "one source decides:\n%s", r)
	region := r.Steps[SourceRows]
	assert.Equal(t, "region "+r.Region, region.Source)
	assert.Equal(t, awsauth.Used, region.Status)
	assert.Contains(t, region.Detail, r.RegionFrom)
	return decided, r.Steps[SourceRows+1:]
}

// Explain asks twice, the second time in an environment that has lost
// everything: nothing is read or called, and the answer is the same.
func (w *Place) Explain(s *awsauth.Session) awsauth.Report {
	w.T.Helper()
	calls := len(w.Calls())
	r := s.Explain()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") || name == "HOME" {
			require.NoError(w.T, os.Unsetenv(name))
			defer os.Setenv(name, value)
		}
	}
	away := w.Dir + ".away"
	require.NoError(w.T, os.Rename(w.Dir, away))
	assert.Equal(w.T, r, s.Explain())
	require.NoError(w.T, os.Rename(away, w.Dir))
	assert.Len(w.T, w.Calls(), calls)
	for line := range strings.Lines(r.String()) {
		for _, secret := range []string{w.Keys.SecretAccessKey, w.Keys.AccessKeyID} {
			assert.NotContains(w.T, line, secret)
		}
	}
	return r
}

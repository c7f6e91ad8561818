package lab

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// RequireBad asks for an error that matches kind, has each part in its text, is
// one line per fault, and shows no secret in any form.
func RequireBad(t testing.TB, err error, kind awsauth.Kind, parts ...string) {
	t.Helper()
	require.Error(t, err)
	var e *awsauth.Error
	require.ErrorAs(t, err, &e)
	require.Truef(t, errors.Is(err, kind), "%v is not of kind %q", err, kind)
	text := err.Error()
	for _, part := range parts {
		assert.Contains(t, text, part)
	}
	for line := range strings.SplitSeq(text, "\n") {
		assert.Truef(t, strings.HasPrefix(line, "awsauth: "), "line %q of an error", line)
		assert.Falsef(t, strings.HasSuffix(line, ".") || strings.Contains(line, "%!"), "line %q of an error", line)
	}
	for _, form := range []string{text, fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", e)} {
		assert.NotContains(t, form, SomeSecret)
	}
}

// Parts are the errors that were joined.
func Parts(t testing.TB, err error) []error {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%T: %v", err, err)
	return joined.Unwrap()
}

// General puts names for what is another in each run.
func (w *Place) General(text string) string {
	short := func(id string) string { return id[:4] + "…" + id[len(id)-4:] }
	text = strings.ReplaceAll(text, "access key "+short(w.Keys.AccessKeyID), "access key $KEY")
	for _, r := range []struct{ pattern, name string }{
		{`ASIA….{4}`, "$$SESSION"},
		{`know access key AKIA….{4} from static keys .* key of China`, "know access key $$CHINA from static keys (InvalidClientTokenId); keys are valid in one partition only: if this is a key of China"},
		{`attempts in \d+s`, "attempts in $$TIME"},
		{`already expired \S+ ago`, "already expired $$TIME ago"},
		{`on line \d+`, "on line $$LINE"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.name)
	}
	return text
}

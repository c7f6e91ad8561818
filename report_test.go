package awsauth_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestReport: columns stand under each other, and a program reads the same.
func TestReport(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\n"+lab.KeyLines, "")
	r := w.Open(awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target)).Explain()
	var columns []string
	for line := range strings.Lines(r.String()) {
		at := regexp.MustCompile(`   *\S`).FindAllStringIndex(strings.ReplaceAll(line, "NOT TRIED", "NOT_TRIED"), 2)
		require.Len(t, at, 2, line)
		columns = append(columns, fmt.Sprint(at[0][1], at[1][1]))
	}
	assert.Len(t, columns, len(r.Steps))
	assert.Len(t, slices.Compact(columns), 1, r)

	text, err := json.Marshal(r)
	require.NoError(t, err)
	var back awsauth.Report
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, r, back)
	var names map[string]any
	require.NoError(t, json.Unmarshal(text, &names))
	assert.Equal(t, []string{"partition", "region", "region_from", "source", "steps"}, slices.Sorted(maps.Keys(names)))
	assert.Equal(t, filepath.Join(w.Dir, "config"), strings.TrimPrefix(r.Steps[0].Detail[strings.Index(r.Steps[0].Detail, " in ")+4:], " "))
}

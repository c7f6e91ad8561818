package sharedfile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile/corpus"
)

// botoDifferences are the files of the corpus that we accept and read otherwise
// than the AWS CLI and boto3 do, and why.
func botoDifferences() map[string]string {
	return map[string]string{
		"unquoted name with a blank":         "boto3 ignores the section; the SDK reads it",
		"quotes in credentials":              "boto3 takes the quotes for a part of the name there, but writes and reads them in the config file",
		"apostrophe":                         "boto3 ignores the section; the SDK reads it",
		"backslash":                          "boto3 drops the backslash, though the CLI writes the name without quotes",
		"blanks in the heading":              "boto3 ignores the section; the SDK reads it",
		"blanks in a heading of credentials": "boto3 takes the blanks for a part of the name; the SDK does not",
		"heading indented below a key":       "boto3 takes the heading for a part of the value above it; the SDK does not",
		"profile default and then default":   "boto3 takes the later section; AWS's page and the SDK [profile default]",
		"section twice":                      "boto3 refuses the file; the SDK merges the sections. Other values for one key are refused by us, too",
		"section twice elsewhere":            "boto3 refuses the file; with us it concerns the profile that is twice there",
		"inline comment":                     "boto3 takes the comment for a part of the value; the SDK does not",
		"inline semicolon":                   "boto3 takes the comment for a part of the value; the SDK does not",
		"comment for a value":                "boto3 takes the comment for the value; the SDK does not",
		"quoted value":                       "boto3 keeps the quotes; the SDK does not",
		"quoted key pair":                    "boto3 keeps the quotes, and STS refuses the key; the SDK does not",
		"quoted comment sign":                "boto3 keeps quotes and comment; the SDK cuts at the sign inside the quotes",
		"process with a comment":             "boto3 gives the comment to the command; the SDK cuts it off",
		"same key, same value":               "boto3 refuses the file; nothing is in doubt",
		"same key, other region":             "boto3 refuses the file; the SDK takes the last value, which does not say who one is",
		"output indented below a region":     "boto3 takes the line for a part of the value above it; the SDK for a key",
		"text goes on":                       "boto3 keeps the blank line inside the value; the SDK does not",
		"Latin-1 in a comment":               "boto3 refuses the file; comments are not read",
	}
}

// TestBoto: each file of the corpus is read as boto3 reads it, or refused, or
// is a row of the table of differences.
func TestBoto(t *testing.T) {
	entries := corpus.Entries()
	require.GreaterOrEqual(t, len(entries), 60)
	differences := botoDifferences()
	for i, answer := range corpus.AskBoto(t, entries) {
		entry := entries[i]
		t.Run(entry.Name, func(t *testing.T) {
			require.Equal(t, entry.Name, answer.Name)
			files, _, _ := write(t, entry.Config, entry.Credentials)
			if len(files.Problems(entry.Profile)) > 0 {
				assert.Empty(t, differences[entry.Name], "a refusal needs no row")
				return
			}
			difference := compareWithBoto(files, entry, answer)
			if differences[entry.Name] == "" {
				assert.Empty(t, difference)
			} else {
				assert.NotEmpty(t, difference, "the row is not needed")
			}
			delete(differences, entry.Name)
		})
	}
	assert.Empty(t, differences, "rows without an entry")
}

// compareWithBoto lists what is not the same.
func compareWithBoto(files *sharedfile.Files, entry corpus.Entry, answer corpus.BotoAnswer) (differences []string) {
	if answer.Error != "" {
		return []string{"boto3 refuses the file: " + answer.Error}
	}
	for _, credentials := range []bool{false, true} {
		theirs := answer.Config
		if credentials {
			theirs = answer.Credentials
		}
		ours := contents(files, entry.Profile, credentials)
		if !assert.ObjectsAreEqual(theirs, ours) {
			differences = append(differences, "sections")
		}
	}
	pair, ok := files.Keys(entry.Profile, answer.Method == "shared-credentials-file")
	if answer.Method == "shared-credentials-file" || answer.Method == "config-file" {
		if !ok || pair.AccessKeyID.Text != answer.Key {
			differences = append(differences, "key id "+answer.Key)
		}
	}
	return differences
}

// contents is what we read of a profile, in botocore's form.
func contents(files *sharedfile.Files, profile string, credentials bool) map[string]any {
	section, _ := files.Profile(profile)
	var found map[string]any
	if has(files, profile, credentials) {
		found = map[string]any{}
	}
	for _, key := range section.Keys() {
		v, ok := files.In(profile, key, credentials)
		switch {
		case !ok:
		case v.Nested() != nil:
			nested := map[string]any{}
			for _, s := range v.Nested() {
				nested[s.Key] = s.Text
			}
			found[key] = nested
		default:
			found[key] = v.Text
		}
	}
	return found
}

// has reports whether one kind of file has the profile.
func has(files *sharedfile.Files, profile string, credentials bool) bool {
	paths := files.Paths()
	one := sharedfile.Read(paths[:1], nil)
	if credentials {
		one = sharedfile.Read(nil, paths[1:])
	}
	return one.Has(profile)
}

package awsauth_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile/corpus"
)

// botoMethods are boto3's words for the kinds of sources, in the SDK's.
var botoMethods = map[string][]aws.CredentialSource{
	"env":                           {aws.CredentialSourceEnvVars},
	"shared-credentials-file":       {aws.CredentialSourceProfile},
	"config-file":                   {aws.CredentialSourceProfile},
	"assume-role":                   {aws.CredentialSourceSTSAssumeRole},
	"assume-role-with-web-identity": {aws.CredentialSourceProfileSTSWebIDToken},
	"sso":                           {aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy},
	"custom-process":                {aws.CredentialSourceProcess},
	"login":                         {aws.CredentialSourceLogin},
}

// botoDecisions are the entries that we accept and decide otherwise than boto3,
// and why.
func botoDecisions() map[string]string {
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
		"quoted key pair":                    "boto3 keeps the quotes, and STS refuses the key; the SDK does not",
		"same key, same value":               "boto3 refuses the file; nothing is in doubt",
		"same key, other region":             "boto3 refuses the file; the SDK takes the last value, which does not say who one is",
		"Latin-1 in a comment":               "boto3 refuses the file; comments are not read",
		"role with keys and no source":       "the AWS CLI refuses; the SDK assumes the role with the keys",
		"environment beside a broken file":   "the CLI refuses; where the environment decides, a malformed line is a warning",
	}
}

// TestDecisionOfBoto: the same key or the same kind of source as boto3, a refusal
// of ours, or a row of the table.
func TestDecisionOfBoto(t *testing.T) {
	entries := corpus.Entries()
	require.GreaterOrEqual(t, len(entries), 60)
	rows := botoDecisions()
	for i, answer := range corpus.AskBoto(t, entries) {
		entry := entries[i]
		t.Run(entry.Name, func(t *testing.T) {
			require.Equal(t, entry.Name, answer.Name)
			difference := compareWithBoto(t, entry, answer)
			if rows[entry.Name] != "" {
				assert.NotEmpty(t, difference, "the row is not needed")
				delete(rows, entry.Name)
				return
			}
			assert.Empty(t, difference)
		})
	}
	assert.Empty(t, rows, "rows without an entry, or not needed")
}

// compareWithBoto says what is not the same, "" if nothing or if we refuse.
func compareWithBoto(t *testing.T, entry corpus.Entry, answer corpus.BotoAnswer) string {
	c := newCast(t, awsauth.AWS)
	writeFiles(t, c.Dir, entry.Config, entry.Credentials)
	c.Env(entry.Env...)
	name := entry.Profile
	if name == "default" {
		name = ""
	}
	s, err := c.Try(awsauth.WithProfile(name))
	if err != nil {
		require.Empty(t, c.Said())
		return ""
	}
	kinds := s.ProviderSources()
	theirs := answer.Method
	if theirs == "" {
		theirs = "nothing " + answer.Error + answer.Refusal
	}
	machine := slices.Contains(kinds, aws.CredentialSourceIMDS)
	wanted, known := botoMethods[answer.Method]
	switch {
	case machine && answer.Method == "" && answer.Error == "" && answer.Refusal == "":
		return "" // boto3 was told that there is no machine
	case slices.Contains(kinds, aws.CredentialSourceProcess) && (answer.Refusal == "FileNotFoundError" || answer.Refusal == "CredentialRetrievalError"):
		return "" // boto3 ran the process, which is not there
	case !known || !slices.ContainsFunc(wanted, func(k aws.CredentialSource) bool { return slices.Contains(kinds, k) }),
		slices.Contains(kinds, aws.CredentialSourceSTSAssumeRole) != (answer.Method == "assume-role"):
		return "boto3: " + theirs
	}
	if answer.Key != "" {
		if id := lab.Get(t, s).AccessKeyID; id != answer.Key {
			return "boto3: " + answer.Key + ", we: " + id
		}
	}
	return ""
}

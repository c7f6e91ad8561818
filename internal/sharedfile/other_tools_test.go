package sharedfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile/corpus"
)

// TestForeignTools: what other programs write beside a whole key pair, and boto3, the
// AWS CLI and the SDK pass over, is no problem.
func TestForeignTools(t *testing.T) {
	const keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
	for name, tt := range map[string]struct{ config, credentials, profile string }{
		"aws-adfs":           {"[profile ops]\nadfs_config.ssl_verification = True\nadfs_config.role_arn = arn:aws:iam::123456789012:role/x\nadfs_config.adfs_host = h\n", "[ops]\n" + keys, "ops"},
		"aws-google-auth":    {"[profile ops]\ngoogle_config.ask_role = False\ngoogle_config.role_arn = arn:aws:iam::123456789012:role/x\n", "[ops]\n" + keys, "ops"},
		"aws-recipes":        {"", "[ops]\n" + keys + "aws_mfa_serial = arn:aws:iam::123456789012:mfa/ana\n", "ops"},
		"role of a script":   {"", "[ops]\n" + keys + "aws_role_arn = arn:aws:iam::123456789012:role/x\naws_external_id = x\naws_role_session_name = x\n", "ops"},
		"keys of s3 tools":   {"", "[ops]\n" + keys + "access_key = x\nsecret_key = y\n", "ops"},
		"id of another key":  {"[profile ops]\nregion = us-east-1\nrotated_key = AKIAIOSFODNN7EXAMPLE\n", "[ops]\n" + keys, "ops"},
		"id in a comment":    {"[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\nnote = AKIAIOSFODNN7EXAMPLE\n", "[base]\n" + keys, "ops"},
		"id beside process":  {"[profile ops]\ncredential_process = x\nvault_key = AKIAIOSFODNN7EXAMPLE\n", "", "ops"},
		"near default too":   {"", "[default]\n" + keys + "[defaul]\n" + keys, "default"},
		"foreign in session": {"[sso-session corp]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nrole_arn = x\n[profile ops]\nregion = us-east-1\n", "[ops]\n" + keys, "ops"},
	} {
		t.Run(name, func(t *testing.T) {
			files, _, _ := write(t, tt.config, tt.credentials)
			assert.Empty(t, texts(files.Problems(tt.profile)))
		})
	}
}

// TestSecretForAKey: a secret that stands where a key belongs is not shown.
func TestSecretForAKey(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	files, _, _ := write(t, "", "[default]\n"+secret+" = AKIAIOSFODNN7EXAMPLE\n")
	problems := texts(files.Problems("default"))
	assert.NotEmpty(t, problems)
	for _, text := range problems {
		assert.NotContains(t, text, strings.ToLower(secret))
	}
}

// TestDefaultWithComment: a comment's sign in the heading of the default profile is told
// of in both kinds of file.
func TestDefaultWithComment(t *testing.T) {
	for _, heading := range []string{"[default # old]", "[default ; old]", "[default#old]", "[default;]"} {
		text := heading + "\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
		config, _, _ := write(t, text, "")
		assert.NotEmpty(t, config.Problems("default"), "config %s", heading)
		credentials, _, _ := write(t, "", text)
		assert.NotEmpty(t, credentials.Problems("default"), "credentials %s", heading)
	}
}

// TestTools: a file that a program writes, or that people leave so, and that works
// elsewhere is not refused.
func TestTools(t *testing.T) {
	for _, entry := range corpus.Tools() {
		t.Run(entry.Name, func(t *testing.T) {
			files, _, _ := write(t, entry.Config, entry.Credentials)
			assert.Empty(t, texts(files.Problems(entry.Profile)))
			if source, ok := files.Get(entry.Profile, "source_profile"); ok {
				assert.Empty(t, texts(files.Problems(source.Text)), source.Text)
			}
		})
	}
}

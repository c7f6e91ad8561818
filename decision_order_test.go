package awsauth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// documented is what the order in the package's documentation makes of a world's
// profile: the base's kind, its key, and the roles from there on. It is written
// apart from the package, and knows nothing of faults.
func (w *world) documented() (kind aws.CredentialSource, key string, roles []string) {
	profile := w.active()
	for first := true; ; first = false {
		role, source := w.get(profile, "role_arn"), w.get(profile, "source_profile")
		if key := w.ownKey(profile); !first && key != "" {
			kind, key = w.besideRole(profile)
			return kind, key, roles
		}
		if role == "" || source == "" || source == profile {
			break
		}
		roles = append([]string{role}, roles...)
		profile = source
	}
	kind, key = w.ownSource(profile)
	if role := w.get(profile, "role_arn"); role != "" && kind != aws.CredentialSourceProfileSTSWebIDToken {
		roles = append([]string{role}, roles...)
	}
	return kind, key, roles
}

func (w *world) ownKey(profile string) string {
	if id := w.credentials[profile]["aws_access_key_id"]; id != "" {
		return id
	}
	return w.config[profile]["aws_access_key_id"]
}

// ownSource is the first source of a profile. One that is its own source_profile
// means its sources beside the role's.
func (w *world) ownSource(profile string) (kind aws.CredentialSource, key string) {
	has := func(key string) bool { return w.get(profile, key) != "" }
	if has("role_arn") && w.get(profile, "source_profile") != profile {
		switch w.get(profile, "credential_source") {
		case "Environment", "EcsContainer":
			return aws.CredentialSourceHTTP, ""
		case "Ec2InstanceMetadata":
			return aws.CredentialSourceIMDS, ""
		}
		if has("web_identity_token_file") {
			return aws.CredentialSourceProfileSTSWebIDToken, ""
		}
	}
	return w.plainSource(profile)
}

// besideRole is the source of a source profile that has keys: its role is passed over.
func (w *world) besideRole(profile string) (kind aws.CredentialSource, key string) {
	if w.get(profile, "role_arn") != "" && w.get(profile, "web_identity_token_file") != "" {
		return aws.CredentialSourceProfileSTSWebIDToken, ""
	}
	return w.plainSource(profile)
}

func (w *world) plainSource(profile string) (kind aws.CredentialSource, key string) {
	has := func(key string) bool { return w.get(profile, key) != "" }
	switch {
	case has("sso_start_url"), has("sso_account_id"):
		return aws.CredentialSourceSSOLegacy, "" // of either form, in the SDK's words
	case w.credentials[profile]["aws_access_key_id"] != "":
		return aws.CredentialSourceProfile, w.credentials[profile]["aws_access_key_id"]
	case has("login_session"):
		return aws.CredentialSourceLogin, ""
	case has("credential_process"):
		return aws.CredentialSourceProcess, ""
	}
	return aws.CredentialSourceProfile, w.config[profile]["aws_access_key_id"]
}

// checkOrder holds a decision of ours that is not the SDK's to the documented
// order.
func (c *cast) checkOrder(w *world, ours decided) {
	c.T.Helper()
	if ours.refusal != "" || w.environmentDecides() {
		return
	}
	kind, key, roles := w.documented()
	if kind == aws.CredentialSourceProfile && key == "" {
		return // the machine's
	}
	assert.Contains(c.T, strings.Fields(ours.kinds), fmt.Sprint(kind))
	if kind != aws.CredentialSourceProfile {
		return
	}
	if len(roles) == 0 {
		assert.Equal(c.T, c.text(key), ours.keyID)
		return
	}
	var calls []string
	for i, role := range roles {
		if i > 0 {
			key = ""
		}
		calls = append(calls, strings.TrimSpace(c.text(role+" "+key)))
	}
	for i := range ours.roles {
		parts := strings.SplitN(ours.roles[i], " ", 3) // role, key, external id; any but the first may be empty
		ours.roles[i] = strings.TrimSpace(parts[0] + " " + parts[1])
	}
	if !assert.Equal(c.T, calls, ours.roles) {
		config, credentials := w.text()
		c.T.Logf("option %q, environment %v\n%s---\n%s\n%+v", w.option, w.env, config, credentials, ours)
	}
}

// TestDecisionOfOneSource: where a profile has one source, there is no difference
// at all, the SDK's names for the source included.
func TestDecisionOfOneSource(t *testing.T) {
	keys := map[string]string{"aws_access_key_id": "$ID", "aws_secret_access_key": "$SECRET"}
	with := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	role := func(more ...string) map[string]string { return with(append([]string{"role_arn", "$BASE"}, more...)...) }
	selfSource := role("source_profile", "ops")
	selfSource["aws_access_key_id"], selfSource["aws_secret_access_key"] = "$ID", "$SECRET"
	roleAndKeys := role("aws_access_key_id", "$ID", "aws_secret_access_key", "$SECRET")
	for name, config := range map[string]map[string]map[string]string{
		"keys":                   {"ops": keys},
		"role":                   {"ops": role("source_profile", "b"), "b": keys},
		"two roles":              {"ops": with("role_arn", "$MIDDLE", "source_profile", "b"), "b": role("source_profile", "c"), "c": keys},
		"itself":                 {"ops": selfSource},
		"role beside keys":       {"ops": roleAndKeys},
		"metadata":               {"ops": role("credential_source", "Ec2InstanceMetadata")},
		"metadata of a source":   {"ops": with("role_arn", "$MIDDLE", "source_profile", "b"), "b": role("credential_source", "Ec2InstanceMetadata")},
		"web identity":           {"ops": role("web_identity_token_file", "$DIR/token")},
		"web of a source":        {"ops": with("role_arn", "$MIDDLE", "source_profile", "b"), "b": role("web_identity_token_file", "$DIR/token")},
		"SSO":                    {"ops": with("sso_session", "corp", "sso_account_id", lab.Home, "sso_role_name", "base")},
		"SSO, region in profile": {"ops": with("sso_session", "corp", "sso_account_id", lab.Home, "sso_role_name", "base", "sso_region", "us-east-1")},
		"SSO, old form":          {"ops": with("sso_start_url", "https://x", "sso_region", "us-east-1", "sso_account_id", lab.Home, "sso_role_name", "base")},
		"role beside SSO":        {"ops": role("sso_session", "corp", "sso_account_id", lab.Home, "sso_role_name", "base")},
		"SSO of a source":        {"ops": role("source_profile", "b"), "b": with("sso_session", "corp", "sso_account_id", lab.Home, "sso_role_name", "base")},
		"login":                  {"ops": with("login_session", "me")},
		"role beside login":      {"ops": role("login_session", "me")},
		"process":                {"ops": with("credential_process", "x")},
		"process of a source":    {"ops": role("source_profile", "b"), "b": with("credential_process", "x")},
		"role beside process":    {"ops": role("credential_process", "x")},
	} {
		for _, credentials := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/", credentials), func(t *testing.T) {
				c := newDecisionCast(t)
				w := world{config: config, option: "ops"}
				if credentials {
					w = world{credentials: config, option: "ops"}
				}
				w.enter(c)
				ours, theirs := c.ours(&w), c.theirs(&w)
				assert.Equal(t, theirs, ours)
			})
		}
	}
}

// TestDecisionOfMachine: the kinds of the default chain.
func TestDecisionOfMachine(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"environment": {"AWS_ACCESS_KEY_ID": "$ID", "AWS_SECRET_ACCESS_KEY": "$SECRET"},
		"web":         {"AWS_WEB_IDENTITY_TOKEN_FILE": "$DIR/token", "AWS_ROLE_ARN": "$BASE"},
		"web, named":  {"AWS_WEB_IDENTITY_TOKEN_FILE": "$DIR/token", "AWS_ROLE_ARN": "$BASE", "AWS_ROLE_SESSION_NAME": "me"},
		"relative":    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"},
		"full":        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x"},
		"both":        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x"},
		"metadata":    {},
	} {
		t.Run(name, func(t *testing.T) {
			c := newDecisionCast(t)
			w := world{env: env}
			w.enter(c)
			assert.Equal(t, c.theirs(&w), c.ours(&w))
		})
	}
}

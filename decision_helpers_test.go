package awsauth_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// world is a generated environment: profiles of two files, variables, and the
// profile that an option names.
type world struct {
	config, credentials map[string]map[string]string // by profile, then key
	env                 map[string]string
	option              string // of WithProfile
}

// choices turns bytes into decisions. Where there are no more, it is always the
// first.
type choices struct{ data []byte }

func (c *choices) of(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := int(c.data[0])
	c.data = c.data[1:]
	return b % n
}

func (c *choices) among(list ...string) string { return list[c.of(len(list))] }

// worldProfiles are the profiles that a world may have.
var worldProfiles = []string{"default", "ops", "b", "c"}

// newWorld makes a world from bytes.
func newWorld(data []byte) world {
	c := &choices{data}
	w := world{config: map[string]map[string]string{}, credentials: map[string]map[string]string{}, env: map[string]string{}}
	if c.of(3) > 0 {
		w.option = c.among("", "ops", "ops", "b", "default")
	}
	for range c.of(3) {
		w.variable(c)
	}
	for _, profile := range worldProfiles {
		if c.of(6) > 0 {
			w.config[profile] = map[string]string{}
			for range c.of(4) {
				w.line(c, w.config[profile], profile)
			}
		}
		if c.of(3) == 1 {
			w.credentials[profile] = map[string]string{}
			for range c.of(2) + 1 {
				if c.of(3) > 0 {
					w.keys(c, w.credentials[profile])
				} else {
					w.line(c, w.credentials[profile], profile)
				}
			}
		}
	}
	return w
}

func (w *world) variable(c *choices) {
	switch c.of(7) {
	case 0, 1:
		w.env["AWS_PROFILE"] = c.among("ops", "b", "default")
	case 2:
		w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = "$ID", "$SECRET"
	case 3:
		w.env["AWS_WEB_IDENTITY_TOKEN_FILE"], w.env["AWS_ROLE_ARN"] = "$DIR/token", "$BASE"
	case 4:
		w.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x"
	case 5:
		w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/x"
	case 6:
		w.env[c.among("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")] = "x"
	}
}

func (w *world) keys(c *choices, section map[string]string) {
	who := c.among("$", "$OTHER", "$THIRD")
	section["aws_access_key_id"], section["aws_secret_access_key"] = who+"ID", who+"SECRET"
}

// line is one thing that a profile may say.
func (w *world) line(c *choices, section map[string]string, profile string) {
	switch c.of(14) {
	case 0, 1:
		w.keys(c, section)
	case 2, 3, 4, 5:
		section["role_arn"] = c.among("$BASE", "$MIDDLE", "$MANAGE")
		section["source_profile"] = c.among(append(slices.Clone(worldProfiles), "b", "c", "nowhere")...)
	case 6:
		section["role_arn"] = c.among("$BASE", "$MIDDLE")
	case 7:
		section["role_arn"] = c.among("$BASE", "$MIDDLE")
		section["credential_source"] = c.among("Environment", "Ec2InstanceMetadata", "EcsContainer")
	case 8:
		section["role_arn"], section["web_identity_token_file"] = "$BASE", "$DIR/token"
	case 9:
		section["sso_session"] = c.among("corp", "corp", "missing")
		section["sso_account_id"], section["sso_role_name"] = lab.Home, "base"
	case 10:
		section["sso_start_url"], section["sso_region"] = "https://corp.awsapps.com/start", "us-east-1"
		section["sso_account_id"], section["sso_role_name"] = lab.Home, "base"
	case 11:
		section["login_session"] = "me"
	case 12:
		section["credential_process"] = "echo " + profile
	case 13:
		section[c.among("region", "output", "duration_seconds", "external_id")] = c.among("us-west-2", "3600", "7200")
	}
}

// text are the two files.
func (w *world) text() (config, credentials string) {
	var a, b strings.Builder
	for _, profile := range worldProfiles {
		if keys, ok := w.config[profile]; ok {
			heading := "profile " + profile
			if profile == "default" {
				heading = profile
			}
			writeSection(&a, heading, keys)
		}
		if keys, ok := w.credentials[profile]; ok {
			writeSection(&b, profile, keys)
		}
	}
	writeSection(&a, "sso-session corp", map[string]string{"sso_start_url": "https://corp.awsapps.com/start", "sso_region": "us-east-1"})
	return a.String(), b.String()
}

func writeSection(b *strings.Builder, heading string, keys map[string]string) {
	b.WriteString("[" + heading + "]\n")
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		b.WriteString(key + " = " + keys[key] + "\n")
	}
}

// enter puts the world into the environment.
func (w *world) enter(c *cast) {
	config, credentials := w.text()
	writeFiles(c.T, c.Dir, c.text(config), c.text(credentials)+"\n")
	for name, value := range w.env {
		c.T.Setenv(name, c.text(value))
	}
}

// get is a key of a profile, the credentials file first.
func (w *world) get(profile, key string) string {
	if v, ok := w.credentials[profile][key]; ok {
		return v
	}
	return w.config[profile][key]
}

// has reports whether there is such a profile.
func (w *world) has(profile string) bool {
	return w.config[profile] != nil || w.credentials[profile] != nil
}

// active is the profile in force.
func (w *world) active() string {
	switch {
	case w.option != "":
		return w.option
	case w.env["AWS_PROFILE"] != "":
		return w.env["AWS_PROFILE"]
	}
	return "default"
}

// way are the profiles that source_profile leads through from the active one, each
// once.
func (w *world) way() (profiles []string) {
	for profile := w.active(); w.has(profile) && !slices.Contains(profiles, profile); {
		profiles = append(profiles, profile)
		profile = w.get(profile, "source_profile")
	}
	return profiles
}

// decided is what somebody makes of a world: a refusal, or kinds of sources and
// the calls that lead to the identity.
type decided struct {
	refusal string
	kinds   string
	keyID   string
	roles   []string // "role key" of each call, key "" for a session's
}

func (d decided) equal(e decided) bool {
	if d.refusal != "" || e.refusal != "" {
		return (d.refusal == "") == (e.refusal == "")
	}
	return d.kinds == e.kinds && d.keyID == e.keyID && slices.Equal(d.roles, e.roles)
}

// newDecisionCast has all that a world may name.
func newDecisionCast(t testing.TB) *cast {
	c := newCast(t, awsauth.AWS)
	c.AddRole(awsauthtest.Role{ARN: c.ARN(lab.Home, "role/base"), Trust: []string{lab.Home, lab.Issuer}, MaxSession: maxSession})
	c.WebToken()
	c.Env("AWS_LOGIN_CACHE_DIRECTORY=$DIR", "HOME=$DIR", "AWS_REGION=us-east-1")
	return c
}

// writeFiles writes the shared files, where there is a text for them, and points
// the environment there.
func writeFiles(t testing.TB, dir, config, credentials string) {
	t.Helper()
	for name, text := range map[string]string{"config": config, "credentials": credentials} {
		if text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
}

package main

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// oidc stands in for the service that signs people in.
type oidc struct {
	mu      sync.Mutex
	pending int    // so many questions are answered with "not yet"
	refuse  string // then this error, if any
	seen    map[string]map[string]any
	out     int // sessions ended at the portal
}

// set changes or reads what the handler uses.
func (o *oidc) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// asked is what was last sent to a path.
func (o *oidc) asked(path string) (in map[string]any) {
	o.set(func() { in = o.seen[path] })
	return in
}

func (o *oidc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var in map[string]any
	_ = json.NewDecoder(r.Body).Decode(&in)
	o.seen[r.URL.Path] = in
	answer := map[string]any{}
	switch r.URL.Path {
	case "/client/register":
		answer = map[string]any{"clientId": "client", "clientSecret": "client-secret", "clientSecretExpiresAt": time.Now().Add(90 * 24 * time.Hour).Unix()}
	case "/device_authorization":
		answer = map[string]any{"deviceCode": "device", "userCode": "ABCD-EFGH", "verificationUri": "https://device.example.com/", "interval": 1,
			"verificationUriComplete": "https://device.example.com/?user_code=ABCD-EFGH", "expiresIn": 600}
	case "/token":
		code := o.refuse
		if o.pending > 0 {
			o.pending, code = o.pending-1, "AuthorizationPendingException"
		}
		if code != "" {
			w.Header().Set("X-Amzn-Errortype", code)
			w.WriteHeader(http.StatusBadRequest)
			break
		}
		answer = map[string]any{"accessToken": "sso-access-token", "refreshToken": "sso-refresh-token", "expiresIn": 3600, "tokenType": "Bearer"}
	case "/logout":
		o.out++
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// signIn sets up SSO: a stand-in for the sign-in, a Cloud with the portal, a home and
// a config file.
func signIn(t *testing.T) (o *oidc, cloud *awsauthtest.Cloud, home string) {
	t.Helper()
	cloud = awsauthtest.New(t)
	url, err := cloud.Serve()
	require.NoError(t, err)
	o = &oidc{seen: map[string]map[string]any{}}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("AWS_ENDPOINT_URL_SSO_OIDC", server.URL)
	t.Setenv("AWS_ENDPOINT_URL_SSO", url)
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	cloud.AddSSO("sso-access-token", "eu-central-1", "arn:aws:iam::222222222222:role/dev")
	config := filepath.Join(home, "config")
	t.Setenv("AWS_CONFIG_FILE", config)
	sso := "sso_account_id = 222222222222\nsso_role_name = dev\n"
	require.NoError(t, os.WriteFile(config, []byte("[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n"+
		"[profile dev]\nregion = us-east-1\nsso_session = corp\n"+sso+
		"[profile old]\nregion = us-east-1\nsso_start_url = https://old.awsapps.com/start\nsso_region = eu-central-1\n"+sso+
		"[profile prod]\nrole_arn = arn:aws:iam::333333333333:role/prod\nsource_profile = dev\n"+
		"[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = made-up\n"+
		"[profile lost]\nsso_session = none\n[profile region]\nsso_region = eu-central-1\n[profile url]\nsso_start_url = https://corp.awsapps.com/start\n"+
		"[profile scoped]\nsso_session = scoped\n"+sso+"[sso-session scoped]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n"+
		"sso_registration_scopes = sso:account:access, sso:other\t,third fourth\n"), 0o600))
	return o, cloud, home
}

// tokenFile is where the AWS CLI keeps a token of this name.
func tokenFile(home, name string) string {
	sum := sha1.Sum([]byte(name))
	return filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
}

func noSecrets(t *testing.T, got ran) {
	t.Helper()
	for _, secret := range []string{"sso-access-token", "sso-refresh-token", "client-secret"} {
		assert.NotContains(t, got.stdout+got.stderr, secret)
	}
}

// TestLogin: the token is where the CLI and the SDKs look for it, and boto3, the CLI
// and we ourselves go on with it.
func TestLogin(t *testing.T) {
	o, _, home := signIn(t)
	o.set(func() { o.pending = 1 })
	got := runProcess(t, "login", "--profile", "prod", "--no-browser")
	require.Equal(t, exitOK, got.code, got.stderr)
	noSecrets(t, got)
	assert.Empty(t, got.stdout)
	assert.Contains(t, got.stderr, "\n    https://device.example.com/?user_code=ABCD-EFGH\n")
	assert.Contains(t, got.stderr, "the code ABCD-EFGH")
	assert.Contains(t, got.stderr, "awsauth: signed in at https://corp.awsapps.com/start until ")
	assert.Equal(t, []any{"sso:account:access"}, o.asked("/client/register")["scopes"])
	assert.Equal(t, "https://corp.awsapps.com/start", o.asked("/device_authorization")["startUrl"])

	path := tokenFile(home, "corp")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var token map[string]string
	require.NoError(t, json.Unmarshal(text, &token))
	assert.Equal(t, "sso-access-token", token["accessToken"])
	assert.Equal(t, "sso-refresh-token", token["refreshToken"])
	assert.Equal(t, "https://corp.awsapps.com/start", token["startUrl"])
	assert.Regexp(t, `Z$`, token["expiresAt"])
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	assert.Equal(t, []string{filepath.Base(path), filepath.Base(path) + ".lock"}, names, "nothing half-written")

	arn := "arn:aws:sts::222222222222:assumed-role/dev/"
	t.Run("awsauth", func(t *testing.T) {
		got := runProcess(t, "whoami", "--profile", "dev")
		require.Equal(t, exitOK, got.code, got.stderr)
		assert.Contains(t, got.stdout, arn)
	})
	t.Run("aws", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), needs(t, "aws"), "sts", "get-caller-identity", "--profile", "dev").CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), arn)
	})
	t.Run("boto3", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), needsBoto(t), "-c", "import boto3; print(boto3.Session(profile_name='dev').client('sts').get_caller_identity()['Arn'])").CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), arn)
	})
}

// TestLoginOld: a profile with the address in itself; its file has the address's name.
func TestLoginOld(t *testing.T) {
	o, _, home := signIn(t)
	t.Setenv("AWS_PROFILE", "old")
	got := runProcess(t, "login", "--no-browser")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.FileExists(t, tokenFile(home, "https://old.awsapps.com/start"))
	assert.NotContains(t, o.asked("/client/register"), "scopes")
}

func TestLoginFails(t *testing.T) {
	o, _, home := signIn(t)
	tests := []struct{ profile, refuse, says string }{
		{"dev", "AccessDeniedException", "refused in the browser"},
		{"dev", "ExpiredTokenException", "nobody signed in before the code ended"},
		{"dev", "InternalServerException", "ask for the token"},
		{"keys", "", `profile "keys" does not sign in with SSO`},
		{"nobody", "", `profile "nobody" (--profile) is not in`},
		{"region", "", `profile "region" does not sign in with SSO`},
		{"url", "", `profile "url": sso_start_url and sso_region must both be there`},
		{"nobody", "", "; these sign in with SSO: dev, lost, scoped"},
		{"lost", "", "there is no section [sso-session none]"},
	}
	for _, tt := range tests {
		o.set(func() { o.refuse = tt.refuse })
		got := runProcess(t, "login", "--profile", tt.profile, "--no-browser")
		noSecrets(t, got)
		assert.Equal(t, exitFailed, got.code)
		assert.Contains(t, got.stderr, tt.says, tt)
	}
	assert.NoFileExists(t, tokenFile(home, "corp"))
}

// TestLogout: the session ends at AWS, and its file goes; twice is no fault.
func TestLogout(t *testing.T) {
	o, _, home := signIn(t)
	t.Setenv("AWS_ENDPOINT_URL_SSO", os.Getenv("AWS_ENDPOINT_URL_SSO_OIDC"))
	require.Equal(t, exitOK, runProcess(t, "login", "--profile", "dev", "--no-browser").code)
	got := runProcess(t, "logout", "--profile", "dev")
	noSecrets(t, got)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, "awsauth: signed out at https://corp.awsapps.com/start\n", got.stderr)
	o.set(func() { assert.Equal(t, 1, o.out) })
	assert.NoFileExists(t, tokenFile(home, "corp"))
	got = runProcess(t, "logout", "--profile", "dev")
	require.Equal(t, exitOK, got.code)
	assert.True(t, strings.HasPrefix(got.stderr, "awsauth: nobody is signed in"), got.stderr)
}

// TestLoginScopes: the scopes of the section are asked for, whatever is between them.
func TestLoginScopes(t *testing.T) {
	o, _, _ := signIn(t)
	got := runProcess(t, "login", "--profile", "scoped", "--no-browser")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, []any{"sso:account:access", "sso:other", "third", "fourth"}, o.asked("/client/register")["scopes"])
}

// TestSignInWords: an error says which command it is of, and names a flag or a variable
// only if that gave the profile.
func TestSignInWords(t *testing.T) {
	_, _, home := signIn(t)
	config := filepath.Join(home, "config")
	for _, command := range []string{"login", "logout"} {
		for _, tt := range []struct{ profile, variable, says string }{
			{says: `name a profile with --profile: there is no "default" in ` + config + " or "},
			{variable: "nobody", says: `profile "nobody" (AWS_PROFILE) is not in ` + config + " or "},
			{profile: "nobody", says: `profile "nobody" (--profile) is not in ` + config + " or "},
			{profile: "keys", says: `profile "keys" does not sign in with SSO`},
			{profile: "lost", says: `profile "lost": there is no section`},
			{profile: "url", says: `profile "url": sso_start_url and sso_region must both be there`},
		} {
			t.Setenv("AWS_PROFILE", tt.variable)
			got := runProcess(t, command, "--profile", tt.profile)
			assert.Equal(t, exitFailed, got.code)
			assert.True(t, strings.HasPrefix(got.stderr, "awsauth: "+command+": "+tt.says), got.stderr)
		}
	}
}

// TestLoginNowhere: where no profile signs in, none is offered.
func TestLoginNowhere(t *testing.T) {
	signIn(t)
	empty := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	t.Setenv("AWS_CONFIG_FILE", empty)
	got := runProcess(t, "login", "--profile", "nobody", "--no-browser")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, `profile "nobody" (--profile) is not in `)
	assert.NotContains(t, got.stderr, "these sign in")
	require.NoError(t, os.WriteFile(empty, []byte("[profile only]\nsso_session = corp\n"), 0o600))
	got = runProcess(t, "login", "--profile", "nobody", "--no-browser")
	assert.Contains(t, got.stderr, "; these sign in with SSO: only\n")
}

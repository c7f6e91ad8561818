package ssologin_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
)

// recorder is a service that notes what it is asked.
type recorder struct {
	expires  int32
	register *ssooidc.RegisterClientInput
	start    *ssooidc.StartDeviceAuthorizationInput
	create   *ssooidc.CreateTokenInput
}

func (r *recorder) RegisterClient(_ context.Context, in *ssooidc.RegisterClientInput, _ ...func(*ssooidc.Options)) (*ssooidc.RegisterClientOutput, error) {
	r.register = in
	return &ssooidc.RegisterClientOutput{ClientId: aws.String("the-id"), ClientSecret: aws.String("the-client-secret"), ClientSecretExpiresAt: 1_900_000_000}, nil
}

func (r *recorder) StartDeviceAuthorization(_ context.Context, in *ssooidc.StartDeviceAuthorizationInput, _ ...func(*ssooidc.Options)) (*ssooidc.StartDeviceAuthorizationOutput, error) {
	r.start = in
	return &ssooidc.StartDeviceAuthorizationOutput{
		DeviceCode: aws.String("the-device-code"), UserCode: aws.String("AB-CD"), ExpiresIn: 60,
		VerificationUri: aws.String("https://x"), VerificationUriComplete: aws.String("https://x?AB-CD"),
	}, nil
}

func (r *recorder) CreateToken(_ context.Context, in *ssooidc.CreateTokenInput, _ ...func(*ssooidc.Options)) (*ssooidc.CreateTokenOutput, error) {
	r.create = in
	return &ssooidc.CreateTokenOutput{AccessToken: aws.String("the-token"), RefreshToken: aws.String("the-refresh-token"), ExpiresIn: r.expires}, nil
}

// TestRun: what is sent, what the person is shown, and what is kept of the answers.
func TestRun(t *testing.T) {
	for session, want := range map[string]struct{ grants, scopes []string }{
		"":     {nil, nil},
		"corp": {[]string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}, []string{"sso:account:access"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{expires: 3600}
			var shown ssologin.Device
			token, err := ssologin.Run(t.Context(), r, ssologin.Place{Session: session, StartURL: "https://corp", Region: "eu-west-1"}, func(d ssologin.Device) { shown = d })
			require.NoError(t, err)
			assert.Equal(t, "awsauth", aws.ToString(r.register.ClientName))
			assert.Equal(t, "public", aws.ToString(r.register.ClientType))
			assert.Equal(t, want.grants, r.register.GrantTypes)
			assert.Equal(t, want.scopes, r.register.Scopes)
			assert.Equal(t, &ssooidc.StartDeviceAuthorizationInput{ClientId: aws.String("the-id"), ClientSecret: aws.String("the-client-secret"), StartUrl: aws.String("https://corp")}, r.start)
			assert.Equal(t, "https://x?AB-CD", shown.Address)
			assert.Equal(t, "the-device-code", aws.ToString(r.create.DeviceCode))
			assert.Equal(t, "urn:ietf:params:oauth:grant-type:device_code", aws.ToString(r.create.GrantType))
			assert.Equal(t, "the-id", aws.ToString(r.create.ClientId))
			assert.Equal(t, "the-client-secret", aws.ToString(r.create.ClientSecret))
			fields := map[string]string{
				"StartURL": token.StartURL, "Region": token.Region, "AccessToken": token.AccessToken, "ExpiresAt": token.ExpiresAt, "ClientID": token.ClientID,
				"ClientSecret": token.ClientSecret, "RegistrationExpiresAt": token.RegistrationExpiresAt, "RefreshToken": token.RefreshToken,
			}
			assert.Equal(t, map[string]string{
				"StartURL": "https://corp", "Region": "eu-west-1", "AccessToken": "the-token", "ExpiresAt": time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"),
				"ClientID": "the-id", "ClientSecret": "the-client-secret", "RegistrationExpiresAt": "2030-03-17T17:46:40Z", "RefreshToken": "the-refresh-token",
			}, fields)
			assert.Equal(t, "token of https://corp until "+token.ExpiresAt, token.String())
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				assert.Equal(t, token.String(), fmt.Sprintf(verb, token))
			}
		})
	}
	_, err := ssologin.Run(t.Context(), &recorder{}, ssologin.Place{StartURL: "https://corp"}, func(ssologin.Device) {})
	require.ErrorIs(t, err, ssologin.ErrNoToken, "a token that has ended already")
}

// TestWrite: the token's file is for the user alone, wherever it was before, and who
// reads it gets it whole; nothing else is left beside it.
func TestWrite(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	p := ssologin.Place{Session: "corp", StartURL: "https://corp"}
	path, err := p.File()
	require.NoError(t, err)
	if rel, err := filepath.Rel(home, path); err != nil || !filepath.IsLocal(rel) {
		t.Skip("the SDK does not take its place from $HOME on this system")
	}
	for _, text := range []string{"one", "two"} {
		token := ssologin.Token{StartURL: "https://corp", AccessToken: text, ClientSecret: "s", RefreshToken: "r"}
		kept, err := p.Write(token, ssologin.Token{})
		require.NoError(t, err)
		assert.True(t, kept == token)
		got, err := p.Read()
		require.NoError(t, err)
		assert.True(t, got == token)
		info, err := os.Stat(path)
		require.NoError(t, err)
		if runtime.GOOS != "windows" { // which has no modes
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
		files, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Len(t, files, 1)
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	_, err = p.Write(ssologin.Token{StartURL: "https://corp"}, ssologin.Token{})
	require.Error(t, err, "a directory stands in its place")
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 1, "what was not renamed is not left beside it")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("the-token"), 0o600))
	_, err = p.Read()
	require.ErrorContains(t, err, "not a token file")
	assert.NotContains(t, err.Error(), "the-token")
	require.NoError(t, p.Remove())
	_, err = p.Read()
	require.ErrorIs(t, err, os.ErrNotExist)
}

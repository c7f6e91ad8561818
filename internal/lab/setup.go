package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Write puts a file into the place's directory.
func (w *Place) Write(name, text string) {
	w.T.Helper()
	require.NoError(w.T, os.WriteFile(filepath.Join(w.Dir, name), []byte(w.Text(text)), 0o600))
}

// WebToken writes a web identity token into the file "token".
func (w *Place) WebToken() {
	w.T.Helper()
	w.Write("token", w.WebIdentityToken(Issuer, "repo:corp/app", time.Hour))
}

// InContainer puts the place into a container that has the base role.
func (w *Place) InContainer() {
	w.T.Helper()
	w.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=" + w.SetContainer(&awsauthtest.Container{RoleARN: w.ARN(Home, "role/base")}))
}

// OnInstance puts the place on an instance that has the base role, in the
// partition's second region.
func (w *Place) OnInstance() {
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(Home, "role/base"), Region: OtherRegion(w.Partition)})
}

// SessionKeys are temporary keys of the base role, as somebody passes them on.
func (w *Place) SessionKeys() awsauthtest.Keys {
	w.T.Helper()
	s := w.Open(w.Static(), awsauth.WithRoleARN(w.ARN(Home, "role/base")))
	c, err := s.Retrieve(w.T.Context())
	require.NoError(w.T, err)
	w.ResetCalls()
	return awsauthtest.Keys{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// SSOLogin leaves behind what `aws sso login` does: a token with which SSO gives
// the base role.
func (w *Place) SSOLogin(session string) {
	w.T.Helper()
	w.ssoToken(session, "sso-token", 96*time.Hour)
	w.AddSSO("sso-token", DefaultRegion(w.Partition), w.ARN(Home, "role/base"))
}

// ExpiredSSOLogin leaves a login behind whose token has to be renewed.
func (w *Place) ExpiredSSOLogin(session string) {
	w.T.Helper()
	w.ssoFile(session, map[string]string{
		"accessToken": "the-sso-token", "refreshToken": "the-refresh-token", "clientId": "client", "clientSecret": "the-client-secret",
		"expiresAt": inFile(-time.Minute), "registrationExpiresAt": inFile(time.Hour),
	})
}

// SSOToken leaves a token behind that nobody issued and that expires then.
func (w *Place) SSOToken(session string, left time.Duration) {
	w.T.Helper()
	w.ssoToken(session, "an-sso-token", left)
}

func (w *Place) ssoToken(session, token string, left time.Duration) {
	w.T.Helper()
	w.ssoFile(session, map[string]string{"accessToken": token, "expiresAt": inFile(left)})
}

// inFile is a time from now, as it stands in a file.
func inFile(left time.Duration) string { return time.Now().Add(left).UTC().Format(time.RFC3339) }

func (w *Place) ssoFile(session string, fields map[string]string) {
	w.T.Helper()
	path := w.SSOCache(session)
	require.NoError(w.T, os.MkdirAll(filepath.Dir(path), 0o700))
	text, err := json.Marshal(fields)
	require.NoError(w.T, err)
	require.NoError(w.T, os.WriteFile(path, text, 0o600))
}

// SSOCache is where the SDK looks for the token of an SSO session. The test is
// skipped where that is not below the directory of the place.
func (w *Place) SSOCache(session string) string {
	w.T.Helper()
	w.T.Setenv("HOME", w.Dir)
	path, err := ssocreds.StandardCachedTokenFilepath(session)
	require.NoError(w.T, err)
	if rel, err := filepath.Rel(w.Dir, path); err != nil || !filepath.IsLocal(rel) {
		w.T.Skip("the SDK does not take its SSO token from $HOME on this system")
	}
	return path
}

// SSOSession are the lines of a profile that starts from the SSO session "corp".
const SSOSession = "sso_session = corp\nsso_account_id = " + Home + "\nsso_role_name = base\n"

// SSOProfile writes a profile "dev" that starts from SSO, on a machine where
// nobody has logged in yet.
func (w *Place) SSOProfile() {
	w.T.Helper()
	w.SSOCache("corp")
	w.Files("[profile dev]\n"+SSOSession+CorpSection, "")
}

// CorpSection is the section of SSOSession's session.
const CorpSection = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"

// LoginSession is the login_session of LoggedIn.
const LoginSession = "arn:aws:iam::111111111111:user/ana"

// LoggedIn leaves behind what `aws login` does, with keys of the base role that
// last ten minutes.
func (w *Place) LoggedIn() {
	w.T.Helper()
	w.login(w.SessionKeys(), 10*time.Minute)
}

// ExpiredLogin leaves a login behind that has to be renewed.
func (w *Place) ExpiredLogin() {
	w.T.Helper()
	w.login(awsauthtest.Keys{AccessKeyID: SomeID, SecretAccessKey: SomeSecret, SessionToken: "the-session-token"}, -time.Minute)
}

func (w *Place) login(k awsauthtest.Keys, left time.Duration) {
	w.T.Helper()
	w.T.Setenv("AWS_LOGIN_CACHE_DIRECTORY", w.Dir)
	path, err := logincreds.StandardCachedTokenFilepath(LoginSession, w.Dir)
	require.NoError(w.T, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(w.T, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(w.T, err)
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{
			"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken,
			"accountId": Home, "expiresAt": time.Now().Add(left).UTC(),
		},
		"tokenType": "aws_sigv4", "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "the-refresh-token",
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	require.NoError(w.T, err)
	require.NoError(w.T, os.WriteFile(path, text, 0o600))
}

// MFASerial is the device of MFAProfile's user.
const MFASerial = "arn:aws:iam::111111111111:mfa/ana"

// MFAProfile is a profile whose role asks for MFA, and a user with a device.
func (w *Place) MFAProfile() {
	w.T.Helper()
	w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(Home, "user/ci"), MFASerial: MFASerial})
	w.Files(MFALines, "")
}

// MFALines are the profile "admin" of MFAProfile.
const MFALines = "[profile admin]\nrole_arn = $BASE\nmfa_serial = " + MFASerial + "\nsource_profile = keys\n[profile keys]\n" + KeyLines

// MFAFrom answers for the codes.
func (*Place) MFAFrom(code func() (string, error)) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = code }))
}

// RoleProfile is the text of a profile "ops" that assumes the base role with
// the user's keys.
const RoleProfile = "[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + KeyLines

// ChainProfile is the text of a profile "ops" that assumes the middle role from
// the base role, which profile "first" assumes with the user's keys.
const ChainProfile = "[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n" +
	"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n" + KeyLines

// ProfileRole is a session of the profile of RoleProfile.
func (w *Place) ProfileRole() *awsauth.Session {
	w.T.Helper()
	w.Files(RoleProfile, "")
	return w.Open(awsauth.WithProfile("ops"))
}

// WebEnv points the environment to the file of WebToken, for the base role.
func (w *Place) WebEnv() {
	w.T.Helper()
	w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
}

// WebIdentity is a session of a web identity that lasts for days.
func (w *Place) WebIdentity() *awsauth.Session {
	w.T.Helper()
	w.Write("token", w.WebIdentityToken(Issuer, "repo:corp/app", 96*time.Hour))
	w.WebEnv()
	return w.Open()
}

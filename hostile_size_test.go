package awsauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// expiredLogin leaves a login behind whose token has to be renewed.
func (w *place) expiredLogin(name string) {
	w.t.Helper()
	w.t.Setenv("HOME", w.dir)
	path, err := ssocreds.StandardCachedTokenFilepath(name)
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	text, err := json.Marshal(map[string]string{
		"accessToken": "the-sso-token", "refreshToken": "the-refresh-token", "clientId": "client", "clientSecret": "the-client-secret",
		"expiresAt":             time.Now().Add(-time.Minute).UTC().Format(time.RFC3339),
		"registrationExpiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(path, text, 0o600))
}

// expiredSignIn leaves a sign-in of `aws login` behind that has to be renewed.
func (w *place) expiredSignIn() {
	w.t.Helper()
	w.t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", w.dir)
	path, err := logincreds.StandardCachedTokenFilepath(loginSession, w.dir)
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(w.t, os.WriteFile(path, []byte(loginToken(w.t, time.Now().Add(-time.Minute))), 0o600))
}

// TestEndlessAnswers end at a mebibyte, whoever sends them and with whatever status.
func TestEndlessAnswers(t *testing.T) {
	for _, service := range strangeServices() {
		for name, answer := range map[string]func(*stranger, http.ResponseWriter, *http.Request){
			"200": endless(200, ""), "200 XML": endless(200, "<AssumeRoleResponse><A>"), "200 JSON": endless(200, `{"a":"`),
			"403": endless(403, "<ErrorResponse><Error><Code>"), "500": endless(500, ""), "400 JSON": endless(400, `{"message":"`),
			"gzip 200": bomb(200, `{"a":"`), "gzip 403": bomb(403, "<ErrorResponse><Error><Message>"),
		} {
			t.Run(service.name+"/"+name, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				s := newStranger(t, answer)
				log := newNotebook()
				opts := service.use(w, s.url)
				var session *awsauth.Session
				var err error
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				used := allocated(func() {
					session, err = awsauth.New(append(opts, log.option())...)
					require.NoError(t, err)
					_, err = session.Retrieve(ctx)
				})
				require.Error(t, err)
				require.NotZero(t, s.asked.Load())
				assert.Less(t, used, uint64(80<<20), "bytes allocated")
				assert.Less(t, s.sent.Load(), int64(64<<20), "bytes that could be sent")
				assert.Less(t, time.Since(start), 15*time.Second)
				assert.Less(t, len(err.Error()), 3000)
				assert.NotContains(t, err.Error(), "AAAAAAAAAA")
				allIsCalm(t, session, log, err)
			})
		}
	}
}

// TestLongMessages: what AWS says is clipped, and a request id too.
func TestLongMessages(t *testing.T) {
	long := strings.Repeat("x", 900<<10)
	w := newPlace(t, awsauth.AWS)
	for _, body := range []string{
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>" + long + "</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>" + long + "</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>ValidationError</Code><Message>no " + long + "</Message></Error><RequestId>" + long + "</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::111111111111:user/" + long + " is not authorized to perform: sts:" + long + " on</Message></Error></ErrorResponse>",
	} {
		s := newStranger(t, says(403, "text/xml", body))
		session := mustOpen(t, w.static(), awsauth.WithAccount(target), awsauth.WithSTSEndpoint(s.url))
		_, err := session.Retrieve(t.Context())
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 2500)
		assert.Less(t, len(session.Explain().String()), 8000)
		errorIsCalm(t, err)
	}
}

// loginToken is what `aws login` leaves behind.
func loginToken(t testing.TB, expires time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{"accessKeyId": someID, "secretAccessKey": someSecret, "sessionToken": "the-session-token",
			"accountId": home, "expiresAt": expires.UTC()},
		"tokenType": "aws_sigv4", "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "the-refresh-token",
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	require.NoError(t, err)
	return string(text)
}

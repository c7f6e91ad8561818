package lab

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// hostileText holds what moves a cursor, rings, forges a line or turns the direction
// of what is read.
const HostileText = "\x1b[2J\x1b]0;owned\x07\u009b31mred\u202egnp.exe\u2066\r\nroot: all is well\u2028\u200b\x00\x7f\u0085end"

// stranger is a server on the loopback that answers in a service's place, and counts
// what it could send.
type Stranger struct {
	URL   string
	Asked atomic.Int64       // requests
	Sent  atomic.Int64       // bytes, of an endless answer
	Seen  chan *http.Request // the first thousand requests
}

func NewStranger(t *testing.T, answer func(s *Stranger, rw http.ResponseWriter, r *http.Request)) *Stranger {
	t.Helper()
	s := &Stranger{Seen: make(chan *http.Request, 1000)}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.Asked.Add(1)
		s.Seen <- r.Clone(r.Context())
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		answer(s, rw, r)
	}))
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// says answers with a status and a body.
func Says(status int, contentType, body string) func(*Stranger, http.ResponseWriter, *http.Request) {
	return func(_ *Stranger, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// strangeService is one whose place a stranger takes.
type StrangeService struct {
	Name string
	Use  func(w *Place, url string) []awsauth.Option // sets the place up to ask url
}

func StrangeServices() []StrangeService {
	const sso = "[default]\nregion = us-east-1\n" + SSOSession + CorpSection
	return []StrangeService{
		{"STS, role", func(w *Place, url string) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithAccount(Target), awsauth.WithSTSEndpoint(url)}
		}},
		{"STS, profile's role", func(w *Place, url string) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL_STS=" + url)
			w.Files(RoleProfile, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		}},
		{"STS, web identity", func(w *Place, url string) []awsauth.Option {
			w.WebToken()
			w.WebEnv()
			w.Env("AWS_ENDPOINT_URL_STS=" + url)
			return nil
		}},
		{"container", func(w *Place, url string) []awsauth.Option {
			w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+"/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN=the-container-token")
			return nil
		}},
		{"metadata", func(w *Place, url string) []awsauth.Option {
			w.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+url, "AWS_EC2_METADATA_DISABLED=false", "AWS_REGION=us-east-1")
			return nil
		}},
		{"SSO", func(w *Place, url string) []awsauth.Option {
			w.SSOLogin("corp")
			w.Env("AWS_ENDPOINT_URL_SSO=" + url)
			w.Files(sso, "")
			return nil
		}},
		{"SSO token", func(w *Place, url string) []awsauth.Option {
			w.ExpiredSSOLogin("corp")
			w.Env("AWS_ENDPOINT_URL_SSO_OIDC="+url, "AWS_ENDPOINT_URL_SSO="+url)
			w.Files(sso, "")
			return nil
		}},
		{"sign-in", func(w *Place, url string) []awsauth.Option {
			w.ExpiredLogin()
			w.Env("AWS_ENDPOINT_URL_SIGNIN=" + url)
			w.Files("[default]\nregion = us-east-1\nlogin_session = "+LoginSession+"\n", "")
			return nil
		}},
	}
}

// assumed is an answer of STS to AssumeRole, well-formed but for what is put in.
func AssumedAnswer(action, arn, id, key string) string {
	user := ""
	if arn != "" {
		user = fmt.Sprintf("<AssumedRoleUser><Arn>%s</Arn><AssumedRoleId>%s</AssumedRoleId></AssumedRoleUser>", arn, id)
	}
	return fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>%[2]s<Credentials><AccessKeyId>%[3]s</AccessKeyId>`+
		`<SecretAccessKey>secret-of-a-stranger</SecretAccessKey><SessionToken>token-of-a-stranger</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>`+
		`</%[1]sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`, action, user, key)
}

// xmlText is a text as XML can carry it: no C0 control but white space.
func XMLText(s string) string {
	return strings.NewReplacer("\x1b", "\u009b", "\x07", "", "\x00", "", "&", "&amp;", "<", "&lt;", "\n", "&#10;", "\r", "&#13;").Replace(s)
}

// MustOpen is a session whose requests leave on the SDK's own client, each once.
func MustOpen(t *testing.T, opts ...awsauth.Option) *awsauth.Session {
	t.Helper()
	s, err := awsauth.New(append(opts, FewAttempts)...)
	require.NoError(t, err)
	return s
}

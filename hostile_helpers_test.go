package awsauth_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// hostileText holds what moves a cursor, rings, forges a line or turns the direction
// of what is read.
const hostileText = "\x1b[2J\x1b]0;owned\x07\u009b31mred\u202egnp.exe\u2066\r\nroot: all is well\u2028\u200b\x00\x7f\u0085end"

// stranger is a server on the loopback that answers in a service's place, and counts
// what it could send.
type stranger struct {
	url   string
	asked atomic.Int64
	sent  atomic.Int64
	seen  chan *http.Request
}

func newStranger(t *testing.T, answer func(s *stranger, rw http.ResponseWriter, r *http.Request)) *stranger {
	t.Helper()
	s := &stranger{seen: make(chan *http.Request, 1000)}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.seen <- r.Clone(r.Context())
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		answer(s, rw, r)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// says answers with a status and a body.
func says(status int, contentType, body string) func(*stranger, http.ResponseWriter, *http.Request) {
	return func(_ *stranger, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// endless answers with a body that never ends.
func endless(status int, start string) func(*stranger, http.ResponseWriter, *http.Request) {
	return func(s *stranger, rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, start)
		chunk := bytes.Repeat([]byte("A"), 64<<10)
		for r.Context().Err() == nil && s.sent.Load() < 1<<30 {
			n, err := rw.Write(chunk)
			s.sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// bomb answers with little that unpacks to much.
func bomb(status int, start string) func(*stranger, http.ResponseWriter, *http.Request) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, start)
	zeros := make([]byte, 1<<20)
	for range 300 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return func(_ *stranger, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		rw.WriteHeader(status)
		_, _ = rw.Write(packed.Bytes())
	}
}

// strangeService is one whose place a stranger takes.
type strangeService struct {
	name string
	use  func(w *place, url string) []awsauth.Option // sets the place up to ask url
}

func strangeServices() []strangeService {
	sso := "[default]\nregion = us-east-1\nsso_session = corp\nsso_account_id = " + home + "\nsso_role_name = base\n" +
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
	return []strangeService{
		{"STS, role", func(w *place, url string) []awsauth.Option {
			return []awsauth.Option{w.static(), awsauth.WithAccount(target), awsauth.WithSTSEndpoint(url)}
		}},
		{"STS, profile's role", func(w *place, url string) []awsauth.Option {
			w.env("AWS_ENDPOINT_URL_STS=" + url)
			w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		}},
		{"STS, web identity", func(w *place, url string) []awsauth.Option {
			w.webToken()
			w.env("AWS_ENDPOINT_URL_STS="+url, "AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE")
			return nil
		}},
		{"container", func(w *place, url string) []awsauth.Option {
			w.env("AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+"/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN=the-container-token")
			return nil
		}},
		{"metadata", func(w *place, url string) []awsauth.Option {
			w.env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+url, "AWS_EC2_METADATA_DISABLED=false", "AWS_REGION=us-east-1")
			return nil
		}},
		{"SSO", func(w *place, url string) []awsauth.Option {
			w.login("corp")
			w.env("AWS_ENDPOINT_URL_SSO=" + url)
			w.files(sso, "")
			return nil
		}},
		{"SSO token", func(w *place, url string) []awsauth.Option {
			w.expiredLogin("corp")
			w.env("AWS_ENDPOINT_URL_SSO_OIDC="+url, "AWS_ENDPOINT_URL_SSO="+url)
			w.files(sso, "")
			return nil
		}},
		{"sign-in", func(w *place, url string) []awsauth.Option {
			w.expiredSignIn()
			w.env("AWS_ENDPOINT_URL_SIGNIN=" + url)
			w.files("[default]\nregion = us-east-1\nlogin_session = arn:aws:iam::111111111111:user/ana\n", "")
			return nil
		}},
	}
}

// allocated is how much memory fn allocates in all.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// assumed is an answer of STS to AssumeRole, well-formed but for what is put in.
func assumedAnswer(action, arn, id, key string) string {
	user := ""
	if arn != "" {
		user = fmt.Sprintf("<AssumedRoleUser><Arn>%s</Arn><AssumedRoleId>%s</AssumedRoleId></AssumedRoleUser>", arn, id)
	}
	return fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>%[2]s<Credentials><AccessKeyId>%[3]s</AccessKeyId>`+
		`<SecretAccessKey>secret-of-a-stranger</SecretAccessKey><SessionToken>token-of-a-stranger</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>`+
		`</%[1]sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`, action, user, key)
}

// xmlText is a text as XML can carry it: no C0 control but white space.
func xmlText(s string) string {
	return strings.NewReplacer("\x1b", "\u009b", "\x07", "", "\x00", "", "&", "&amp;", "<", "&lt;", "\n", "&#10;", "\r", "&#13;").Replace(s)
}

// mustOpen is a session whose requests leave on the SDK's own client.
func mustOpen(t *testing.T, opts ...awsauth.Option) *awsauth.Session {
	t.Helper()
	s, err := awsauth.New(opts...)
	require.NoError(t, err)
	return s
}

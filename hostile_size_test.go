package awsauth_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestEndlessAnswers end at a mebibyte, whoever sends them and with whatever status.
func TestEndlessAnswers(t *testing.T) {
	answers := map[string]func(*lab.Stranger, http.ResponseWriter, *http.Request){
		"200": endless(200, ""), "200 XML": endless(200, "<AssumeRoleResponse><A>"), "200 JSON": endless(200, `{"a":"`),
		"403": endless(403, "<ErrorResponse><Error><Code>"), "500": endless(500, ""), "400 JSON": endless(400, `{"message":"`),
		"gzip 200": bomb(200, `{"a":"`), "gzip 403": bomb(403, "<ErrorResponse><Error><Message>"),
	}
	for _, service := range lab.StrangeServices() {
		for name, answer := range answers {

			t.Run(service.Name+"/"+name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				s := lab.NewStranger(t, answer)
				log := new(lab.Records)
				opts := append(service.Use(w, s.URL), lab.FewAttempts)
				var session *awsauth.Session
				var err error
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				used := allocated(func() {
					session, err = awsauth.New(append(opts, log.Option())...)
					require.NoError(t, err)
					_, err = session.Retrieve(ctx)
				})
				require.Error(t, err)
				require.NotZero(t, s.Asked.Load())
				assert.Less(t, used, uint64(80<<20), "bytes allocated")
				assert.Less(t, s.Sent.Load(), int64(64<<20), "bytes that could be sent")
				assert.Less(t, time.Since(start), 15*time.Second)
				assert.Less(t, len(err.Error()), 3000)
				assert.NotContains(t, err.Error(), "AAAAAAAAAA")
				lab.AllIsCalm(t, session, log, err)
			})
		}
	}
}

// TestLongMessages: what AWS says is clipped, and a request id too.
func TestLongMessages(t *testing.T) {
	long := strings.Repeat("x", 900<<10)
	w := lab.New(t, awsauth.AWS)
	for _, body := range []string{
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>" + long + "</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>" + long + "</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>ValidationError</Code><Message>no " + long + "</Message></Error><RequestId>" + long + "</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::111111111111:user/" + long + " is not authorized to perform: sts:" + long + " on</Message></Error></ErrorResponse>",
	} {
		s := lab.NewStranger(t, lab.Says(403, "text/xml", body))
		session := lab.MustOpen(t, w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithSTSEndpoint(s.URL))
		_, err := session.Retrieve(t.Context())
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 2500)
		assert.Less(t, len(session.Explain().String()), 8000)
		lab.ErrorIsCalm(t, err)
	}
}

// endless answers with a body that never ends.
func endless(status int, start string) func(*lab.Stranger, http.ResponseWriter, *http.Request) {
	return func(s *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, start)
		chunk := bytes.Repeat([]byte("A"), 64<<10)
		for r.Context().Err() == nil && s.Sent.Load() < 1<<30 {
			n, err := rw.Write(chunk)
			s.Sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// bomb answers with little that unpacks to much.
func bomb(status int, start string) func(*lab.Stranger, http.ResponseWriter, *http.Request) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, start)
	zeros := make([]byte, 1<<20)
	for range 300 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return func(_ *lab.Stranger, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		rw.WriteHeader(status)
		_, _ = rw.Write(packed.Bytes())
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

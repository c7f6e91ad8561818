package awsauth_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestForEachAccountConnections: a walk opens about as many connections as it
// has calls at a time, however many accounts.
func TestForEachAccountConnections(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	ids := w.Accounts(200)
	w.Slow(5 * time.Millisecond) // so that all places are in use
	served, err := w.Serve()
	require.NoError(t, err)
	inner, err := url.Parse(served)
	require.NoError(t, err)
	var opened atomic.Int64
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = inner.Scheme, inner.Host },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	})
	front.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	front.Start()
	defer front.Close()
	s, err := awsauth.New(w.Static(), awsauth.WithSTSEndpoint(front.URL))
	require.NoError(t, err)
	require.NoError(t, s.ForEachAccount(t.Context(), ids, lab.Enter))
	assert.Equal(t, 200, w.Assumed())
	t.Log(opened.Load(), "connections")
	assert.LessOrEqual(t, opened.Load(), int64(20))
}

// TestForEachAccountThousands: the cost of an account does not grow with
// their number.
func TestForEachAccountThousands(t *testing.T) {
	const n = 3000
	w := lab.New(t, awsauth.AWS)
	s, ids := w.Open(w.Static()), w.Accounts(n)
	perAccount := func(ids []string) time.Duration {
		start := time.Now()
		require.NoError(t, s.ForEachAccount(t.Context(), ids, lab.Enter, awsauth.WithSessionName(fmt.Sprint("walk-", len(ids)))))
		return time.Since(start) / time.Duration(len(ids))
	}
	few := max(perAccount(ids[:n/10]), perAccount(ids[:n/10+1])) // others use the machine, too
	w.ResetCalls()
	many := perAccount(ids)
	t.Log(few, "an account of", n/10, "and", many, "of", n)
	assert.Equal(t, n, w.Assumed())
	assert.Less(t, many, 8*few) // a list walked for each account would make it 10 times as much
}

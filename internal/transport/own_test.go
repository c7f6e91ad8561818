package transport_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const limit = 1 << 20

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A body that unpacks to 1.5 GB ends after 1 MiB, in every client of the library's.
func TestGzipBomb(t *testing.T) {
	var member bytes.Buffer // of many that follow each other, and are one body unpacked
	z := gzip.NewWriter(&member)
	_, err := io.CopyN(z, zeros{}, 3_000_000)
	require.NoError(t, errors.Join(err, z.Close()))
	server := serve(t, new(journal), "sts", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		for range 500 {
			_, _ = w.Write(member.Bytes())
		}
	})
	for name, c := range ownClients() {
		response, err := c.Do(request(t, "GET", server.URL))
		require.NoError(t, err, name)
		require.True(t, response.Uncompressed, "the transport unpacks it")
		n, err := io.Copy(io.Discard, response.Body)
		assert.EqualValues(t, limit, n, name)
		var tooLarge *transport.TooLargeError
		require.ErrorAs(t, err, &tooLarge, name)
		assert.False(t, tooLarge.RetryableError())
		assert.EqualError(t, err, "the answer is longer than 1024 KiB")
		_, err = response.Body.Read(make([]byte, 1))
		assert.ErrorAs(t, err, &tooLarge, "%s: it stays ended", name)
		require.NoError(t, response.Body.Close())
	}
}

func ownClients() map[string]aws.HTTPClient {
	o := transport.PoolOptions{}
	return map[string]aws.HTTPClient{
		"own": transport.NewPool(o).Own(), "metadata": transport.Metadata(o), "container": transport.Container(o),
		"http.Client": transport.Own(&http.Client{}), "other": transport.Own(smithyhttp.ClientDoFunc(new(http.Client).Do)),
	}
}

// 1 MiB is not too large; and clients of Config() read what there is.
func TestLargeAnswers(t *testing.T) {
	for _, test := range []struct {
		size    int
		tooLong bool
	}{{0, false}, {1, false}, {limit - 1, false}, {limit, false}, {limit + 1, true}, {3 * limit, true}} {
		server := serve(t, new(journal), "sts", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(w, zeros{}, int64(test.size))
		})
		pool := transport.NewPool(transport.PoolOptions{})
		response, err := pool.Do(request(t, "GET", server.URL))
		assert.Len(t, text(t, response, err), test.size)

		response, err = pool.Own().Do(request(t, "GET", server.URL))
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, response.Body.Close())
		if test.tooLong {
			assert.Len(t, body, limit)
			var tooLarge *transport.TooLargeError
			assert.ErrorAs(t, err, &tooLarge)
			continue
		}
		assert.Len(t, body, test.size)
		assert.NoError(t, err)
	}
}

// A client of another type that follows redirects has its answer refused; one that
// sends requests elsewhere by its own decision has not.
func TestOwnOfOtherClients(t *testing.T) {
	seen := new(journal)
	other := serve(t, seen, "other", ok)
	server := serve(t, seen, "sts", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		if r.URL.Path == "/here" {
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
			return
		}
		ok(w, r)
	})
	client := transport.Own(smithyhttp.ClientDoFunc(new(http.Client).Do))
	_, err := client.Do(request(t, "GET", server.URL+"/away"))
	var redirected *transport.RedirectedError
	require.ErrorAs(t, err, &redirected)
	assert.Equal(t, transport.RedirectedError{From: server.URL, To: other.URL}, *redirected)
	assert.False(t, redirected.RetryableError())

	response, err := client.Do(request(t, "GET", server.URL+"/here"))
	assert.Equal(t, "ok", text(t, response, err))

	rewriting := transport.Own(smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		u, _ := url.Parse(other.URL)
		r.URL.Host = u.Host
		return http.DefaultTransport.RoundTrip(r)
	}))
	response, err = rewriting.Do(request(t, "GET", strings.Replace(server.URL, "127.0.0.1", "sts.example.test", 1)))
	assert.Equal(t, "ok", text(t, response, err))

	failing := transport.Own(smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("no way") }))
	_, err = failing.Do(request(t, "GET", server.URL))
	assert.EqualError(t, err, "no way")
}

// The caller's client itself is left as it was.
func TestOwnCopies(t *testing.T) {
	c := &http.Client{}
	transport.Own(c)
	assert.Nil(t, c.CheckRedirect)
	once := transport.Own(c)
	assert.Equal(t, once, transport.Own(once))
}

package transport

import (
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// maxAnswer bounds an answer to a call of the library's own, unpacked. The largest
// that AWS sends there, credentials with a token of 4 KiB, are a hundredth of it.
const maxAnswer = 1 << 20

// Own is the client that the library's own calls go through where the caller gave
// an HTTP client: the caller's, but it follows no redirect and an answer ends at
// 1 MiB. A client of a type that decides about redirects by itself is asked, and its
// answer is refused where it came from another host.
func Own(c aws.HTTPClient) aws.HTTPClient {
	switch c := c.(type) {
	case *Pool:
		return c.Own()
	case *http.Client:
		return bounded{noRedirects(c)}
	case *awshttp.BuildableClient:
		return bounded{lazily(func() aws.HTTPClient { return noRedirects(freeze(c)) })}
	case bounded:
		return c
	}
	return bounded{sameHost{c}}
}

// noRedirects is a client with the same connections that returns a redirect as the
// answer.
func noRedirects(c *http.Client) *http.Client {
	cp := *c
	cp.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &cp
}

// RedirectedError says that a caller's HTTP client followed a redirect to another
// host, whose answer is not believed. Hosts are written with their scheme.
type RedirectedError struct{ From, To string }

// Error names both hosts.
func (e *RedirectedError) Error() string {
	return fmt.Sprintf("the HTTP client followed a redirect from %s to %s, whose answer is not used", e.From, e.To)
}

// RetryableError tells the SDK's retryers that the next try ends likewise.
func (e *RedirectedError) RetryableError() bool { return false }

// sameHost refuses answers that a redirect to another host led to. A client that
// sends requests elsewhere by its own decision, without a redirect, is trusted: tests
// do that.
type sameHost struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c sameHost) Do(r *http.Request) (*http.Response, error) {
	asked := r.URL.Scheme + "://" + r.URL.Host // the client may change the request
	response, err := c.client.Do(r)
	if err != nil || response == nil || response.Request == nil || response.Request.Response == nil {
		return response, err
	}
	if answered := response.Request.URL.Scheme + "://" + response.Request.URL.Host; answered != asked {
		closeBody(response)
		return nil, &RedirectedError{From: asked, To: answered}
	}
	return response, nil
}

func closeBody(r *http.Response) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// TooLargeError says that an answer was given up because of its size.
type TooLargeError struct{ Limit int64 } // bytes

// Error names the limit.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is longer than %d KiB", e.Limit>>10)
}

// RetryableError tells the SDK's retryers that the next try ends likewise.
func (e *TooLargeError) RetryableError() bool { return false }

// bounded ends answers after maxAnswer bytes with an error.
type bounded struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c bounded) Do(r *http.Request) (*http.Response, error) {
	response, err := c.client.Do(r)
	if response != nil && response.Body != nil && response.Body != http.NoBody {
		response.Body = &boundedBody{body: response.Body, left: maxAnswer}
	}
	return response, err
}

// boundedBody counts what is read, which is what came after unpacking.
type boundedBody struct {
	body io.ReadCloser
	left int64
}

// Read reads up to the limit; the byte beyond it is an error.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &TooLargeError{Limit: maxAnswer}
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, &TooLargeError{Limit: maxAnswer}
	}
	return n, err
}

// Close closes the body. What is left of it is not read.
func (b *boundedBody) Close() error { return b.body.Close() }

// Package transport is how requests leave: the connections that all sessions share,
// the clients for instance metadata and container endpoints, and the rules for the
// addresses that options, variables and profiles give.
//
// What holds for every client made here: nothing is made before the first request;
// the link-local addresses of AWS's metadata and credentials endpoints are never
// asked through a proxy, which would see their tokens and could answer with keys of
// its own. What holds for the library's own calls besides: no redirect is followed,
// because what was sent holds a token or a signature, and an answer of more than
// 1 MiB ends there, after unpacking.
package transport

import (
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// idleConnections is how many connections to one host stay open between calls:
// enough for a wide fan-out, where the default of 10 reconnects.
const idleConnections = 128

// PoolOptions say what clients are made of.
type PoolOptions struct {
	Base    *awshttp.BuildableClient // nil: the SDK's default; it may carry a CA bundle
	Callers bool                     // Base is the caller's own: its sizes and timeouts stay
	Mode    aws.DefaultsMode         // the defaults mode in force, not "auto"
}

// Pool is the HTTP client that all sessions of a family share. It is an
// aws.HTTPClient of a type that the SDK does not know: every service client that is
// given a BuildableClient makes a copy of it, with connections of its own.
type Pool struct {
	shared   func() *http.Client // follows redirects as the SDK's client does
	own      aws.HTTPClient
	metadata func() *http.Client
}

// NewPool returns a pool with room for a wide fan-out. The timeouts of the defaults
// mode are put in, which service clients give to a BuildableClient.
func NewPool(o PoolOptions) *Pool {
	p := &Pool{shared: sync.OnceValue(func() *http.Client { return freeze(o.forPool()) })}
	p.own = bounded{lazily(func() aws.HTTPClient { return noRedirects(p.shared()) })}
	p.metadata = sync.OnceValue(func() *http.Client { return noRedirects(freeze(o.forMetadata())) })
	return p
}

// Do implements aws.HTTPClient for the clients made from Session.Config(). A
// request to the instance metadata leaves through a client of its own, with the
// short timeouts that the SDK's metadata package gives a BuildableClient: where the
// answer to the token request never comes (a container behind a hop limit of 1), the
// SDK goes on without a token only after such a timeout.
func (p *Pool) Do(r *http.Request) (*http.Response, error) {
	if isMetadataRequest(r) {
		return p.metadata().Do(r)
	}
	return p.shared().Do(r)
}

// Own is the client for the library's own calls. It uses the pool's connections.
func (p *Pool) Own() aws.HTTPClient { return p.own }

// forPool is the base with the pool's sizes and the timeouts of the defaults mode.
func (o PoolOptions) forPool() *awshttp.BuildableClient {
	b := o.base()
	if timeouts, err := defaults.GetModeConfiguration(o.Mode); err == nil {
		// Not without need: WithDialerOptions replaces a dial function of the caller's.
		if t, ok := timeouts.GetConnectTimeout(); ok {
			b = b.WithDialerOptions(func(d *net.Dialer) { d.Timeout = t })
		}
		if t, ok := timeouts.GetTLSNegotiationTimeout(); ok {
			b = b.WithTransportOptions(func(tr *http.Transport) { tr.TLSHandshakeTimeout = t })
		}
	}
	return b.WithTransportOptions(func(tr *http.Transport) {
		tr.Proxy = notLinkLocal(tr.Proxy)
		if !o.Callers {
			tr.MaxIdleConnsPerHost = idleConnections
			tr.MaxIdleConns = 0
		}
	})
}

func (o PoolOptions) base() *awshttp.BuildableClient {
	if o.Base == nil {
		return awshttp.NewBuildableClient()
	}
	return o.Base
}

// freeze makes the client that a BuildableClient builds. Were it of another type
// one day, its transport would be taken without what was put round it.
func freeze(b *awshttp.BuildableClient) *http.Client {
	if c, ok := b.Freeze().(*http.Client); ok {
		return c
	}
	return &http.Client{Transport: b.GetTransport(), Timeout: b.GetTimeout()}
}

// notLinkLocal keeps a proxy away from AWS's link-local addresses.
func notLinkLocal(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		if isLinkLocalService(r.URL.Hostname()) {
			return nil, nil
		}
		return proxy(r)
	}
}

// lazily makes a client when the first request is sent.
func lazily(build func() aws.HTTPClient) aws.HTTPClient { return lazy(sync.OnceValue(build)) }

type lazy func() aws.HTTPClient

// Do implements aws.HTTPClient.
func (l lazy) Do(r *http.Request) (*http.Response, error) { return l().Do(r) }

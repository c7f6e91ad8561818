package awsauth

import (
	"net"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// idleConnections is how many connections to one host stay open between
// calls: enough for a wide fan-out, where the default of 10 reconnects.
const idleConnections = 128

// pool is the HTTP client of all sessions of a family. It is made of the SDK's
// client when the first request is sent, and hides it: every service client that
// is given a BuildableClient makes a copy with connections of its own.
type pool struct{ client func() aws.HTTPClient }

// newPool makes the pool of the caller's client, or of the SDK's, with room for
// a wide fan-out. The timeouts of the defaults mode are put in, which service
// clients give to a BuildableClient.
func newPool(b *awshttp.BuildableClient, callers bool, mode aws.DefaultsMode) pool {
	return pool{sync.OnceValue(func() aws.HTTPClient {
		if b == nil {
			b = awshttp.NewBuildableClient()
		}
		if timeouts, err := defaults.GetModeConfiguration(mode); err == nil {
			b = b.WithDialerOptions(func(d *net.Dialer) {
				if t, ok := timeouts.GetConnectTimeout(); ok {
					d.Timeout = t
				}
			}).WithTransportOptions(func(tr *http.Transport) {
				if t, ok := timeouts.GetTLSNegotiationTimeout(); ok {
					tr.TLSHandshakeTimeout = t
				}
			})
		}
		if !callers {
			b = b.WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConnsPerHost = idleConnections
				t.MaxIdleConns = 0
			})
		}
		return b
	})}
}

// defaultsMode is the mode in force, with "auto" decided.
func defaultsMode(cfg *aws.Config) aws.DefaultsMode {
	if cfg.DefaultsMode == aws.DefaultsModeAuto {
		return defaults.ResolveDefaultsModeAuto(cfg.Region, cfg.RuntimeEnvironment)
	}
	return cfg.DefaultsMode
}

// Do implements aws.HTTPClient.
func (p pool) Do(r *http.Request) (*http.Response, error) { return p.client().Do(r) }

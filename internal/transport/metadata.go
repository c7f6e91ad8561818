package transport

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Timeouts of one request to the instance metadata, those of the SDK's package
// feature/ec2/imds, which it gives to no client but its own BuildableClient.
const (
	metadataDial   = 250 * time.Millisecond
	metadataAnswer = 500 * time.Millisecond
)

// localIdle is how long a connection to a metadata or container endpoint stays open:
// for the few requests of one question, which is asked once an hour.
const localIdle = 5 * time.Second

// Metadata is the client for the library's own questions to the instance metadata:
// short timeouts, no redirects, answers of 1 MiB at most.
func Metadata(o PoolOptions) aws.HTTPClient {
	return bounded{lazily(func() aws.HTTPClient { return noRedirects(freeze(o.forMetadata())) })}
}

func (o PoolOptions) forMetadata() *awshttp.BuildableClient {
	return o.base().WithTransportOptions(func(tr *http.Transport) {
		tr.Proxy = notLinkLocal(tr.Proxy)
		tr.DialContext = within(metadataDial, tr.DialContext)
		tr.ResponseHeaderTimeout = metadataAnswer
		tr.IdleConnTimeout = localIdle
	})
}

// dialFunc is the type of http.Transport.DialContext.
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// within bounds a dial function, which may be the caller's own.
func within(limit time.Duration, dial dialFunc) dialFunc {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return dial(ctx, network, address)
	}
}

// isMetadataRequest reports whether the SDK's metadata client sends r: by its
// address, or where the address is another, by its headers.
func isMetadataRequest(r *http.Request) bool {
	if isMetadataService(r.URL.Hostname()) {
		return true
	}
	for _, header := range []string{"X-Aws-Ec2-Metadata-Token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"} {
		if r.Header.Get(header) != "" {
			return true
		}
	}
	return strings.Contains(r.Header.Get("User-Agent"), "ec2-imds")
}

// hostAddr is the address that a host is written as. A zone and a dot at the end
// make no difference.
func hostAddr(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(host, "."))
	return a.Unmap().WithZone(""), err == nil
}

// isMetadataService reports whether host is that of the instance metadata.
func isMetadataService(host string) bool {
	a, ok := hostAddr(host)
	return ok && (a == netip.AddrFrom4([4]byte{169, 254, 169, 254}) || a == fd00ec2(0x2, 0x54))
}

// isLinkLocalService reports whether host is one of AWS's link-local addresses.
func isLinkLocalService(host string) bool {
	a, ok := hostAddr(host)
	return ok && (isContainerService(a) || isMetadataService(host))
}

// isContainerService reports whether a is that of the ECS or EKS agent.
func isContainerService(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{169, 254, 170, 2}) || a == netip.AddrFrom4([4]byte{169, 254, 170, 23}) || a == fd00ec2(0, 0x23)
}

// fd00ec2 is fd00:ec2::<high><low>, with two hexadecimal digits each.
func fd00ec2(high, low byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfd, 2: 0x0e, 3: 0xc2, 14: high, 15: low})
}

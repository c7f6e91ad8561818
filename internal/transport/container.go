package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Timeouts of one request to a container's credentials endpoint. The agent behind
// it may have to ask AWS first; the AWS CLI gives it 2 s and three tries.
const (
	containerDial   = 2 * time.Second
	containerAnswer = 5 * time.Second
)

// ContainerHost is where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is a path of.
const ContainerHost = "http://169.254.170.2"

// Container is the client for a container's credentials endpoint: short timeouts, no
// redirects, answers of 1 MiB at most. Over plain http it never uses a proxy, and
// connects to this machine and to the addresses of ECS and EKS only; any other ends
// with a [NotLocalError]. The address is checked that is connected to, so a name
// whose addresses change cannot lead elsewhere.
func Container(o PoolOptions) aws.HTTPClient {
	client := func(b func() *awshttp.BuildableClient) aws.HTTPClient {
		return lazily(func() aws.HTTPClient { return noRedirects(freeze(b())) })
	}
	return bounded{bySecurity{plain: client(o.plainContainer), secure: client(o.secureContainer)}}
}

// bySecurity sends plain http and https on different ways.
type bySecurity struct{ plain, secure aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c bySecurity) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return c.secure.Do(r)
	}
	return c.plain.Do(r)
}

func (o PoolOptions) secureContainer() *awshttp.BuildableClient {
	return o.base().WithTransportOptions(func(tr *http.Transport) {
		tr.Proxy = notLinkLocal(tr.Proxy)
		tr.DialContext = within(containerDial, tr.DialContext)
		tr.ResponseHeaderTimeout, tr.IdleConnTimeout = containerAnswer, localIdle
	})
}

func (o PoolOptions) plainContainer() *awshttp.BuildableClient {
	b := o.base()
	return b.WithTransportOptions(func(tr *http.Transport) {
		dial := tr.DialContext
		if !o.Callers || dial == nil {
			dial = asking(b.GetDialer())
		}
		tr.Proxy = nil
		tr.DialContext = within(containerDial, checked(dial))
		tr.ResponseHeaderTimeout, tr.IdleConnTimeout = containerAnswer, localIdle
	})
}

// asking dials with d, which asks before it connects whether the address is local.
func asking(d *net.Dialer) dialFunc {
	return func(ctx context.Context, network, asked string) (net.Conn, error) {
		d := *d
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return checkLocal(asked, address)
		}
		return d.DialContext(ctx, network, asked)
	}
}

// checked asks after connecting, and before anything is sent, whether the address is
// local: for a dial function of the caller's, which cannot be made to ask first.
func checked(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, asked string) (net.Conn, error) {
		conn, err := dial(ctx, network, asked)
		if err != nil {
			return nil, err
		}
		if err := checkLocal(asked, conn.RemoteAddr().String()); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// checkLocal asks that the address that asked leads to is this machine's, or that of
// ECS or EKS. What is no IP address is of a dial function that needs no network.
func checkLocal(asked, address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || isLocal(a.Addr()) {
		return nil
	}
	host, _, _ := net.SplitHostPort(asked)
	return &NotLocalError{Host: host, Address: a.Addr().Unmap().String()}
}

func isLocal(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || isContainerService(a)
}

// NotLocalError says that a container's credentials endpoint over plain http is on
// another machine: the token that is sent there could be read on the way.
type NotLocalError struct{ Host, Address string }

// Error names host and address.
func (e *NotLocalError) Error() string {
	if e.Host == e.Address {
		return fmt.Sprintf("%s is neither this machine nor the container service of ECS or EKS", e.Host)
	}
	return fmt.Sprintf("host %s is at %s, which is neither this machine nor the container service of ECS or EKS", e.Host, e.Address)
}

// RetryableError tells the SDK's retryers that the next try ends likewise.
func (e *NotLocalError) RetryableError() bool { return false }

// CheckContainerURI says what is wrong with AWS_CONTAINER_CREDENTIALS_FULL_URI as far
// as can be told without the network. Whether a name is this machine's is told by
// the client of [Container].
func CheckContainerURI(full string) error {
	u, err := parse(full, "http://127.0.0.1:8080/credentials")
	if err != nil {
		return err
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && u.Scheme == "http" && !isLocal(a) {
		return &AddressError{
			What: "plain http to " + u.Hostname() + ", which is neither this machine nor the container service of ECS or EKS",
			Hint: "use https, or http on 127.0.0.1, 169.254.170.2 or 169.254.170.23",
		}
	}
	return nil
}

// CheckContainerPath says what is wrong with AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
// which is a path of [ContainerHost] and must not be able to lead elsewhere.
func CheckContainerPath(relative string) error {
	wrong := &AddressError{What: "not a path of " + ContainerHost, Hint: "it begins with one slash, like /v2/credentials/…; a whole address belongs in AWS_CONTAINER_CREDENTIALS_FULL_URI"}
	if !strings.HasPrefix(relative, "/") || strings.HasPrefix(relative, "//") || strings.ContainsAny(relative, " \\") {
		return wrong
	}
	if u, err := url.Parse(ContainerHost + relative); err != nil || u.Scheme+"://"+u.Host != ContainerHost || u.User != nil {
		return wrong
	}
	return nil
}

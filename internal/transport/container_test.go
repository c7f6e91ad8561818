package transport_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nameServer answers every question for an IPv4 address with address, and returns a
// resolver that asks it.
func nameServer(t *testing.T, address string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for query := make([]byte, 512); ; {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(query[:n], netip.MustParseAddr(address)), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// dnsAnswer turns a question into its answer: one A record, or none for other types.
func dnsAnswer(query []byte, address netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
	if query[end-3] == 1 { // A
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		answer = append(answer, address.AsSlice()...)
	}
	return answer
}

// Whether a name is this machine's is told by the address that is connected to.
func TestContainerNames(t *testing.T) {
	seen := new(journal)
	server := serve(t, seen, "agent", ok)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	client := func(address string) aws.HTTPClient {
		resolver := nameServer(t, address)
		return transport.Container(transport.PoolOptions{
			Base: awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Resolver = resolver }),
		})
	}

	response, err := client("127.0.0.1").Do(request(t, "GET", "http://keys.example.test:"+port+"/x"))
	assert.Equal(t, "ok", text(t, response, err))
	assert.Equal(t, []string{"agent keys.example.test:" + port + "/x Bearer geheim"}, seen.take())

	var notLocal *transport.NotLocalError
	_, err = client("192.0.2.7").Do(request(t, "GET", "http://keys.example.test:"+port+"/x"))
	require.ErrorAs(t, err, &notLocal)
	assert.Equal(t, transport.NotLocalError{Host: "keys.example.test", Address: "192.0.2.7"}, *notLocal)
	assert.ErrorContains(t, err, "host keys.example.test is at 192.0.2.7, which is neither this machine")
	assert.False(t, notLocal.RetryableError())

	_, err = client("127.0.0.1").Do(request(t, "GET", "http://192.0.2.8/x"))
	require.ErrorAs(t, err, &notLocal)
	assert.Equal(t, transport.NotLocalError{Host: "192.0.2.8", Address: "192.0.2.8"}, *notLocal)
}

// farConn is a connection that says it leads to another machine.
type farConn struct {
	net.Conn
	j *journal
}

func (c farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 80} }

func (c farConn) Write(p []byte) (int, error) {
	c.j.add(string(p))
	return len(p), nil
}

func (c farConn) Close() error {
	c.j.add("closed")
	return c.Conn.Close()
}

// A dial function of the caller's may connect anywhere, but nothing is sent there.
func TestContainerCallersDial(t *testing.T) {
	seen := new(journal)
	base := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
			near, _ := net.Pipe()
			return farConn{near, seen}, nil
		}
	})
	_, err := transport.Container(transport.PoolOptions{Base: base, Callers: true}).Do(request(t, "GET", "http://keys.example.test/x"))
	var notLocal *transport.NotLocalError
	require.ErrorAs(t, err, &notLocal)
	assert.Equal(t, "192.0.2.9", notLocal.Address)
	assert.Equal(t, []string{"closed"}, seen.take())
}

// Over https any host is asked: its certificate says who it is.
func TestContainerSecure(t *testing.T) {
	base := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			return nil, &net.AddrError{Err: "asked for", Addr: address}
		}
	})
	_, err := transport.Container(transport.PoolOptions{Base: base, Callers: true}).Do(request(t, "GET", "https://192.0.2.1/x"))
	assert.ErrorContains(t, err, "address 192.0.2.1:443: asked for")
}

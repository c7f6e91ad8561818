package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
)

// A proxy never sees a question to AWS's link-local addresses, nor plain http to a
// container's endpoint wherever it is.
func TestNoProxy(t *testing.T) {
	seen := new(journal)
	proxy := serve(t, seen, "proxy", ok)
	service := serve(t, seen, "service", ok)
	o := transport.PoolOptions{Base: leadingTo(new(journal), service, proxy), Callers: true}
	pool := transport.NewPool(o)
	clients := map[string]aws.HTTPClient{
		"pool": pool, "own": pool.Own(), "metadata": transport.Metadata(o), "container": transport.Container(o),
	}
	for name, c := range clients {
		for host, direct := range map[string]bool{
			"169.254.169.254": true, "[fd00:ec2::254]": true, "169.254.170.2": true, "169.254.170.23": true, "[fd00:ec2::23]": true,
			"169.254.169.254:80": true, "[::ffff:169.254.169.254]": true, "[FD00:EC2:0::0254]": true, "169.254.169.254.": true,
			"192.0.2.1": name == "container", "imds.example.com": name == "container", "169.254.169.253": name == "container",
		} {
			response, err := c.Do(request(t, "GET", "http://"+host+"/x"))
			assert.Equal(t, "ok", text(t, response, err))
			who, _, _ := strings.Cut(seen.take()[0], " ")
			assert.Equal(t, map[bool]string{true: "service", false: "proxy"}[direct], who, "%s %s", name, host)
		}
	}
}

// https to a container's endpoint goes through the proxy as any https, but not to the
// link-local addresses.
func TestContainerSecureProxy(t *testing.T) {
	seen := new(journal)
	proxy := serve(t, seen, "proxy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	service := serve(t, seen, "service", ok)
	container := transport.Container(transport.PoolOptions{Base: leadingTo(new(journal), service, proxy), Callers: true})

	_, err := container.Do(request(t, "GET", "https://creds.example.com/x"))
	assert.ErrorContains(t, err, "Forbidden")
	assert.Equal(t, []string{"proxy creds.example.com:443 "}, seen.take(), "no token in a CONNECT")

	_, err = container.Do(request(t, "GET", "https://169.254.170.23/x"))
	assert.ErrorContains(t, err, "HTTP response to HTTPS client")
	assert.Empty(t, seen.take())
}

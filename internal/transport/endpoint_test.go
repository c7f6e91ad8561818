package transport_test

import (
	"testing"

	"github.com/chaoxiaodi/awsauth/internal/transport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlainHTTPAllowed(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true, "0.0.0.0": true, "::": true,
		"::ffff:127.0.0.1": true, "10.0.0.1": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"fd00::1": true, "fc00::1": true, "fe80::1%eth0": true, "169.254.170.2": true, "::ffff:10.1.2.3": true,
		"localstack": true, "my-sts_1": true, "a.localhost": true, "sts.corp.internal": true, "host.docker.internal": true,
		"printer.local": true, "printer.LOCAL.": true, "x.svc.cluster.local": true,

		"sts.example.com": false, "sts.amazonaws.com": false, "8.8.8.8": false, "172.32.0.1": false, "100.64.0.1": false,
		"192.0.2.1": false, "2001:db8::1": false, "::ffff:8.8.8.8": false, "224.0.0.1": false, "fec0::1": false,
		"": false, ".": false, "ai.": false, "localhost.example.com": false, "x.internal.example.com": false,
		"..local": false, ".local": false, "a..internal": false, "evilinternal.com": false, "xlocal.dev": false,
		"134744072": false, "0x08080808": false, "010.8.8.8": false, "01001004010": false, "99999999999999999999999": false,
		"sts。example。com": false, "sts．example．com": false, "ѕts": false, "a b": false, "a%b": false,
	} {
		assert.Equal(t, want, transport.PlainHTTPAllowed(host), "%q", host)
	}
}

func TestCheckEndpoint(t *testing.T) {
	for _, address := range []string{
		"https://sts.us-east-1.amazonaws.com", "https://sts.example.com/path", "https://sts.example.com:8443", "HTTPS://sts.example.com",
		"http://localhost:4566", "http://localstack:4566", "http://127.0.0.1:5000/", "http://[::1]:5000", "http://10.0.0.8",
		"http://sts.corp.internal", "https://stś.example",
	} {
		assert.NoError(t, transport.CheckEndpoint(address), address)
	}
	for address, want := range map[string]string{
		"":                                   "empty",
		"localhost:4566":                     "no scheme; begin it with https:// or http://",
		"127.0.0.1:4566":                     "no scheme; begin it with https:// or http://",
		"sts.example.com":                    "no scheme; begin it with https://, like",
		"me:geheim@sts.example.com":          "no scheme",
		"//sts.example.com":                  "no scheme",
		"http:sts.example.com":               "no scheme",
		"://sts.example.com":                 "no scheme",
		"ftp://sts.example.com":              `scheme "ftp"`,
		"unix:///run/sts":                    `scheme "unix"`,
		"https://":                           "no host",
		"http://:4566":                       "no host",
		"https:///sts":                       "no host",
		"https://me:geheim@sts.example.com":  "a user, query or fragment",
		"https://me@sts.example.com":         "a user, query or fragment",
		"https://sts.example.com?t=geheim":   "a user, query or fragment",
		"https://sts.example.com?":           "a user, query or fragment",
		"https://sts.example.com#geheim":     "a user, query or fragment",
		"https://me:gehe/im@sts.example.com": "not a URL",
		"https://sts.example.com:99999":      "port 99999",
		"https://sts.example.com:0":          "port 0",
		"https://sts.example.com:http":       "not a URL",
		"https://sts.example.com\n":          "line end",
		" https://sts.example.com":           "white space",
		"https://sts .example.com":           "not a URL",
		"http://sts.example.com":             "plain http to a host that may be on the internet; use https",
		"http://sts.us-east-1.amazonaws.com": "plain http",
		"http://134744072":                   "plain http",
		"http://8.8.8.8":                     "plain http",
	} {
		err := transport.CheckEndpoint(address)
		require.ErrorContains(t, err, want, "%q", address)
		assert.NotContains(t, err.Error(), "geheim", "%q", address)
		assert.NotContains(t, err.Error(), "\n", "%q", address)
		var typed *transport.AddressError
		require.ErrorAs(t, err, &typed)
		assert.NotEmpty(t, typed.What)
	}
}

func TestCheckMetadataEndpoint(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:1338", "http://[fd00:ec2::254]", "https://imds.example.com", "http://imds.example.com"} {
		assert.NoError(t, transport.CheckMetadataEndpoint(address), address)
	}
	for address, want := range map[string]string{
		"127.0.0.1:45651": "no scheme", "169.254.169.254": "no scheme", "localhost": "no scheme",
		"ftp://127.0.0.1": "scheme", "http://": "no host", "http://u:p@127.0.0.1": "a user",
	} {
		assert.ErrorContains(t, transport.CheckMetadataEndpoint(address), want, address)
	}
}

func TestCheckContainerURI(t *testing.T) {
	for _, address := range []string{
		"http://127.0.0.1:9099/x?a=b", "http://localhost/x", "http://[::1]/", "http://169.254.170.2/v2", "http://169.254.170.23/v1/credentials",
		"http://[fd00:ec2::23]/v1", "http://host.docker.internal:9099/", "https://creds.example.com/x", "https://192.0.2.1/x",
	} {
		assert.NoError(t, transport.CheckContainerURI(address), address)
	}
	for address, want := range map[string]string{
		"": "empty", "127.0.0.1:9099": "no scheme", "ftp://127.0.0.1/": "scheme", "http://": "no host", "/v2/credentials": "no scheme",
		"http://192.0.2.1/": "plain http to 192.0.2.1", "http://169.254.169.254/": "plain http", "http://10.0.0.1/": "plain http",
		"http://[fe80::1%25eth0]/": "plain http", "http://127.0.0.1/\n": "line end",
	} {
		assert.ErrorContains(t, transport.CheckContainerURI(address), want, address)
	}
}

func TestCheckContainerPath(t *testing.T) {
	for _, path := range []string{"/v2/credentials/0a1b", "/x?id=1", "/a@b"} {
		assert.NoError(t, transport.CheckContainerPath(path), path)
	}
	for _, path := range []string{
		"@127.0.0.1:7863/x", "v2/credentials", "", ":80/x", ".example.com/", "//example.com/x", `/\example.com`, `\\example.com`,
		"http://127.0.0.1/", "/x\n", " /x", "/x y", "/%zz",
	} {
		assert.ErrorContains(t, transport.CheckContainerPath(path), "not a path", "%q", path)
	}
}

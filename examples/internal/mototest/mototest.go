// Package mototest runs a moto server for the examples' tests.
package mototest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Start runs moto for the time of the test and points the environment at it: the
// programs under test are those that talk to the real AWS. What is denied is an account,
// whose roles cannot be assumed, or a region, where EC2 and CloudWatch allow nothing. The
// accounts of each world have a few regions enabled, where moto itself would have those
// of all worlds. Start skips the test where moto is missing.
func Start(t *testing.T, denied ...string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not here; pip install 'moto[server]' brings it")
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	port := freePort(t)
	server := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	server.Env = append(os.Environ(), "MOTO_EC2_LOAD_DEFAULT_AMIS=false") // a second for each account and region
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	moto, _ := url.Parse("http://127.0.0.1:" + port)
	await(t, moto.Host)
	gate := httptest.NewServer(refuse(denied, httputil.NewSingleHostReverseProxy(moto)))
	t.Cleanup(gate.Close)

	missing := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": gate.URL, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up",
		"AWS_CONFIG_FILE": missing, "AWS_SHARED_CREDENTIALS_FILE": missing, "AWS_EC2_METADATA_DISABLED": "true",
		"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
	} {
		t.Setenv(name, value)
	}
}

// refuse stands before moto and answers what is denied.
func refuse(denied []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		authorization := r.Header.Get("Authorization")
		if form.Get("Action") == "DescribeRegions" {
			describeRegions(w, strings.Contains(authorization, "/cn-"), form.Get("AllRegions") == "true")
			return
		}
		for _, one := range denied {
			switch {
			case form.Get("Action") == "AssumeRole" && strings.Contains(form.Get("RoleArn"), ":"+one+":"):
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/moto `+
					`is not authorized to perform: sts:AssumeRole on resource: %s</Message></Error></ErrorResponse>`, form.Get("RoleArn"))
				return
			case strings.Contains(authorization, "/"+one+"/ec2/"):
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform `+
					`this operation.</Message></Error></Errors></Response>`)
				return
			case strings.Contains(authorization, "/"+one+"/monitoring/"):
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>You may not.</Message></Error></ErrorResponse>`)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// describeRegions answers the regions that are enabled, or all.
func describeRegions(w io.Writer, china, all bool) {
	regions := []string{"us-east-1", "eu-west-3", "eu-central-1"}
	switch {
	case china:
		regions = []string{"cn-northwest-1", "cn-north-1"}
	case all:
		regions = append(regions, "me-south-1")
	}
	fmt.Fprint(w, "<DescribeRegionsResponse><regionInfo>")
	for _, name := range regions {
		fmt.Fprintf(w, "<item><regionName>%s</regionName></item>", name)
	}
	fmt.Fprint(w, "</regionInfo></DescribeRegionsResponse>")
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// await waits until a server listens.
func await(t *testing.T, address string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("moto_server did not start within a minute")
		}
	}
}

package awsauthtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Isolate keeps the machine's own AWS out of a test. It unsets every AWS_*
// variable but one and every proxy variable, points AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE at files that do not exist, and switches EC2
// metadata off, so that nothing but what the test says can supply credentials.
// AWS_ENDPOINT_URL_STS, and the variables of SSO, its token service, the sign-in
// service and Roles Anywhere, lead to a port where nobody listens: a client that
// was made without [Cloud.LoadOptions] fails there, with an address that says so,
// and does not reach the real AWS. LoadOptions and [Cloud.Client] take those
// variables away again, for the rest of the test, and [Cloud.Serve] all but that of
// STS. All is put back when the test ends. Like [testing.T.Setenv], which it uses,
// it panics in a parallel test.
//
// AWS_CA_BUNDLE is among what is unset: with it set, the SDK refuses any HTTP
// client that is not its own. The one that stays is AWS_NEW_RETRIES_2026: it
// changes how the SDK retries, not who one is, so that a whole test run can be
// done both ways.
func Isolate(t testing.TB) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprintf("awsauthtest: Isolate, and New, change the environment of the process, which a parallel test must not: use awsauthtest.Start there, with Cloud.LoadOptions (%v)", r))
		}
	}()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); foreign(name) {
			t.Setenv(name, "") // for its restoring, and its refusal of parallel tests
			if err := os.Unsetenv(name); err != nil {
				t.Fatalf("awsauthtest: unset %s: %v", name, err)
			}
		}
	}
	none := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(none, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(none, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, service := range issuers {
		t.Setenv(endpointVariable+service, nowhere)
	}
}

// nowhere is an address where nobody listens. The path is what an error shows of it.
const nowhere = "http://127.0.0.1:1/isolated-by-awsauthtest-and-made-without-Cloud.LoadOptions"

// endpointVariable begins the variables by which the SDK finds the address of a service.
const endpointVariable = "AWS_ENDPOINT_URL_"

// issuers are the services that hand out credentials, in the names of variables.
var issuers = []string{"STS", "SSO", "SSO_OIDC", "SIGNIN", "ROLESANYWHERE"}

// openWay undoes what Isolate did to the endpoints. The SDK reads the environment
// after it has applied the load options.
func openWay() { open(issuers) }

// openServed opens the way to all but STS: AWS_ENDPOINT_URL, by which a test leads
// other programs to [Cloud.Serve], counts for those services then.
func openServed() { open(issuers[1:]) }

func open(services []string) {
	for _, service := range services {
		if os.Getenv(endpointVariable+service) == nowhere {
			_ = os.Unsetenv(endpointVariable + service)
		}
	}
}

// foreign reports whether a variable could steer an AWS client.
func foreign(name string) bool {
	switch upper := strings.ToUpper(name); upper {
	case "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY":
		return true
	case "AWS_NEW_RETRIES_2026":
		return false
	default:
		return strings.HasPrefix(upper, "AWS_")
	}
}

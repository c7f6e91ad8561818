package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// mistake is something that goes wrong, and what is said then. In the text
// stand $DIR for the directory of the shared files, $KEY for the user's
// shortened access key id, and the names that place.text knows.
type mistake struct {
	name  string
	make  func(w *place) error
	says  string
	kinds []awsauth.Kind
	from  origin
	real  bool // runs a process: not on a clock of its own
	new   bool // New refuses: nothing has gone over the wire
}

// origin is who said it first, and so which of the SDK's errors are found under
// the library's.
type origin int

const (
	ours    origin = iota // the library: none
	service               // STS: all of them
	network               // no answer: an OperationError
)

// kinds are all there are.
var kinds = []awsauth.Kind{
	awsauth.InvalidOption, awsauth.NoCredentials, awsauth.ProfileNotFound, awsauth.Expired, awsauth.MFARequired,
	awsauth.LongTermCredentials, awsauth.AccessDenied, awsauth.InvalidKey, awsauth.WrongPartition, awsauth.InvalidDuration,
	awsauth.Throttled, awsauth.Unreachable,
}

func only(k ...awsauth.Kind) []awsauth.Kind { return k }

// fetch makes a session and asks it for credentials.
func (w *place) fetch(opts ...awsauth.Option) error {
	s, err := w.try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Retrieve(context.Background())
	return err
}

// who makes a session and asks it who it is.
func (w *place) who(opts ...awsauth.Option) error {
	s, err := w.try(opts...)
	if err != nil {
		return err
	}
	_, err = s.Identity(context.Background())
	return err
}

// justNew is an error of New itself.
func (w *place) justNew(opts ...awsauth.Option) error {
	_, err := w.try(opts...)
	return err
}

const otherPartition = "arn:aws-cn:iam::123456789012:role/manage-role"

// cable is a network on which every request ends like this.
func (*place) cable(err error) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithHTTPClient(&http.Client{Transport: brokenCable{err}}))
}

type brokenCable struct{ err error }

func (c brokenCable) RoundTrip(*http.Request) (*http.Response, error) { return nil, c.err }

const mfaSerial = "arn:aws:iam::111111111111:mfa/ana"

// mfaProfile is a profile whose role asks for MFA, and a user with a device.
func (w *place) mfaProfile() {
	w.t.Helper()
	w.keys = w.AddUser(awsauthtest.User{ARN: w.arn(home, "user/ci"), MFASerial: mfaSerial})
	w.files("[profile admin]\nrole_arn = $BASE\nmfa_serial = "+mfaSerial+"\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
}

// mfaCode answers for the codes.
func (*place) mfaCode(code func() (string, error)) awsauth.Option {
	return awsauth.WithLoadOptions(config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = code }))
}

// ssoProfile is a profile that starts from SSO, on a machine where nobody has
// logged in yet.
func (w *place) ssoProfile() {
	w.t.Helper()
	w.t.Setenv("HOME", w.dir)
	w.files("[profile dev]\nsso_session = corp\nsso_account_id = "+home+"\nsso_role_name = base\n"+
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", "")
	path, err := ssocreds.StandardCachedTokenFilepath("corp")
	require.NoError(w.t, err)
	if !strings.HasPrefix(path, w.dir) {
		w.t.Skip("the SDK does not take its SSO token from $HOME on this system")
	}
}

// ssoToken leaves a token behind that nobody issued and that expires then.
func (w *place) ssoToken(session string, left time.Duration) {
	w.t.Helper()
	path, err := ssocreds.StandardCachedTokenFilepath(session)
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	text := fmt.Sprintf(`{"accessToken": "an-sso-token", "expiresAt": %q}`, time.Now().Add(left).UTC().Format(time.RFC3339))
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
}

// onAnyClock runs f with a place, on a clock of its own unless it is not to.
func onAnyClock(t *testing.T, realTime bool, f func(t *testing.T, w *place)) {
	t.Helper()
	if realTime {
		f(t, newPlace(t, awsauth.AWS))
		return
	}
	onItsClock(t, f)
}

// TestMistakes holds every error to its text, its kinds and what is under it.
func TestMistakes(t *testing.T) {
	for _, m := range slices.Concat(catalogue(), beyond()) {
		t.Run(m.name, func(t *testing.T) {
			onAnyClock(t, m.real, func(t *testing.T, w *place) {
				w.files("", "")
				err := m.make(w)
				require.Error(t, err)
				var e *awsauth.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, w.text(m.says), w.general(err.Error()))
				requireBad(t, err, m.kinds[0])
				for _, k := range kinds {
					assert.Equal(t, slices.Contains(m.kinds, k), errors.Is(err, k), "kind %q", k)
				}
				_, rest, _ := strings.Cut(err.Error(), "awsauth: ")
				assert.NotRegexp(t, `^[A-Z][a-z]`, strings.ReplaceAll(rest, "With", "with"), "lower case, but for names")
				if m.new {
					assert.Empty(t, w.said())
				}
				m.from.check(t, err, e)
			})
		})
	}
}

// check asks for the SDK's errors under err.
func (from origin) check(t *testing.T, err error, e *awsauth.Error) {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	var awsResponse *awshttp.ResponseError
	var operation *smithy.OperationError
	plain, detailed := fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err)
	if from != ours {
		assert.ErrorAs(t, err, &operation)
	}
	if from == service {
		assert.ErrorAs(t, err, &api)
		require.ErrorAs(t, err, &awsResponse)
		assert.GreaterOrEqual(t, awsResponse.HTTPStatusCode(), 400)
	}
	id := ""
	if errors.As(err, &awsResponse) {
		require.ErrorAs(t, err, &response)
		assert.Equal(t, response.Response.StatusCode, awsResponse.HTTPStatusCode())
		id = awsResponse.ServiceRequestID()
	}
	assert.Equal(t, id, e.RequestID)
	if id != "" {
		assert.NotContains(t, plain, id)
		plain += " (request id " + id + ")"
	}
	assert.Equal(t, plain, detailed)
}

// general puts names for what is another in each run.
func (w *place) general(text string) string {
	short := func(id string) string { return id[:4] + "…" + id[len(id)-4:] }
	text = strings.ReplaceAll(text, "access key "+short(w.keys.AccessKeyID), "access key $KEY")
	for _, r := range []struct{ pattern, name string }{
		{`ASIA….{4}`, "$$SESSION"},
		{`know access key AKIA….{4} from static keys .* key of China`, "know access key $$CHINA from static keys (InvalidClientTokenId); keys are valid in one partition only: if this is a key of China"},
		{`attempts in \d+s`, "attempts in $$TIME"},
		{`already expired \S+ ago`, "already expired $$TIME ago"},
		{`on line \d+`, "on line $$LINE"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.name)
	}
	return text
}

package awsauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// recorder is an HTTP client that notes what goes through it.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	all  []string // "host authorization"
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.all = append(r.all, req.URL.Host+" "+req.Header.Get("Authorization"))
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.all, "\n")
}

func (r *recorder) client() *http.Client { return &http.Client{Transport: r} }

// served is a place whose container is reached through a socket.
func served(t *testing.T, token string) (w *place, host string) {
	t.Helper()
	w = newPlace(t, awsauth.AWS)
	url, err := w.Serve()
	require.NoError(t, err)
	path := w.SetContainer(&awsauthtest.Container{RoleARN: w.arn(home, "role/base"), Token: token})
	w.env("AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+path, "AWS_CONTAINER_AUTHORIZATION_TOKEN="+token)
	return w, strings.TrimPrefix(url, "http://")
}

// TestContainerTokenStaysHere: a client of the caller's, which may lead to a
// proxy, does not get the container's token; a client for the container does.
func TestContainerTokenStaysHere(t *testing.T) {
	const token = "Basic b3Bz-container-token"
	for _, own := range []bool{false, true} {
		w, host := served(t, token)
		callers, containers := &recorder{next: w.Client().Transport}, &recorder{next: w.Client().Transport}
		opts := []func(*config.LoadOptions) error{config.WithHTTPClient(callers.client())}
		if own {
			opts = append(opts, config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = containers.client() }))
		}
		s, err := awsauth.New(awsauth.WithLoadOptions(opts...), awsauth.WithAccount(target))
		require.NoError(t, err)
		require.Equal(t, w.became(target, "manage-role"), w.identity(s))
		assert.Contains(t, callers.text(), "sts.us-east-1.amazonaws.com")
		assert.NotContains(t, callers.text(), host)
		assert.NotContains(t, callers.text(), token)
		if own {
			assert.Equal(t, host+" "+token, containers.text())
		}
	}
}

// TestMetadataWithoutTokens: in a container with a hop limit of 1 the token of
// the instance metadata never comes, and the rest does.
func TestMetadataWithoutTokens(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Region: "eu-west-3", IMDSv1: true})
	url, err := w.Serve()
	require.NoError(t, err)
	w.env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+url, "AWS_EC2_METADATA_DISABLED=false")
	w.Inject(awsauthtest.Fault{Action: "GetToken", Kind: awsauthtest.Hang})
	start := time.Now()
	s, err := awsauth.New()
	require.NoError(t, err)
	require.Equal(t, "eu-west-3", s.Config().Region)
	require.Less(t, time.Since(start), 1500*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	o := ask(ctx, s)
	require.NoError(t, o.err)
	require.True(t, o.creds.HasKeys())
	require.Less(t, o.took, 3*time.Second)
}

// threeRoles are sessions one in the other, and profiles likewise.
var threeRoles = map[string]func(w *place) aws.CredentialsProvider{
	"Assume": func(w *place) aws.CredentialsProvider {
		s := w.open(w.static())
		for _, role := range []string{w.arn(home, "role/base"), w.arn(home, "role/middle"), manageRole} {
			next, err := s.Assume(awsauth.WithRoleARN(role))
			require.NoError(w.t, err)
			s = next
		}
		return s
	},
	"profiles": func(w *place) aws.CredentialsProvider {
		w.files("[profile ops]\nrole_arn = $MANAGE\nsource_profile = second\n[profile second]\nrole_arn = $MIDDLE\nsource_profile = first\n"+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
		return w.open(awsauth.WithProfile("ops"))
	},
}

// TestChainFailsOnce: what is hopeless at the first role is not tried again for
// each of those that follow.
func TestChainFailsOnce(t *testing.T) {
	for kind, fault := range map[awsauth.Kind]awsauthtest.FaultKind{
		awsauth.Throttled: awsauthtest.Throttle, awsauth.Unreachable: awsauthtest.ServerError,
	} {
		for how, open := range threeRoles {
			t.Run(how+", "+string(kind), func(t *testing.T) {
				onItsClock(t, func(t *testing.T, w *place) {
					s := open(w)
					up := w.down(fault)
					o := ask(t.Context(), s)
					require.ErrorIs(t, o.err, kind)
					requireBad(t, o.err, kind, "assume role "+w.arn(home, "role/base"), "8 attempts")
					require.Equal(t, 8, w.assumed())
					for _, c := range w.Calls("AssumeRole") {
						require.Equal(t, w.arn(home, "role/base"), c.Params.Get("RoleArn"))
					}
					require.Less(t, o.took, 28*time.Second)
					up()
					time.Sleep(time.Minute)
					get(t, s)
				})
			})
		}
	}
}

// TestChainKeepsFirst: the attempts to assume the last role of a profile do not
// cost one of the first each.
func TestChainKeepsFirst(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.files("[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+keyLines, "")
		s := w.open(awsauth.WithProfile("ops"))
		last := func(c awsauthtest.Call) bool { return strings.HasSuffix(c.Params.Get("RoleArn"), "/middle") }
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Match: last, Kind: awsauthtest.ServerError, Times: 3})
		get(t, s)
		base, middle := "AssumeRole/base sts.us-east-1.amazonaws.com us-east-1 user", "AssumeRole/middle sts.us-east-1.amazonaws.com us-east-1 session"
		require.Equal(t, []string{base, middle, middle, middle, middle}, w.said())
	})
}

// TestNoCallWhenWrong: with a wrong option there is no call, wherever New might
// have learnt a region.
func TestNoCallWhenWrong(t *testing.T) {
	auto := []string{"AWS_DEFAULTS_MODE=auto", "AWS_EXECUTION_ENV=AWS_EC2"}
	const onInstance = "[profile ops]\nrole_arn = $MIDDLE\ncredential_source = Ec2InstanceMetadata\n"
	long := awsauth.WithDuration(2 * time.Hour)
	ask := awsauth.WithLoadOptions(config.WithEC2IMDSRegion())
	for _, tt := range []struct {
		name, config string
		env          []string
		opts         []awsauth.Option
		kind         awsauth.Kind
		says         string
	}{
		{"option", "", nil, []awsauth.Option{awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"option, mode auto", "", auto, []awsauth.Option{awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"option, WithEC2IMDSRegion", "", nil, []awsauth.Option{ask, awsauth.WithAccount("1")}, awsauth.InvalidOption, "WithAccount"},
		{"chained duration", onInstance, nil, []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(target), long},
			awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"chained duration, mode auto and WithEC2IMDSRegion", onInstance, auto,
			[]awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithAccount(target), long}, awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"profile that is not there", "", append([]string{"AWS_PROFILE=ops"}, auto...), []awsauth.Option{ask}, awsauth.ProfileNotFound, "AWS_PROFILE"},
		{"long-term keys", "[profile ops]\n" + keyLines, auto, []awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithTemporaryOnly()},
			awsauth.LongTermCredentials, "WithTemporaryOnly"},
		{"container URI", "", append([]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://name.example.com/"}, auto...), []awsauth.Option{ask},
			awsauth.InvalidOption, "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			w.instance()
			w.files(tt.config, "")
			w.env(tt.env...)
			_, err := w.try(tt.opts...)
			requireBad(t, err, tt.kind, tt.says)
			require.Empty(t, w.said())
		})
	}
}

// TestRegionOfInstanceOnRequest: what config.WithEC2IMDSRegion asks for counts.
func TestRegionOfInstanceOnRequest(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.instance()
	s := w.open(w.static(), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-3", s.Config().Region)
	require.Equal(t, []string{"GetToken 169.254.169.254 unsigned", "GetRegion 169.254.169.254 unsigned"}, w.said())
	require.Equal(t, w.arn(home, "user/ci"), w.identity(s))

	w.ResetCalls()
	w.env("AWS_DEFAULTS_MODE=auto", "AWS_EXECUTION_ENV=AWS_EC2")
	s = w.open(w.static(), awsauth.WithRegion("eu-west-1"), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-1", s.Config().Region)
	require.Empty(t, w.said(), "a region was given")
}

// TestPseudoRegions: no service but global ones is there.
func TestPseudoRegions(t *testing.T) {
	for _, tt := range []struct {
		p           awsauth.Partition
		env, option string
		want        string
	}{
		{awsauth.AWS, "aws-global", "", "us-east-1"},
		{awsauth.China, "aws-cn-global", "", "cn-north-1"},
		{awsauth.AWS, "garbage", "eu-west-1", "eu-west-1"},
	} {
		t.Run(tt.env, func(t *testing.T) {
			w := newPlace(t, tt.p)
			w.env("AWS_REGION=" + tt.env)
			s := w.open(w.static(), awsauth.WithRegion(tt.option))
			require.Equal(t, tt.want, s.Config().Region)
			require.Equal(t, w.arn(home, "user/ci"), w.identity(s))
			require.Equal(t, []string{"GetCallerIdentity " + stsHost(tt.want) + " " + tt.want + " user"}, w.said())
		})
	}
}

// TestTokenNotLogged: STS repeats a token that has the wrong form, and the
// SDK logs what STS says.
func TestTokenNotLogged(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.webToken()
		w.files("[profile web]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
		w.env("AWS_PROFILE=web")
		text, err := os.ReadFile(w.dir + "/token")
		require.NoError(t, err)
		w.Inject(awsauthtest.Fault{Action: "AssumeRoleWithWebIdentity", Kind: awsauthtest.Refuse, Status: 400, Code: "ValidationError",
			Message: "1 validation error detected: Value '" + string(text) + "' at 'webIdentityToken' failed to satisfy constraint: Member must be short"})
		var p paper
		log := awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug})))
		_, err = w.open(log, awsauth.WithLoadOptions(config.WithClientLogMode(aws.LogRetries))).Retrieve(t.Context())
		requireBad(t, err, awsauth.InvalidOption, "webIdentityToken")
		synctest.Wait()
		require.Contains(t, p.String(), "SDK: ", "the SDK logs nothing any more, and this test nothing either")
		require.Contains(t, p.String(), "webIdentityToken")
		p.clean(t, map[string]string{string(text): "web identity token"})
		require.NotContains(t, err.Error(), string(text))
	})
}

// TestSSOHint names the profile that has the SSO settings.
func TestSSOHint(t *testing.T) {
	w := newPlace(t, awsauth.AWS)
	w.t.Setenv("HOME", w.dir)
	w.files("[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n"+
		"[profile dev]\nsso_session = corp\nsso_account_id = "+home+"\nsso_role_name = base\n"+
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", "")
	err := w.fetch(awsauth.WithProfile("ops"))
	requireBad(t, err, awsauth.Expired, "run: aws sso login --profile dev")
}

// TestLoginUnreachable: a host that cannot be reached has ended no session.
func TestLoginUnreachable(t *testing.T) {
	onItsClock(t, func(t *testing.T, w *place) {
		w.loggedIn()
		w.files("[profile dev]\nlogin_session = "+loginSession+"\n", "")
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		der, err := x509.MarshalECPrivateKey(key)
		require.NoError(t, err)
		inJSON, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
		require.NoError(t, err)
		path, err := logincreds.StandardCachedTokenFilepath(loginSession, w.dir)
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"none"`), inJSON, 1), 0o600))
		time.Sleep(time.Hour) // the keys of the login have expired
		err = w.fetch(awsauth.WithProfile("dev"))
		requireBad(t, err, awsauth.Unreachable, "signin")
		require.NotErrorIs(t, err, awsauth.Expired)
		require.NotContains(t, err.Error(), "aws login")
	})
}

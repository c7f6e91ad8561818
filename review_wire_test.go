package awsauth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// threeRoles are sessions one in the other, and profiles likewise.
var threeRoles = map[string]func(w *lab.Place) aws.CredentialsProvider{
	"Assume": func(w *lab.Place) aws.CredentialsProvider {
		s := w.Open(w.Static())
		for _, role := range []string{w.ARN(lab.Home, "role/base"), w.ARN(lab.Home, "role/middle"), lab.ManageRole} {
			next, err := s.Assume(awsauth.WithRoleARN(role))
			require.NoError(w.T, err)
			s = next
		}
		return s
	},
	"profiles": func(w *lab.Place) aws.CredentialsProvider {
		w.Files("[profile ops]\nrole_arn = $MANAGE\nsource_profile = second\n[profile second]\nrole_arn = $MIDDLE\nsource_profile = first\n"+
			"[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		return w.Open(awsauth.WithProfile("ops"))
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
				lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
					s := open(w)
					up := w.Down(fault)
					o := lab.Ask(t.Context(), s)
					require.ErrorIs(t, o.Err, kind)
					lab.RequireBad(t, o.Err, kind, "assume role "+w.ARN(lab.Home, "role/base"), "8 attempts")
					require.Equal(t, 8, w.Assumed())
					for _, c := range w.Calls("AssumeRole") {
						require.Equal(t, w.ARN(lab.Home, "role/base"), c.Params.Get("RoleArn"))
					}
					require.Less(t, o.Took, 28*time.Second)
					up()
					time.Sleep(time.Minute)
					lab.Get(t, s)
				})
			})
		}
	}
}

// TestChainKeepsFirst: the attempts to assume the last role of a profile do not
// cost one of the first each.
func TestChainKeepsFirst(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.Files("[profile ops]\nrole_arn = $MIDDLE\nsource_profile = first\n[profile first]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
		s := w.Open(awsauth.WithProfile("ops"))
		last := func(c awsauthtest.Call) bool { return strings.HasSuffix(c.Params.Get("RoleArn"), "/middle") }
		w.Inject(awsauthtest.Fault{Action: "AssumeRole", Match: last, Kind: awsauthtest.ServerError, Times: 3})
		lab.Get(t, s)
		base, middle := "AssumeRole/base sts.us-east-1.amazonaws.com us-east-1 user", "AssumeRole/middle sts.us-east-1.amazonaws.com us-east-1 session"
		require.Equal(t, []string{base, middle, middle, middle, middle}, w.Said())
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
		{"chained duration", onInstance, nil, []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), long},
			awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"chained duration, mode auto and WithEC2IMDSRegion", onInstance, auto,
			[]awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), long}, awsauth.InvalidDuration, "WithDuration(2h0m0s)"},
		{"profile that is not there", "", append([]string{"AWS_PROFILE=ops"}, auto...), []awsauth.Option{ask}, awsauth.ProfileNotFound, "AWS_PROFILE"},
		{"long-term keys", "[profile ops]\n" + lab.KeyLines, auto, []awsauth.Option{ask, awsauth.WithProfile("ops"), awsauth.WithTemporaryOnly()},
			awsauth.LongTermCredentials, "WithTemporaryOnly"},
		{"container URI", "", append([]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://name.example.com/"}, auto...), []awsauth.Option{ask},
			awsauth.InvalidOption, "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Files(tt.config, "")
			w.Env(tt.env...)
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, tt.kind, tt.says)
			require.Empty(t, w.Said())
		})
	}
}

// TestRegionOfInstanceOnRequest: what config.WithEC2IMDSRegion asks for counts.
func TestRegionOfInstanceOnRequest(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.OnInstance()
	s := w.Open(w.Static(), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-3", s.Config().Region)
	require.Equal(t, []string{"GetToken 169.254.169.254 unsigned", "GetRegion 169.254.169.254 unsigned"}, w.Said())
	require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))

	w.ResetCalls()
	w.Env("AWS_DEFAULTS_MODE=auto", "AWS_EXECUTION_ENV=AWS_EC2")
	s = w.Open(w.Static(), awsauth.WithRegion("eu-west-1"), awsauth.WithLoadOptions(config.WithEC2IMDSRegion()))
	require.Equal(t, "eu-west-1", s.Config().Region)
	require.Empty(t, w.Said(), "a region was given")
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
			w := lab.New(t, tt.p)
			w.Env("AWS_REGION=" + tt.env)
			s := w.Open(w.Static(), awsauth.WithRegion(tt.option))
			require.Equal(t, tt.want, s.Config().Region)
			require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			require.Equal(t, []string{"GetCallerIdentity " + lab.STSHost(tt.want) + " " + tt.want + " user"}, w.Said())
		})
	}
}

// TestTokenNotLogged: STS repeats a token that has the wrong form, and the
// SDK logs what STS says.
func TestTokenNotLogged(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.WebToken()
		w.Files("[profile web]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n", "")
		w.Env("AWS_PROFILE=web")
		text, err := os.ReadFile(w.Dir + "/token")
		require.NoError(t, err)
		w.Inject(awsauthtest.Fault{Action: "AssumeRoleWithWebIdentity", Kind: awsauthtest.Refuse, Status: 400, Code: "ValidationError",
			Message: "1 validation error detected: Value '" + string(text) + "' at 'webIdentityToken' failed to satisfy constraint: Member must be short"})
		var p lab.Paper
		log := awsauth.WithLogger(slog.New(slog.NewTextHandler(&p, &slog.HandlerOptions{Level: slog.LevelDebug})))
		_, err = w.Open(log, awsauth.WithLoadOptions(config.WithClientLogMode(aws.LogRetries))).Retrieve(t.Context())
		lab.RequireBad(t, err, awsauth.InvalidOption, "webIdentityToken")
		synctest.Wait()
		require.Contains(t, p.String(), "SDK: ", "the SDK logs nothing any more, and this test nothing either")
		require.Contains(t, p.String(), "webIdentityToken")
		p.Clean(t, map[string]string{string(text): "web identity token"})
		require.NotContains(t, err.Error(), string(text))
	})
}

// TestSSOHint names the profile that has the SSO settings.
func TestSSOHint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.T.Setenv("HOME", w.Dir)
	w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = dev\n"+
		"[profile dev]\nsso_session = corp\nsso_account_id = "+lab.Home+"\nsso_role_name = base\n"+
		"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", "")
	err := w.Fetch(awsauth.WithProfile("ops"))
	lab.RequireBad(t, err, awsauth.Expired, "run: aws sso login --profile dev")
}

// TestLoginUnreachable: a host that cannot be reached has ended no session.
func TestLoginUnreachable(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		w.LoggedIn()
		w.Files("[profile dev]\nlogin_session = "+lab.LoginSession+"\n", "")
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		der, err := x509.MarshalECPrivateKey(key)
		require.NoError(t, err)
		inJSON, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
		require.NoError(t, err)
		path, err := logincreds.StandardCachedTokenFilepath(lab.LoginSession, w.Dir)
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`"none"`), inJSON, 1), 0o600))
		time.Sleep(time.Hour) // the keys of the login have expired
		err = w.Fetch(awsauth.WithProfile("dev"))
		lab.RequireBad(t, err, awsauth.Unreachable, "signin")
		require.NotErrorIs(t, err, awsauth.Expired)
		require.NotContains(t, err.Error(), "aws login")
	})
}

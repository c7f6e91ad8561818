package awsauthtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// session is the parameter Session of getSigninToken.
func session(k awsauthtest.Keys) string {
	text, _ := json.Marshal(map[string]string{"sessionId": k.AccessKeyID, "sessionKey": k.SecretAccessKey, "sessionToken": k.SessionToken})
	return string(text)
}

// federate asks a federation endpoint, and returns the token or the page.
func federate(t *testing.T, c *awsauthtest.Cloud, method, endpoint string, form url.Values) (status int, token, page string) {
	t.Helper()
	to, body := endpoint, strings.NewReader(form.Encode())
	if method == http.MethodGet {
		to, body = endpoint+"?"+form.Encode(), strings.NewReader("")
	}
	r, err := http.NewRequestWithContext(t.Context(), method, to, body)
	require.NoError(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var out struct{ SigninToken string }
	if resp.StatusCode == http.StatusOK {
		require.NoError(t, json.Unmarshal(text, &out), string(text))
	} else {
		require.Contains(t, resp.Header.Get("Content-Type"), "text/html")
		require.False(t, json.Valid(text), "a page, not JSON")
	}
	return resp.StatusCode, out.SigninToken, string(text)
}

func signinForm(k awsauthtest.Keys, pairs ...string) url.Values {
	return url.Values{"Action": {"getSigninToken"}, "Session": {session(k)}, pairs[0]: {pairs[1]}}
}

const federation = "https://eu-west-1.signin.aws.amazon.com/federation"

// TestFederation: role sessions get a sign-in token; nobody else does.
func TestFederation(t *testing.T) {
	c, alice := world(t)
	c.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::555555555555:role/next", Trust: []string{"222222222222"}})
	cn := c.AddUser(awsauthtest.User{ARN: wang})
	c.AddRole(awsauthtest.Role{ARN: managCN, Trust: []string{"333333333333"}})
	in := assume(t, c, alice, role(manage))
	chained := assume(t, c, in, role("arn:aws:iam::555555555555:role/next"))
	out, err := client(c, "us-east-1", alice).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.NoError(t, err)
	mfa := awsauthtest.Keys{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	out2, err := client(c, "cn-north-1", cn).AssumeRole(t.Context(), role(managCN))
	require.NoError(t, err)
	china := awsauthtest.Keys{AccessKeyID: *out2.Credentials.AccessKeyId, SecretAccessKey: *out2.Credentials.SecretAccessKey, SessionToken: *out2.Credentials.SessionToken}
	expired, gone, wrong, cut := assume(t, c, alice, role(manage)), assume(t, c, alice, role(manage)), in, in
	c.Expire(expired.AccessKeyID)
	c.Deactivate(gone.AccessKeyID)
	wrong.SecretAccessKey += "x"
	cut.SessionToken = cut.SessionToken[1:]
	none := []string{"Version", "1"}
	lasts := func(seconds string) []string { return []string{"SessionDuration", seconds} }
	for _, tt := range []struct {
		name   string
		keys   awsauthtest.Keys
		extra  []string
		status int
	}{
		{"role", in, none, 200}, {"12 hours", in, lasts("43200"), 200}, {"15 minutes", in, lasts("900"), 200},
		{"chained", chained, none, 200}, {"chained, with duration", chained, lasts("900"), 400},
		{"too short", in, lasts("899"), 400}, {"too long", in, lasts("43201"), 400}, {"no number", in, lasts("1h"), 400}, {"empty", in, lasts(""), 400},
		{"user", alice, none, 400}, {"GetSessionToken", mfa, none, 400}, {"expired", expired, none, 400}, {"unknown", gone, none, 400},
		{"wrong secret", wrong, none, 400}, {"wrong token", cut, none, 400}, {"no keys", awsauthtest.Keys{}, none, 400},
		{"China's at aws", china, none, 400}, {"not JSON", in, []string{"Session", "x"}, 400}, {"another action", in, []string{"Action", "x"}, 400},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				status, token, page := federate(t, c, method, federation, signinForm(tt.keys, tt.extra...))
				require.Equal(t, tt.status, status)
				if status != http.StatusOK {
					require.Contains(t, page, "HTTP Status 400")
					return
				}
				require.NotEmpty(t, token)
				who, ok := c.SignedIn(federation + "?Action=login&Issuer=x&Destination=https%3A%2F%2Fconsole.aws.amazon.com%2F&SigninToken=" + token)
				require.True(t, ok)
				require.Equal(t, tt.keys.AccessKeyID, who.AccessKeyID)
			})
		}
	}
	for _, call := range c.Calls("getSigninToken") {
		require.Equal(t, "signin", call.Service)
		require.NotContains(t, call.Params.Encode(), "essionKey", "secrets stay out of the record")
	}
	c.AssertCalled(t, "arn:aws:sts::222222222222:assumed-role/manage-role/test", "getSigninToken", "")
}

// TestFederationHosts: every partition has its own endpoint, with a region before
// it and without, and takes the keys of its own.
func TestFederationHosts(t *testing.T) {
	for partition, hosts := range map[string][]string{
		"aws":        {"signin.aws.amazon.com", "us-east-1.signin.aws.amazon.com", "console.aws.amazon.com"},
		"aws-cn":     {"signin.amazonaws.cn", "cn-northwest-1.signin.amazonaws.cn", "cn-north-1.console.amazonaws.cn"},
		"aws-us-gov": {"signin.amazonaws-us-gov.com", "us-gov-east-1.signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"},
		"aws-eusc":   {"signin.amazonaws-eusc.eu", "eusc-de-east-1.signin.amazonaws-eusc.eu", "console.amazonaws-eusc.eu"},
		"aws-iso":    {"signin.c2shome.ic.gov", "us-iso-west-1.signin.c2shome.ic.gov", "console.c2shome.ic.gov"},
		"aws-iso-b":  {"signin.sc2shome.sgov.gov", "us-isob-east-1.signin.sc2shome.sgov.gov", "console.sc2shome.sgov.gov"},
		"aws-iso-e":  {"signin.csphome.adc-e.uk", "eu-isoe-west-1.signin.csphome.adc-e.uk", "console.csphome.adc-e.uk"},
		"aws-iso-f":  {"signin.csphome.hci.ic.gov", "us-isof-south-1.signin.csphome.hci.ic.gov", "console.csphome.hci.ic.gov"},
	} {
		t.Run(partition, func(t *testing.T) {
			c := awsauthtest.Start()
			region := strings.TrimSuffix(hosts[1], "."+hosts[0])
			arn := "arn:" + partition + ":iam::222222222222:role/manage-role"
			user := c.AddUser(awsauthtest.User{ARN: "arn:" + partition + ":iam::111111111111:user/u"})
			c.AddRole(awsauthtest.Role{ARN: arn, Trust: []string{"111111111111"}})
			out, err := client(c, region, user).AssumeRole(t.Context(), role(arn))
			require.NoError(t, err)
			keys := awsauthtest.Keys{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
			for _, host := range hosts[:2] {
				status, token, page := federate(t, c, "POST", "https://"+host+"/federation", signinForm(keys, "SessionDuration", "3600"))
				require.Equal(t, 200, status, page)
				who, ok := c.SignedIn("https://" + host + "/federation?Action=login&Issuer=x&Destination=https://" + hosts[2] + "/ec2&SigninToken=" + token)
				require.True(t, ok)
				require.Equal(t, awsauthtest.Identity{
					Account: "222222222222", ARN: "arn:" + partition + ":sts::222222222222:assumed-role/manage-role/test",
					UserID: who.UserID, Partition: partition, RoleARN: arn, AccessKeyID: keys.AccessKeyID,
				}, who)
				_, ok = c.SignedIn("https://" + host + "/federation?Action=login&Issuer=x&Destination=https://console.example.com/&SigninToken=" + token)
				require.False(t, ok)
			}
		})
	}
}

// TestSignedIn: what does not lead to the console, signed in, is told apart.
func TestSignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, alice := world(t)
		keys := assume(t, c, alice, role(manage))
		_, token, _ := federate(t, c, "POST", federation, signinForm(keys, "Version", "1"))
		const tail = "?Action=login&Issuer=x&Destination=https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fec2&SigninToken="
		right := federation + tail + token
		login := func(of string) bool {
			_, ok := c.SignedIn(of)
			return ok
		}
		require.True(t, login(right))
		for _, wrong := range []string{
			"", "://", federation, strings.Replace(right, "login", "getSigninToken", 1), strings.Replace(right, "https", "http", 1),
			strings.Replace(right, "Issuer=x", "", 1), strings.Replace(right, "/federation", "/", 1), right + "x",
			strings.Replace(right, "eu-west-1.signin", "eu-west-9.signin", 1), strings.Replace(right, "eu-west-1.signin.aws.amazon.com", "cn-north-1.signin.amazonaws.cn", 1),
			strings.Replace(right, "signin.aws", "signin.example", 1), strings.Replace(right, "https%3A", "http%3A", 1),
			strings.Replace(right, "console.aws.amazon.com", "console.amazonaws.cn", 1), strings.Replace(right, "eu-west-1.console.aws", "evil.aws", 1),
			strings.Replace(right, "eu-west-1.console.", "me%40evil.com%2Fconsole.", 1), strings.Replace(right, "console.aws.amazon.com", "console.aws.amazon.com.evil.com", 1),
		} {
			require.False(t, login(wrong), wrong)
		}
		browser := c.Client()
		browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := browser.Get(right)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "https://eu-west-1.console.aws.amazon.com/ec2", resp.Header.Get("Location"))
		time.Sleep(15*time.Minute - time.Second)
		require.True(t, login(right))
		time.Sleep(time.Second)
		require.False(t, login(right), "a URL lives 15 minutes")
		time.Sleep(45 * time.Minute)
		status, _, _ := federate(t, c, "POST", federation, signinForm(keys, "Version", "1"))
		require.Equal(t, 400, status, "the keys have expired")
	})
}

// TestFederationOnSocket: the socket has the endpoint, too.
func TestFederationOnSocket(t *testing.T) {
	c, alice := world(t)
	endpoint, err := c.Serve()
	require.NoError(t, err)
	keys := assume(t, c, alice, role(manage))
	status, token, page := federate(t, c, "POST", endpoint+"/federation", signinForm(keys, "SessionDuration", "900"))
	require.Equal(t, 200, status, page)
	who, ok := c.SignedIn(endpoint + "/federation?Action=login&Issuer=x&Destination=https://console.aws.amazon.com/&SigninToken=" + token)
	require.True(t, ok)
	require.Equal(t, "222222222222", who.Account)
}

// TestFederationFault: a fault is a page, too.
func TestFederationFault(t *testing.T) {
	c, alice := world(t)
	keys := assume(t, c, alice, role(manage))
	c.Inject(awsauthtest.Fault{Action: "getSigninToken", Kind: awsauthtest.ServerError, Times: 1})
	status, _, page := federate(t, c, "POST", federation, signinForm(keys, "Version", "1"))
	require.Equal(t, 503, status)
	require.Contains(t, page, "<h1>HTTP Status 503")
}

package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/console"
)

func TestHost(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "us-east-1.signin.aws.amazon.com", "ap-southeast-7": "ap-southeast-7.signin.aws.amazon.com",
		"cn-north-1": "cn-north-1.signin.amazonaws.cn", "cn-northwest-1": "cn-northwest-1.signin.amazonaws.cn",
		"us-gov-west-1": "us-gov-west-1.signin.amazonaws-us-gov.com", "us-gov-east-1": "us-gov-east-1.signin.amazonaws-us-gov.com",
		"eusc-de-east-1": "eusc-de-east-1.signin.amazonaws-eusc.eu",
		"us-iso-east-1":  "us-iso-east-1.signin.c2shome.ic.gov", "us-isob-east-1": "us-isob-east-1.signin.sc2shome.sgov.gov",
		"eu-isoe-west-1": "eu-isoe-west-1.signin.csphome.adc-e.uk", "us-isof-south-1": "us-isof-south-1.signin.csphome.hci.ic.gov",
	} {
		got, err := console.Host(t.Context(), region)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := console.Host(t.Context(), "")
	require.Error(t, err)
}

// inRole are keys of a role session in one of the partitions.
func inRole(t *testing.T, cloud *awsauthtest.Cloud, partition, region string) aws.Credentials {
	t.Helper()
	role := "arn:" + partition + ":iam::222222222222:role/audit"
	user := cloud.AddUser(awsauthtest.User{ARN: "arn:" + partition + ":iam::111111111111:user/ci"})
	cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"111111111111"}})
	client := sts.New(sts.Options{Region: region, HTTPClient: cloud.Client(), Credentials: user.Provider(), Retryer: aws.NopRetryer{}})
	keys, err := stscreds.NewAssumeRoleProvider(client, role).Retrieve(t.Context())
	require.NoError(t, err)
	return keys
}

// TestURL signs in at the wire, in three partitions, at the home and at a service.
func TestURL(t *testing.T) {
	for _, tt := range []struct{ partition, region, console string }{
		{"aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com"},
		{"aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn"},
		{"aws-us-gov", "us-gov-east-1", "https://us-gov-east-1.console.amazonaws-us-gov.com"},
	} {
		for destination, want := range map[string]string{
			"":                                     tt.console + "/console/home?region=" + tt.region,
			"ec2":                                  tt.console + "/ec2/home?region=" + tt.region,
			"EC2":                                  tt.console + "/ec2/home?region=" + tt.region,
			tt.console + "/s3/buckets?a=b&c=d#x=y": tt.console + "/s3/buckets?a=b&c=d#x=y",
		} {
			t.Run(tt.partition+" "+destination, func(t *testing.T) {
				cloud := awsauthtest.Start()
				keys := inRole(t, cloud, tt.partition, tt.region)
				host, err := console.Host(t.Context(), tt.region)
				require.NoError(t, err)
				for _, lasts := range []time.Duration{0, 15 * time.Minute, 12 * time.Hour} {
					login, err := console.URL(t.Context(), cloud.Client(), console.Request{
						Credentials: keys, Host: host, Destination: destination, Duration: lasts,
					})
					require.NoError(t, err)
					who, ok := cloud.SignedIn(login)
					require.True(t, ok)
					require.Equal(t, "arn:"+tt.partition+":sts::222222222222:assumed-role/audit/", who.ARN[:strings.LastIndexByte(who.ARN, '/')+1])
					require.Equal(t, keys.AccessKeyID, who.AccessKeyID)
					u, err := url.Parse(login)
					require.NoError(t, err)
					require.Equal(t, want, u.Query().Get("Destination"))
					require.Equal(t, "awsauth", u.Query().Get("Issuer"))
					require.NotContains(t, login, keys.SecretAccessKey)
				}
				calls := cloud.Calls("getSigninToken")
				require.Equal(t, []string{"", "900", "43200"}, []string{
					calls[0].Params.Get("SessionDuration"), calls[1].Params.Get("SessionDuration"), calls[2].Params.Get("SessionDuration"),
				})
				require.Equal(t, "POST", calls[0].Method)
				require.Equal(t, host, calls[0].Host)
			})
		}
	}
}

// TestURLOnSocket asks at another address of the service.
func TestURLOnSocket(t *testing.T) {
	cloud := awsauthtest.Start()
	t.Cleanup(func() { require.NoError(t, cloud.Close()) })
	endpoint, err := cloud.Serve()
	require.NoError(t, err)
	login, err := console.URL(t.Context(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, console.Request{
		Credentials: inRole(t, cloud, "aws-cn", "cn-north-1"), Host: "cn-north-1.signin.amazonaws.cn", Endpoint: endpoint + "/",
	})
	require.NoError(t, err)
	who, ok := cloud.SignedIn(login)
	require.True(t, ok, login)
	require.Equal(t, "aws-cn", who.Partition)
}

// TestURLRefused: the endpoint's refusals are told by their status.
func TestURLRefused(t *testing.T) {
	cloud := awsauthtest.Start()
	user, err := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"}).Provider().Retrieve(t.Context())
	require.NoError(t, err)
	role := inRole(t, cloud, "aws", "us-east-1")
	for name, r := range map[string]console.Request{
		"a user":            {Credentials: user, Host: "us-east-1.signin.aws.amazon.com"},
		"another partition": {Credentials: role, Host: "cn-north-1.signin.amazonaws.cn"},
		"too long":          {Credentials: role, Host: "us-east-1.signin.aws.amazon.com", Duration: 13 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := console.URL(t.Context(), cloud.Client(), r)
			var status *console.StatusError
			require.ErrorAs(t, err, &status)
			require.Equal(t, 400, status.Status)
		})
	}
}

// answers is a client with an answer of its own.
type answers func(*http.Request) (*http.Response, error)

func (f answers) Do(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body io.Reader) answers {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body)}, nil
	}
}

// The secrets of secretive.
const (
	secret = "wJalrXUtnFEMIsecret"
	token  = "IQoJb3JpZ2luX2VjToken"
	signin = "theSigninToken"
)

var secretive = console.Request{
	Credentials: aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: secret, SessionToken: token},
	Host:        "us-east-1.signin.aws.amazon.com",
}

// TestErrors: the status counts before the body, no answer is without a bound, and
// nothing of request or answer gets into an error.
func TestErrors(t *testing.T) {
	right := `{"SigninToken":"` + signin + `"}`
	echoed := errors.New("lost")
	var page *console.StatusError
	for name, tt := range map[string]struct {
		client answers
		as     any
		is     error
	}{
		"refused, with JSON": {answer(403, strings.NewReader(right)), &page, nil},
		"redirected":         {answer(307, strings.NewReader(right)), &page, nil},
		"quotes":             {answer(400, strings.NewReader("<p>"+secret+token+"</p>")), &page, nil},
		"a page":             {answer(200, strings.NewReader("<html>"+signin+"</html>")), nil, console.ErrAnswer},
		"nothing":            {answer(200, strings.NewReader("")), nil, console.ErrAnswer},
		"no token":           {answer(200, strings.NewReader(`{"SigninToken":""}`)), nil, console.ErrAnswer},
		"half":               {answer(200, strings.NewReader(right[:len(right)-2])), nil, console.ErrAnswer},
		"wrong type":         {answer(200, strings.NewReader(`{"SigninToken":["`+signin+`"]}`)), nil, console.ErrAnswer},
		"endless":            {answer(200, io.MultiReader(strings.NewReader(`{"SigninToken":"`), endless{})), nil, console.ErrAnswer},
		"cut off":            {answer(200, io.MultiReader(strings.NewReader(right[:9]), iotest.ErrReader(io.ErrUnexpectedEOF))), nil, io.ErrUnexpectedEOF},
		"no connection": {func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			return nil, errors.Join(err, &url.Error{Op: "Post", URL: r.URL.String() + "?" + string(body), Err: echoed})
		}, nil, echoed},
		"cancelled": {func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: "https://x/?Session=" + secret, Err: context.Canceled}
		}, nil, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			login, err := console.URL(t.Context(), tt.client, secretive)
			require.Error(t, err)
			require.Empty(t, login)
			if tt.as != nil {
				require.ErrorAs(t, err, tt.as)
			}
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			for _, form := range []string{"%v", "%+v", "%#v"} {
				for e := err; e != nil; e = errors.Unwrap(e) {
					text := fmt.Sprintf(form, e)
					for _, hidden := range []string{secret, token, signin, url.QueryEscape(secret), "ASIAIOSFODNN7EXAMPLE"} {
						assert.NotContains(t, text, hidden)
					}
				}
			}
		})
	}
}

// endless gives one letter for ever.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// TestLargeToken: a session token of 4 KiB goes out whole, and in the body.
func TestLargeToken(t *testing.T) {
	r := secretive
	r.Credentials.SessionToken = strings.Repeat("a+/=&\"", 4096/6)
	login, err := console.URL(t.Context(), answers(func(q *http.Request) (*http.Response, error) {
		require.Equal(t, "https://us-east-1.signin.aws.amazon.com/federation", q.URL.String())
		require.NoError(t, q.ParseForm())
		require.JSONEq(t, `{"sessionId":"ASIAIOSFODNN7EXAMPLE","sessionKey":"`+secret+`","sessionToken":"`+
			strings.ReplaceAll(r.Credentials.SessionToken, `"`, `\"`)+`"}`, q.PostForm.Get("Session"))
		return answer(200, strings.NewReader(`{"SigninToken":"a b&c=d"}`))(q)
	}), r)
	require.NoError(t, err)
	u, err := url.Parse(login)
	require.NoError(t, err)
	require.Equal(t, "a b&c=d", u.Query().Get("SigninToken"), "what the endpoint gave is escaped, too")
}

// closing notes that a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// closes answers with a status and a body.
type closes struct {
	status int
	body   *closing
}

func (c closes) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: c.body, Request: r}, nil
}

// TestClosed: whatever is answered, the connection is free afterwards.
func TestClosed(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		body := &closing{Reader: strings.NewReader(`{"SigninToken":"x"}`)}
		_, err := console.URL(t.Context(), closes{status, body}, console.Request{Host: "us-east-1.signin.aws.amazon.com"})
		assert.Equal(t, status == http.StatusOK, err == nil)
		assert.True(t, body.closed, "%d", status)
	}
}

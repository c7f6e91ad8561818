package awsauthtest_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const (
	startURL    = "https://corp.awsapps.com/start"
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
)

func oidcClient(c *awsauthtest.Cloud, region string) *ssooidc.Client {
	return ssooidc.New(ssooidc.Options{Region: region, HTTPClient: c.Client(), Retryer: aws.NopRetryer{}})
}

func portal(c *awsauthtest.Cloud, region string) *sso.Client {
	return sso.New(sso.Options{Region: region, HTTPClient: c.Client(), Retryer: aws.NopRetryer{}})
}

// device is a program on its way through a device authorization.
type device struct {
	t      *testing.T
	client *ssooidc.Client
	reg    *ssooidc.RegisterClientOutput
	auth   *ssooidc.StartDeviceAuthorizationOutput
}

func newDevice(t *testing.T, client *ssooidc.Client, scopes ...string) device {
	t.Helper()
	reg, err := client.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: aws.String("test"), ClientType: aws.String("public"), Scopes: scopes})
	require.NoError(t, err)
	auth, err := client.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: reg.ClientId, ClientSecret: reg.ClientSecret, StartUrl: aws.String(startURL),
	})
	require.NoError(t, err)
	return device{t, client, reg, auth}
}

// token asks for the token, a second after the last time.
func (d device) token() (*ssooidc.CreateTokenOutput, error) {
	time.Sleep(time.Second)
	return d.ask(&ssooidc.CreateTokenInput{GrantType: aws.String(deviceGrant), DeviceCode: d.auth.DeviceCode})
}

func (d device) refresh(token *string) (*ssooidc.CreateTokenOutput, error) {
	return d.ask(&ssooidc.CreateTokenInput{GrantType: aws.String("refresh_token"), RefreshToken: token})
}

func (d device) ask(in *ssooidc.CreateTokenInput) (*ssooidc.CreateTokenOutput, error) {
	in.ClientId, in.ClientSecret = d.reg.ClientId, d.reg.ClientSecret
	return d.client.CreateToken(d.t.Context(), in)
}

// roleKeys asks the portal for the keys of the role manage.
func roleKeys(t *testing.T, c *awsauthtest.Cloud, region string, token *string) error {
	t.Helper()
	_, err := portal(c, region).GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{
		AccessToken: token, AccountId: aws.String("222222222222"), RoleName: aws.String("manage-role"),
	})
	return err
}

// TestDevice goes the way of a login: registered, approved, renewed, logged out.
func TestDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := world(t)
		d := newDevice(t, oidcClient(c, "eu-west-1"), "sso:account:access")
		require.Equal(t, startURL+"/#/device?user_code="+*d.auth.UserCode, *d.auth.VerificationUriComplete)
		require.Equal(t, []string{*d.auth.UserCode}, c.UserCodes())
		_, err := d.token()
		require.Equal(t, "AuthorizationPendingException", refusal(err))
		require.Error(t, c.ApproveDevice("AAAA-AAAA", manage))
		require.Error(t, c.ApproveDevice(*d.auth.UserCode, managCN), "of another partition")
		require.NoError(t, c.ApproveDevice(*d.auth.UserCode, manage))
		require.Empty(t, c.UserCodes())
		first, err := d.token()
		require.NoError(t, err)
		require.Equal(t, int32(3600), first.ExpiresIn)
		_, err = d.token()
		require.Equal(t, "InvalidGrantException", refusal(err), "a code is good once")
		require.NoError(t, roleKeys(t, c, "eu-west-1", first.AccessToken))
		require.Equal(t, "ForbiddenException", refusal(roleKeys(t, c, "us-east-1", first.AccessToken)))

		time.Sleep(time.Hour)
		require.Equal(t, "UnauthorizedException", refusal(roleKeys(t, c, "eu-west-1", first.AccessToken)))
		second, err := d.refresh(first.RefreshToken)
		require.NoError(t, err)
		require.NoError(t, roleKeys(t, c, "eu-west-1", second.AccessToken))
		_, err = d.refresh(first.RefreshToken)
		require.Equal(t, "InvalidGrantException", refusal(err), "a refresh token is good once")
		require.Equal(t, []string{deviceGrant, deviceGrant, deviceGrant, "refresh_token", "refresh_token"}, grantTypes(c))

		_, err = portal(c, "eu-west-1").Logout(t.Context(), &sso.LogoutInput{AccessToken: second.AccessToken})
		require.NoError(t, err)
		require.Equal(t, "UnauthorizedException", refusal(roleKeys(t, c, "eu-west-1", second.AccessToken)))
		_, err = d.refresh(second.RefreshToken)
		require.Equal(t, "InvalidGrantException", refusal(err), "a logout ends the session")
	})
}

func grantTypes(c *awsauthtest.Cloud) (types []string) {
	for _, call := range c.Calls("CreateToken") {
		types = append(types, call.Params.Get("grantType"))
	}
	return types
}

// TestDeviceWaits: too many questions, too late an answer, a refusal.
func TestDeviceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := world(t)
		client := oidcClient(c, "cn-north-1")
		d := newDevice(t, client)
		question := &ssooidc.CreateTokenInput{GrantType: aws.String(deviceGrant), DeviceCode: d.auth.DeviceCode}
		_, err := d.token()
		require.Equal(t, "AuthorizationPendingException", refusal(err))
		_, err = d.ask(question)
		require.Equal(t, "SlowDownException", refusal(err))
		time.Sleep(10 * time.Minute)
		_, err = d.token()
		require.Equal(t, "ExpiredTokenException", refusal(err))
		require.Error(t, c.ApproveDevice(*d.auth.UserCode), "too late")

		d = newDevice(t, client)
		require.NoError(t, c.DenyDevice(*d.auth.UserCode))
		_, err = d.token()
		require.Equal(t, "AccessDeniedException", refusal(err))

		older, newer := newDevice(t, client), newDevice(t, client)
		require.Equal(t, []string{*older.auth.UserCode, *newer.auth.UserCode}, c.UserCodes())
		require.NoError(t, c.ApproveDevice(*newer.auth.UserCode, managCN))
		out, err := newer.token()
		require.NoError(t, err)
		require.Nil(t, out.RefreshToken, "it was not asked for")
		require.Equal(t, int32(8*3600), out.ExpiresIn)
		_, err = newer.ask(&ssooidc.CreateTokenInput{GrantType: aws.String("refresh_token"), RefreshToken: aws.String("")})
		require.Equal(t, "InvalidGrantException", refusal(err))
	})
}

// TestOIDCRefuses: clients that are unknown, of another region or too old, and
// requests that are none.
func TestOIDCRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := world(t)
		d := newDevice(t, oidcClient(c, "eu-west-1"))
		other := newDevice(t, oidcClient(c, "eu-west-1"))
		require.NoError(t, c.ApproveDevice(*d.auth.UserCode, manage))
		wrong, abroad, foreign := d, d, other
		wrong.reg = &ssooidc.RegisterClientOutput{ClientId: d.reg.ClientId, ClientSecret: aws.String("x")}
		abroad.client = oidcClient(c, "us-east-1")
		foreign.auth = d.auth
		for name, tt := range map[string]struct {
			d    device
			want string
		}{"secret": {wrong, "InvalidClientException"}, "region": {abroad, "InvalidClientException"}, "another's code": {foreign, "InvalidGrantException"}} {
			_, err := tt.d.token()
			require.Equal(t, tt.want, refusal(err), name)
		}
		_, err := d.ask(&ssooidc.CreateTokenInput{GrantType: aws.String("password")})
		require.Equal(t, "UnsupportedGrantTypeException", refusal(err))
		renewable := newDevice(t, d.client, "sso:account:access")
		require.NoError(t, c.ApproveDevice(*renewable.auth.UserCode, manage))
		out, err := renewable.token()
		require.NoError(t, err)
		_, err = other.refresh(out.RefreshToken)
		require.Equal(t, "InvalidGrantException", refusal(err), "another client's")
		time.Sleep(8 * time.Hour)
		_, err = renewable.refresh(out.RefreshToken)
		require.Equal(t, "InvalidGrantException", refusal(err), "a person logs in again")
		_, err = d.ask(&ssooidc.CreateTokenInput{GrantType: aws.String("authorization_code")})
		require.ErrorContains(t, err, "awsauthtest does not model")
		_, err = d.client.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: aws.String("x"), ClientType: aws.String("confidential")})
		require.Equal(t, "InvalidClientMetadataException", refusal(err))
		_, err = d.client.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
			ClientId: d.reg.ClientId, ClientSecret: d.reg.ClientSecret, StartUrl: aws.String("corp"),
		})
		require.Equal(t, "InvalidRequestException", refusal(err))
		for method, path := range map[string]string{"POST": "/revoke", "GET": "/token"} {
			status, body, _ := send(t, c, request(t, method, "https://oidc.eu-west-1.amazonaws.com"+path, "{}"))
			require.Equal(t, 501, status, body)
		}
		status, _, _ := send(t, c, request(t, "POST", "https://oidc.eu-west-1.amazonaws.com/token", "x"))
		require.Equal(t, 400, status)
		time.Sleep(90 * 24 * time.Hour)
		_, err = d.token()
		require.Equal(t, "InvalidClientException", refusal(err), "registered too long ago")
		c.Inject(awsauthtest.Fault{Action: "CreateToken", Kind: awsauthtest.Refuse, Code: "SlowDownException", Status: 400, Times: 1})
		_, err = d.token()
		require.Equal(t, "SlowDownException", refusal(err))
	})
}

func request(t *testing.T, method, to, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// TestPortal lists what a person has, page by page.
func TestPortal(t *testing.T) {
	c := awsauthtest.Start()
	for _, account := range []string{"333333333333", "111111111111", "222222222222"} {
		c.AddSSO("bearer", "eu-west-1", "arn:aws:iam::"+account+":role/ops")
		c.AddSSO("bearer", "eu-west-1", "arn:aws:iam::"+account+":role/audit")
	}
	c.AddSSO("bearer", "us-east-1", "arn:aws:iam::444444444444:role/elsewhere")
	client, token := portal(c, "eu-west-1"), aws.String("bearer")
	var accounts, roles []string
	for pages := sso.NewListAccountsPaginator(client, &sso.ListAccountsInput{AccessToken: token, MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.AccountList), 2)
		for _, a := range page.AccountList {
			accounts = append(accounts, *a.AccountId)
		}
	}
	require.Equal(t, []string{"111111111111", "222222222222", "333333333333"}, accounts)
	for pages := sso.NewListAccountRolesPaginator(client, &sso.ListAccountRolesInput{AccessToken: token, AccountId: &accounts[0], MaxResults: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, r := range page.RoleList {
			roles = append(roles, *r.AccountId+" "+*r.RoleName)
		}
	}
	require.Equal(t, []string{"111111111111 audit", "111111111111 ops"}, roles)
	_, err := client.ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token, AccountId: aws.String("444444444444")})
	require.Equal(t, "ForbiddenException", refusal(err))
	_, err = client.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token, MaxResults: aws.Int32(101)})
	require.Equal(t, "InvalidRequestException", refusal(err))
	for _, next := range []string{"x", "-1"} {
		_, err = client.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token, NextToken: &next})
		require.Equal(t, "InvalidRequestException", refusal(err))
	}
	_, err = client.Logout(t.Context(), &sso.LogoutInput{AccessToken: token})
	require.NoError(t, err)
	_, err = client.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token})
	require.Equal(t, "UnauthorizedException", refusal(err))
	status, _, _ := send(t, c, request(t, "POST", "https://portal.sso.eu-west-1.amazonaws.com/assignment/accounts", ""))
	require.Equal(t, 404, status)
}

// TestLoginSSO: the SDK's provider reads the file, renews the token, and leaves a
// file that the next one reads, in memory and on the socket.
func TestLoginSSO(t *testing.T) {
	for name, tt := range map[string]struct{ region, role, account string }{
		"aws": {"eu-west-1", manage, "222222222222"}, "aws-cn": {"cn-north-1", managCN, "444444444444"},
	} {
		for _, socket := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				c := awsauthtest.Start()
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				var address *string
				if socket {
					url, err := c.Serve()
					require.NoError(t, err)
					address = &url
				}
				file := fileOf(t, c.LoginSSO(startURL, tt.region, 0, tt.role))
				old, err := os.ReadFile(file)
				require.NoError(t, err)
				tokens := ssocreds.NewSSOTokenProvider(ssooidc.New(ssooidc.Options{Region: tt.region, HTTPClient: c.Client(), BaseEndpoint: address}), file)
				keys := ssocreds.New(sso.New(sso.Options{Region: tt.region, HTTPClient: c.Client(), BaseEndpoint: address}), tt.account, "manage-role", startURL,
					func(o *ssocreds.Options) { o.SSOTokenProvider = tokens })
				for range 2 {
					creds, err := keys.Retrieve(t.Context())
					require.NoError(t, err)
					require.Contains(t, works(t, c, tt.region, creds), "assumed-role/manage-role/")
				}
				require.Equal(t, []string{"refresh_token"}, grantTypes(c), "one grant for two")
				require.NoError(t, os.WriteFile(file, old, 0o600))
				_, err = keys.Retrieve(t.Context())
				require.Equal(t, "InvalidGrantException", refusal(err))
				require.NoError(t, os.WriteFile(file, c.LoginSSO(startURL, tt.region, time.Hour, tt.role), 0o600))
				_, err = keys.Retrieve(t.Context())
				require.NoError(t, err)
				require.Len(t, grantTypes(c), 2, "fresh: none needed")
			})
		}
	}
	for _, region := range []string{"", "mars-east-1", "cn-north-1"} {
		require.Panics(t, func() { awsauthtest.Start().LoginSSO(startURL, region, 0, manage) })
		require.Panics(t, func() { awsauthtest.Start().AddSSO("x", region, manage) })
	}
}

// TestDeviceOnSocket: a client that knows only the socket gets a token for any
// region.
func TestDeviceOnSocket(t *testing.T) {
	c, _ := world(t)
	url, err := c.Serve()
	require.NoError(t, err)
	client := ssooidc.New(ssooidc.Options{Region: "eu-west-1", HTTPClient: c.Client(), Retryer: aws.NopRetryer{}, BaseEndpoint: &url})
	d := newDevice(t, client, "sso:account:access")
	require.NoError(t, c.ApproveDevice(*d.auth.UserCode, manage))
	out, err := d.ask(&ssooidc.CreateTokenInput{GrantType: aws.String(deviceGrant), DeviceCode: d.auth.DeviceCode})
	require.NoError(t, err)
	require.NoError(t, roleKeys(t, c, "eu-west-1", out.AccessToken))
}

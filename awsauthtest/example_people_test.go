package awsauthtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// A login of `aws login` whose keys have expired is renewed once, and the file is
// there for the next program.
func ExampleCloud_Login() {
	cloud := awsauthtest.Start()
	const ana = "arn:aws:iam::111111111111:user/ana"
	cloud.AddUser(awsauthtest.User{ARN: ana})
	dir, err := os.MkdirTemp("", "login") // AWS_LOGIN_CACHE_DIRECTORY; a test has t.TempDir
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file, err := logincreds.StandardCachedTokenFilepath(ana, dir)
	if err == nil {
		err = os.WriteFile(file, cloud.Login(ana, 0), 0o600)
	}
	fmt.Println(err)
	client := signin.New(signin.Options{Region: "eu-west-1", HTTPClient: cloud.Client()})
	for range 2 {
		keys, err := logincreds.New(client, file).Retrieve(context.Background())
		fmt.Println(keys.AccountID, err)
	}
	fmt.Println(cloud.Calls("CreateOAuth2Token"))
	// Output:
	// <nil>
	// 111111111111 <nil>
	// 111111111111 <nil>
	// [arn:aws:iam::111111111111:user/ana CreateOAuth2Token]
}

// The person who allows a device is the test.
func ExampleCloud_ApproveDevice() {
	cloud := awsauthtest.Start()
	ctx, client := context.Background(), ssooidc.New(ssooidc.Options{Region: "eu-west-1", HTTPClient: cloud.Client()})
	program, err := client.RegisterClient(ctx, &ssooidc.RegisterClientInput{ClientName: aws.String("ours"), ClientType: aws.String("public")})
	if err != nil {
		fmt.Println(err)
		return
	}
	device, err := client.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: program.ClientId, ClientSecret: program.ClientSecret, StartUrl: aws.String("https://corp.awsapps.com/start"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, code := range cloud.UserCodes() { // what the program shows
		fmt.Println(cloud.ApproveDevice(code, "arn:aws:iam::222222222222:role/audit"))
	}
	token, err := client.CreateToken(ctx, &ssooidc.CreateTokenInput{
		ClientId: program.ClientId, ClientSecret: program.ClientSecret, DeviceCode: device.DeviceCode,
		GrantType: aws.String("urn:ietf:params:oauth:grant-type:device_code"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*token.TokenType)
	// Output:
	// <nil>
	// Bearer
}

// A login URL is opened without a browser.
func ExampleCloud_SignedIn() {
	cloud := awsauthtest.Start()
	cloud.SetContainer(&awsauthtest.Container{RoleARN: "arn:aws:iam::222222222222:role/audit"})
	resp, err := cloud.Client().Get("http://169.254.170.23/v1/credentials")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var keys struct{ AccessKeyID, SecretAccessKey, Token string }
	if err := json.NewDecoder(resp.Body).Decode(&keys); err != nil {
		fmt.Println(err)
		return
	}
	who, ok := cloud.SignedIn(loginURL(cloud.Client(), keys.AccessKeyID, keys.SecretAccessKey, keys.Token))
	fmt.Println(who.RoleARN, ok)
	// Output:
	// arn:aws:iam::222222222222:role/audit true
}

// loginURL stands for the program under test.
func loginURL(client *http.Client, id, secret, token string) string {
	const endpoint = "https://eu-west-1.signin.aws.amazon.com/federation"
	session, _ := json.Marshal(map[string]string{"sessionId": id, "sessionKey": secret, "sessionToken": token})
	resp, err := client.PostForm(endpoint, url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}})
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var answer struct{ SigninToken string }
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return endpoint + "?" + url.Values{
		"Action": {"login"}, "Issuer": {"example.com"}, "Destination": {"https://console.aws.amazon.com/"}, "SigninToken": {answer.SigninToken},
	}.Encode()
}

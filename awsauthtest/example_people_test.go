package awsauthtest_test

import (
	"context"
	"fmt"
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
	ctx := context.Background()
	client := ssooidc.New(ssooidc.Options{Region: "eu-west-1", HTTPClient: cloud.Client()})
	program, err := client.RegisterClient(ctx, &ssooidc.RegisterClientInput{
		ClientName: aws.String("ours"),
		ClientType: aws.String("public"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	device, err := client.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: program.ClientId, ClientSecret: program.ClientSecret,
		StartUrl: aws.String("https://corp.awsapps.com/start"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, code := range cloud.UserCodes() { // what the program shows
		fmt.Println(cloud.ApproveDevice(code, "arn:aws:iam::222222222222:role/audit"))
	}
	token, err := client.CreateToken(ctx, &ssooidc.CreateTokenInput{
		ClientId: program.ClientId, ClientSecret: program.ClientSecret,
		DeviceCode: device.DeviceCode,
		GrantType:  aws.String("urn:ietf:params:oauth:grant-type:device_code"),
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

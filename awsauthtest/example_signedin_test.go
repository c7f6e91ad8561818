package awsauthtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

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
	address := loginURL(cloud.Client(), keys.AccessKeyID, keys.SecretAccessKey, keys.Token)
	who, ok := cloud.SignedIn(address)
	fmt.Println(who.RoleARN, ok)
	// Output:
	// arn:aws:iam::222222222222:role/audit true
}

// loginURL stands for the program under test.
func loginURL(client *http.Client, id, secret, token string) string {
	const endpoint = "https://eu-west-1.signin.aws.amazon.com/federation"
	session, _ := json.Marshal(map[string]string{
		"sessionId": id, "sessionKey": secret, "sessionToken": token,
	})
	resp, err := client.PostForm(endpoint, url.Values{
		"Action": {"getSigninToken"}, "Session": {string(session)},
	})
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var answer struct{ SigninToken string }
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return endpoint + "?" + url.Values{
		"Action": {"login"}, "Issuer": {"example.com"},
		"Destination": {"https://console.aws.amazon.com/"}, "SigninToken": {answer.SigninToken},
	}.Encode()
}

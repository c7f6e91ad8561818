package awsauthtest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

func ExampleNew() {
	_ = func(t *testing.T) { // TestAudit
		cloud := awsauthtest.New(t)
		cloud.SetInstance(&awsauthtest.Instance{
			RoleARN: "arn:aws-cn:iam::333333333333:role/runner",
		})
		cfg, err := config.LoadDefaultConfig(t.Context(),
			cloud.LoadOptions(), config.WithRegion("cn-north-1"))
		if err != nil {
			t.Fatal(err)
		}
		me, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if err != nil || aws.ToString(me.Account) != "333333333333" {
			t.Errorf("identity %v, %v", me, err)
		}
	}
}

func ExampleCloud_Inject() {
	cloud := awsauthtest.Start()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws-cn:iam::111111111111:user/ci"})
	cfg := aws.Config{
		Region: "cn-north-1", HTTPClient: cloud.Client(), Credentials: keys.Provider(),
	}
	cfg.Retryer = func() aws.Retryer {
		return retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Millisecond)
	}
	cloud.Inject(awsauthtest.Fault{
		Action: "GetCallerIdentity", Kind: awsauthtest.Throttle, Times: 1,
	})

	_, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
	fmt.Println(err) // the SDK has tried again
	for _, call := range cloud.Calls() {
		fmt.Println(call.Host, call.Status, call.ErrorCode)
	}
	// Output:
	// <nil>
	// sts.cn-north-1.amazonaws.com.cn 400 Throttling
	// sts.cn-north-1.amazonaws.com.cn 200
}

// Another service stands beside STS, and knows who asks: only the audit role may
// list.
func ExampleCloud_Handle() {
	cloud := awsauthtest.Start()
	list := func(w http.ResponseWriter, r *http.Request) {
		who, signed := awsauthtest.Caller(r.Context())
		if !signed || who.RoleARN != "arn:aws:iam::222222222222:role/audit" {
			w.WriteHeader(http.StatusForbidden)
		}
	}
	cloud.Handle("inventory.eu-west-1.amazonaws.com", http.HandlerFunc(list))
	resp, err := cloud.Client().Get("https://inventory.eu-west-1.amazonaws.com/list")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// 403 Forbidden
}

// Programs in other languages, and the command awsauth, reach the same AWS at an
// address: AWS_ENDPOINT_URL for most of them.
func ExampleCloud_Serve() {
	cloud := awsauthtest.Start()
	defer cloud.Close()
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ana"})
	url, err := cloud.Serve()
	if err != nil {
		log.Fatal(err)
	}
	client := sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &url, Credentials: keys.Provider(),
	})
	me, err := client.GetCallerIdentity(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*me.Arn)
	// Output: arn:aws:iam::111111111111:user/ana
}

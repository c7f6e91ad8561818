package awsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// vault is a provider of keys that are leased over HTTP, in the form of HashiCorp
// Vault's AWS secrets engine. A provider asks and does no more: the session keeps the
// keys, renews them before the lease ends, and asks at once when a service refuses them.
type vault struct {
	client         *http.Client
	address, token string
}

// Retrieve implements aws.CredentialsProvider.
func (v vault) Retrieve(ctx context.Context) (aws.Credentials, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address, nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	request.Header.Set("X-Vault-Token", v.token)
	response, err := v.client.Do(request)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return aws.Credentials{}, fmt.Errorf("vault answered %s", response.Status)
	}
	var lease struct {
		Seconds int `json:"lease_duration"`
		Data    struct {
			ID     string `json:"access_key"`
			Secret string `json:"secret_key"`
			Token  string `json:"security_token"`
		}
	}
	err = json.NewDecoder(response.Body).Decode(&lease)
	return aws.Credentials{
		AccessKeyID: lease.Data.ID, SecretAccessKey: lease.Data.Secret,
		SessionToken: lease.Data.Token,
		CanExpire:    true, Expires: time.Now().Add(time.Duration(lease.Seconds) * time.Second),
		Source: "vault",
	}, err
}

// Keys that a Vault leases. A lease that is revoked, here with the key behind it, is no
// reason to start the program anew.
func ExampleWithCredentialsProvider_vault() {
	// An AWS in memory and, beside it, a Vault that leases keys of a new user each time.
	cloud := awsauthtest.Start()
	defer cloud.Close()
	leases := 0
	lend := func(w http.ResponseWriter, _ *http.Request) {
		leases++
		arn := fmt.Sprintf("arn:aws:iam::111111111111:user/vault-%d", leases)
		keys := cloud.AddUser(awsauthtest.User{ARN: arn})
		fmt.Fprintf(w, `{"lease_duration": 3600, "data": {"access_key": %q, "secret_key": %q}}`,
			keys.AccessKeyID, keys.SecretAccessKey)
	}
	cloud.Handle("vault.example.com", http.HandlerFunc(lend))
	ctx := context.Background()

	s, err := awsauth.New(
		awsauth.WithCredentialsProvider(vault{
			cloud.Client(), "https://vault.example.com/v1/aws/creds/ci", "s.secret",
		}),
		awsauth.WithLoadOptions(cloud.LoadOptions()), // leave it out for the real AWS
	)
	if err != nil {
		log.Fatal(err)
	}
	first, err := s.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cloud.Deactivate(first.AccessKeyID) // somebody revokes the lease
	who, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*who.Arn, "after", leases, "leases")
	// Output: arn:aws:iam::111111111111:user/vault-2 after 2 leases
}

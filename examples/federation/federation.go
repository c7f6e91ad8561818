// Package federation has the tokens and the provider with which programs outside AWS
// become a role of AWS: on Google Cloud, on Azure, in Kubernetes, with SAML, and from
// another partition of AWS. Copy the one that you need; each is a dozen lines.
//
//	s, err := awsauth.New(awsauth.WithWebIdentity(roleARN, federation.GCP{Audience: "sts.amazonaws.com"}))
//
// A session asks for a token whenever it renews its credentials, so none of them keeps
// one. The role must trust the issuer, and should name audience and subject.
package federation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// GCP is the identity token of a Google Cloud machine's service account. The issuer is
// accounts.google.com, which IAM knows by itself.
type GCP struct {
	Audience string
	Metadata string // its address; "" is that of every machine
}

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (g GCP) GetIdentityToken() ([]byte, error) {
	address := cmp.Or(g.Metadata, "http://metadata.google.internal") + "/computeMetadata/v1/instance/service-accounts/default/identity"
	return ask(http.MethodGet, address+"?audience="+url.QueryEscape(g.Audience), http.Header{"Metadata-Flavor": {"Google"}}, "")
}

// Azure is the access token of an Azure machine's managed identity, for the application
// that stands for AWS. The issuer is https://sts.windows.net/<tenant>/. In a pod with
// workload identity the token is a file: stscreds.IdentityTokenFile of
// AZURE_FEDERATED_TOKEN_FILE.
type Azure struct {
	Resource string // the application's id URI
	Metadata string // its address; "" is that of every machine
}

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (a Azure) GetIdentityToken() ([]byte, error) {
	address := cmp.Or(a.Metadata, "http://169.254.169.254") + "/metadata/identity/oauth2/token?api-version=2018-02-01"
	answer, err := ask(http.MethodGet, address+"&resource="+url.QueryEscape(a.Resource), http.Header{"Metadata": {"true"}}, "")
	if err != nil {
		return nil, err
	}
	var token struct {
		Text string `json:"access_token"`
	}
	err = json.Unmarshal(answer, &token)
	return []byte(token.Text), err
}

// Kubernetes asks a cluster outside EKS for a token of a service account (TokenRequest).
// Where the token is projected into the pod, stscreds.IdentityTokenFile is all it takes.
type Kubernetes struct {
	Server, BearerFile        string // of the API server, and the pod's own token for it
	Namespace, ServiceAccount string
	Audience                  string
}

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (k Kubernetes) GetIdentityToken() ([]byte, error) {
	bearer, err := os.ReadFile(k.BearerFile)
	if err != nil {
		return nil, err
	}
	address := k.Server + "/api/v1/namespaces/" + k.Namespace + "/serviceaccounts/" + k.ServiceAccount + "/token"
	header := http.Header{"Authorization": {"Bearer " + string(bytes.TrimSpace(bearer))}, "Content-Type": {"application/json"}}
	answer, err := ask(http.MethodPost, address, header, fmt.Sprintf(`{"spec": {"audiences": [%q], "expirationSeconds": 3600}}`, k.Audience))
	if err != nil {
		return nil, err
	}
	var request struct{ Status struct{ Token string } }
	err = json.Unmarshal(answer, &request)
	return []byte(request.Status.Token), err
}

// AnotherAWS is a token that AWS signs for one of its own identities, with which that
// identity becomes a role in another partition: there, the issuer of the account is an
// OIDC provider. Outbound federation must be enabled in the account.
type AnotherAWS struct {
	Client   *sts.Client // of a session in the first partition: sts.NewFromConfig(s.Config())
	Audience string
}

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (a AnotherAWS) GetIdentityToken() ([]byte, error) {
	out, err := a.Client.GetWebIdentityToken(context.Background(), &sts.GetWebIdentityTokenInput{
		Audience: []string{a.Audience}, SigningAlgorithm: aws.String("RS256"), DurationSeconds: aws.Int32(300),
	})
	if err != nil {
		return nil, err
	}
	return []byte(aws.ToString(out.WebIdentityToken)), nil
}

// SAML is a provider, for awsauth.WithCredentialsProvider: it trades an assertion of an
// identity provider for a role's credentials.
type SAML struct {
	Client            *sts.Client // signs nothing: aws.AnonymousCredentials will do
	Provider, RoleARN string
	Assertion         func(context.Context) (string, error) // base64, new for each call
}

// Retrieve implements aws.CredentialsProvider.
func (s SAML) Retrieve(ctx context.Context) (aws.Credentials, error) {
	assertion, err := s.Assertion(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	out, err := s.Client.AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{PrincipalArn: &s.Provider, RoleArn: &s.RoleARN, SAMLAssertion: &assertion})
	if err != nil {
		return aws.Credentials{}, err
	}
	c := out.Credentials
	return aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey), SessionToken: aws.ToString(c.SessionToken),
		CanExpire: true, Expires: aws.ToTime(c.Expiration), Source: "SAML",
	}, nil
}

// ask makes one request, and returns the body of a good answer.
func ask(method, address string, header http.Header, body string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s gives no token: %s", request.URL.Host, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 64<<10))
}

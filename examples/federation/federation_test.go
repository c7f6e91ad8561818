package federation

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const role = "arn:aws:iam::123456789012:role/guest"

// server stands in for whoever gives tokens. It answers what text makes of a request
// that wants accepts.
func server(t *testing.T, wants func(*http.Request) bool, text func() string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wants(r) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, text())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		issuer, subject string
		from            func(t *testing.T, token func() string) stscreds.IdentityTokenRetriever
	}{
		"GCP": {"accounts.google.com", "104839175532958203748", func(t *testing.T, token func() string) stscreds.IdentityTokenRetriever {
			return GCP{"sts.amazonaws.com", server(t, func(r *http.Request) bool {
				return r.Header.Get("Metadata-Flavor") == "Google" && r.FormValue("audience") == "sts.amazonaws.com"
			}, token)}
		}},
		"Azure": {"sts.windows.net/5f2c/", "8a1e0c5e-principal", func(t *testing.T, token func() string) stscreds.IdentityTokenRetriever {
			return Azure{"api://aws", server(t, func(r *http.Request) bool {
				return r.Header.Get("Metadata") == "true" && r.FormValue("resource") == "api://aws"
			}, func() string { return `{"access_token": "` + token() + `"}` })}
		}},
		"Kubernetes": {"oidc.example.com/cluster", "system:serviceaccount:jobs:worker", func(t *testing.T, token func() string) stscreds.IdentityTokenRetriever {
			bearer := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(bearer, []byte("of-the-pod\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return Kubernetes{server(t, func(r *http.Request) bool {
				return r.Header.Get("Authorization") == "Bearer of-the-pod" && r.URL.Path == "/api/v1/namespaces/jobs/serviceaccounts/worker/token"
			}, func() string { return `{"status": {"token": "` + token() + `"}}` }), bearer, "jobs", "worker", "sts.amazonaws.com"}
		}},
		"another AWS": {"0123abcd.tokens.sts.global.api.aws", "arn:aws-cn:iam::111111111111:user/ci", func(t *testing.T, token func() string) stscreds.IdentityTokenRetriever {
			address := server(t, func(r *http.Request) bool { return r.FormValue("Action") == "GetWebIdentityToken" }, func() string {
				return "<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><WebIdentityToken>" + token() + "</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>"
			})
			return AnotherAWS{sts.New(sts.Options{Region: "cn-north-1", BaseEndpoint: &address, Credentials: someKeys}), "sts.amazonaws.com"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := awsauthtest.New(t)
			cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{tt.issuer}, Subject: tt.subject, Audience: "sts.amazonaws.com"})
			token := func() string { return cloud.WebIdentityToken(tt.issuer, tt.subject, 10*time.Minute) }
			identity(t, awsauth.WithWebIdentity(role, tt.from(t, token)), cloud)
		})
	}
}

func TestSAML(t *testing.T) {
	cloud := awsauthtest.New(t)
	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::123456789012:user/guest"}) // its keys stand for the role's
	address := server(t, func(r *http.Request) bool {
		return r.FormValue("Action") == "AssumeRoleWithSAML" && r.FormValue("SAMLAssertion") == "PHNhbWw+"
	}, func() string {
		return fmt.Sprintf("<AssumeRoleWithSAMLResponse><AssumeRoleWithSAMLResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>"+
			"<Expiration>%s</Expiration></Credentials></AssumeRoleWithSAMLResult></AssumeRoleWithSAMLResponse>",
			keys.AccessKeyID, keys.SecretAccessKey, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	identity(t, awsauth.WithCredentialsProvider(SAML{
		Client:   sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &address, Credentials: aws.AnonymousCredentials{}}),
		Provider: "arn:aws:iam::123456789012:saml-provider/corp", RoleARN: role,
		Assertion: func(context.Context) (string, error) { return "PHNhbWw+", nil },
	}), cloud)
}

// TestRefused: a server that gives no token is named in the error.
func TestRefused(t *testing.T) {
	address := server(t, func(*http.Request) bool { return false }, nil)
	_, err := GCP{"sts.amazonaws.com", address}.GetIdentityToken()
	if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(address, "http://")) {
		t.Errorf("got %v", err)
	}
}

// identity starts a session from what opens it, and holds it against the account.
func identity(t *testing.T, opens awsauth.Option, cloud *awsauthtest.Cloud) {
	t.Helper()
	s, err := awsauth.New(opens, awsauth.WithLoadOptions(cloud.LoadOptions()))
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.Identity(t.Context())
	if err != nil || id.Account != "123456789012" {
		t.Errorf("got %v, %v", id, err)
	}
}

var someKeys = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "made-up"}, nil
})

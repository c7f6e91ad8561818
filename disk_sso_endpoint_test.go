package awsauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskSSOEndpoint: where SSO is asked decides what it answers. Keys of a local SSO
// are not handed to a process that asks AWS's.
func TestDiskSSOEndpoint(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	w.SSOLogin("corp")
	local := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, `{"roleCredentials":{"accessKeyId":%q,"secretAccessKey":%q,"sessionToken":"t","expiration":%d}}`,
			"ASIAIOSFODNN7EXAMPLE", lab.SomeSecret, time.Now().Add(time.Hour).UnixMilli())
	}))
	defer local.Close()
	w.Env("AWS_ENDPOINT_URL_SSO=" + local.URL)
	fake := lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w), awsauth.WithLoadOptions(config.WithHTTPClient(local.Client()))))
	w.Env("AWS_ENDPOINT_URL_SSO=")
	got := lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w)))
	assert.NotEqual(t, fake.AccessKeyID, got.AccessKeyID)
	assert.Len(t, w.Calls("GetRoleCredentials"), 1)
}

package awsauth_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// hopLimit1 is an instance's metadata as a container with a hop limit of 1 sees it:
// the answer to the token request never arrives.
func hopLimit1(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			<-r.Context().Done()
		case strings.HasSuffix(r.URL.Path, "/document"):
			_, _ = io.WriteString(rw, `{"region": "eu-west-3", "accountId": "111111111111"}`)
		default:
			_, _ = io.WriteString(rw, "i-0123456789")
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestMetadataClientOfConfig works where the SDK's own config does, and as fast.
func TestMetadataClientOfConfig(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+hopLimit1(t), "AWS_EC2_METADATA_DISABLED=false", "AWS_REGION=eu-west-3")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ask := func(c *imds.Client) (string, time.Duration, error) {
		start := time.Now()
		out, err := c.GetMetadata(ctx, &imds.GetMetadataInput{Path: "instance-id"})
		if err != nil {
			return "", time.Since(start), err
		}
		text, err := io.ReadAll(out.Content)
		return string(text), time.Since(start), err
	}
	s, err := awsauth.New(w.Static(), awsauth.WithRegion("eu-west-3"))
	require.NoError(t, err)
	child, err := s.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	theirs, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	want, wantTook, err := ask(imds.NewFromConfig(theirs))
	require.NoError(t, err)
	for name, c := range map[string]*imds.Client{"base": imds.NewFromConfig(s.Config()), "role": imds.NewFromConfig(child.Config())} {
		got, took, err := ask(c)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
		assert.Less(t, took, wantTook+2*time.Second, name)
	}
	region, err := imds.NewFromConfig(s.Config()).GetRegion(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, "eu-west-3", region.Region)
}

// TestMetadataClientOfConfigObeysDisabled: a switched-off metadata service is not
// asked by such a client either.
func TestMetadataClientOfConfigObeysDisabled(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer srv.Close()
	w.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT="+srv.URL, "AWS_EC2_METADATA_DISABLED=true")
	s, err := awsauth.New(w.Static())
	require.NoError(t, err)
	_, err = imds.NewFromConfig(s.Config()).GetRegion(t.Context(), nil)
	require.Error(t, err)
	assert.Zero(t, asked)
}

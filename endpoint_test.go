package awsauth_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestWithSTSEndpoint sends all of a session's STS calls to one address, still
// signed for the region.
func TestWithSTSEndpoint(t *testing.T) {
	const host = "vpce-0a1b2c3d.sts.eu-west-1.vpce.amazonaws.com"
	w := lab.New(t, awsauth.AWS)
	w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/base"), Trust: []string{lab.Home}})
	s := w.Open(w.Static(), awsauth.WithRegion("eu-west-1"), awsauth.WithSTSEndpoint("https://"+host))
	hub, err := s.Assume(awsauth.WithRoleARN(w.ARN(lab.Home, "role/base")))
	require.NoError(t, err)
	leaf, err := hub.Assume(awsauth.WithAccount(lab.Target))
	require.NoError(t, err)
	assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(leaf))
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
	_, err = sts.NewFromConfig(leaf.Config()).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err, "and so do STS clients of Config")
	require.Len(t, w.Said(), 4)
	for _, c := range w.Calls() {
		assert.Equal(t, host, c.Host, c.Action)
		assert.Equal(t, "eu-west-1", c.Region, c.Action)
	}
}

// TestSTSEndpointOfProfileRole: roles that a profile assumes go there as well.
func TestSTSEndpointOfProfileRole(t *testing.T) {
	const host = "vpce-0a1b2c3d.sts.us-east-1.vpce.amazonaws.com"
	for _, src := range lab.ProfileSources() {
		if !strings.Contains(strings.Join(src.Calls, " "), "AssumeRole") {
			continue
		}
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := src.Fill(w, "us-east-1")
			s := w.Open(append(opts, awsauth.WithSTSEndpoint("https://"+host))...)
			_ = w.IdentityOf(s)
			for _, c := range w.Calls("AssumeRole", "AssumeRoleWithWebIdentity") {
				assert.Equal(t, host, c.Host)
			}
		})
	}
}

package awsauthtest_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSSO covers the portal, by hand: the SDK's own client is no dependency.
func TestSSO(t *testing.T) {
	c, _ := world(t)
	c.AddSSO("bearer", "eu-west-1", manage)
	for _, path := range []string{"AWSReservedSSO_ReadOnly_0123456789abcdef", "eu-west-1/AWSReservedSSO_Team_Ops_fedcba9876543210"} {
		c.AddSSO("bearer", "eu-west-1", "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/"+path)
	}
	for name, tt := range map[string]struct {
		token, region, account, role string
		status                       int
	}{
		"right":           {"bearer", "eu-west-1", "222222222222", "manage-role", 200},
		"wrong token":     {"bearet", "eu-west-1", "222222222222", "manage-role", 401},
		"another region":  {"bearer", "eu-west-2", "222222222222", "manage-role", 403},
		"another account": {"bearer", "eu-west-1", "111111111111", "manage-role", 403},
		"another role":    {"bearer", "eu-west-1", "222222222222", "admin", 403},
		"permission set":  {"bearer", "eu-west-1", "222222222222", "ReadOnly", 200},
		"with underscore": {"bearer", "eu-west-1", "222222222222", "Team_Ops", 200},
		"the role's name": {"bearer", "eu-west-1", "222222222222", "AWSReservedSSO_ReadOnly_0123456789abcdef", 403},
		"half of a name":  {"bearer", "eu-west-1", "222222222222", "Team", 403},
		"no role":         {"bearer", "eu-west-1", "222222222222", "", 400},
		"no account":      {"bearer", "eu-west-1", "", "ReadOnly", 400},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.WithoutCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://portal.sso."+tt.region+
				".amazonaws.com/federation/credentials?account_id="+tt.account+"&role_name="+tt.role, nil)
			require.NoError(t, err)
			r.Header.Set("X-Amz-Sso_bearer_token", tt.token)
			status, body, _ := send(t, c, r)
			require.Equal(t, tt.status, status, body)
			calls := c.Calls("GetRoleCredentials")
			require.Equal(t, tt.status, calls[len(calls)-1].Status)
		})
	}
}

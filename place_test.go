package awsauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestRoleSaysThePartition: nothing says the partition of the first session, so
// a role of any partition may be assumed from it. The role's own session knows
// its partition, and stays there.
func TestRoleSaysThePartition(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	anywhere := w.Open(w.Static())
	for arn, other := range map[string]string{lab.ManageRole: lab.ChinaRole, lab.ChinaRole: lab.ManageRole} {
		child, err := anywhere.Assume(awsauth.WithRoleARN(arn))
		require.NoError(t, err)
		_, err = child.Assume(awsauth.WithRoleARN(other))
		lab.RequireBad(t, err, awsauth.WrongPartition, other)
	}
	assert.Empty(t, w.Said())
}

package lab

import (
	"context"
	"fmt"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Accounts adds n accounts with a manage-role that trusts the user's.
func (w *Place) Accounts(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%012d", 300000000000+i)
		w.AddRole(awsauthtest.Role{ARN: w.ManageARN(ids[i]), Trust: []string{Home}})
	}
	return ids
}

// ManageARN is the ARN of an account's manage-role.
func (w *Place) ManageARN(account string) string { return w.ARN(account, "role/manage-role") }

// Enter is a do that needs credentials and nothing else.
func Enter(ctx context.Context, s *awsauth.Session) error {
	_, err := s.Retrieve(ctx)
	return err
}

// Policy is one for WithPolicy.
const Policy = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}`

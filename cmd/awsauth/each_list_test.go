package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
)

// TestListPartitions: a list of mere accounts is of the session's partition, and a role is
// of its ARN's. What is neither is reported elsewhere.
func TestListPartitions(t *testing.T) {
	for want, entries := range map[awsauth.Partition][]string{
		"aws":    {"111111111111", "222222222222", "111:222:333", "arn:aws"},
		"aws-cn": {"arn:aws-cn:iam::111111111111:role/ops", "arn:aws-cn:iam::222222222222:role/ops"},
	} {
		l := newList("")
		for i, entry := range entries {
			l.add(entry, i+1)
		}
		assert.Equal(t, []awsauth.Partition{want}, l.partitions(awsauth.AWS))
	}
}

// TestRoleName: the name of a role is the last part of its ARN, whatever its path, and
// that of a session is the part before the session's own.
func TestRoleName(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::111111111111:role/ops":                    "ops",
		"arn:aws:iam::111111111111:role/team/night/ops":         "ops",
		"arn:aws:sts::111111111111:assumed-role/ops/me":         "ops",
		"arn:aws:sts::111111111111:assumed-role/ops":            "ops",
		"arn:aws:iam::111111111111:role/assumed-role/night/ops": "ops",
		"111111111111": "111111111111",
	} {
		assert.Equal(t, want, roleName(arn), arn)
	}
}

package awsauth_test

import "testing"

// TestHeadingsNearDefault: a heading that can only be meant for the default profile,
// and that boto3 and the SDK read as another name, does not lead to the machine.
func TestHeadingsNearDefault(t *testing.T) {
	var tests []identityCase
	for _, heading := range []string{"[[default]]", "[\"default]", "['default\"]", "[default']"} {
		tests = append(tests,
			identityCase{name: heading + " in credentials", credentials: heading + "\n$KEYS\n", text: []string{"/credentials:1"}},
			identityCase{name: heading + " in config", config: heading + "\n$KEYS\n", text: []string{"/config:1"}})
	}
	runIdentity(t, asWritten, tests)
}

// TestIdentityBelowNestedSettings: a key that says who one is, indented below s3 =
// or another key without a value, is one of its settings for boto3 and the SDK. It is
// never passed over.
func TestIdentityBelowNestedSettings(t *testing.T) {
	const nested = "s3 =\n  max_concurrent_requests = 20\n"
	runIdentity(t, ways, []identityCase{
		{name: "keys", config: "[profile ops]\n" + nested + "  aws_access_key_id = $ID\n  aws_secret_access_key = $SECRET\n", text: []string{"/config:4", "aws_access_key_id"}},
		{name: "role beside keys", config: "[profile ops]\n$OTHER\n" + nested + "  role_arn = $BASE\n  source_profile = k\n[profile k]\n$KEYS\n", text: []string{"/config:6", "role_arn"}},
		{name: "process, first below", config: "[profile ops]\n$OTHER\noutput =\n  credential_process = /bin/true\n", text: []string{"/config:5", "credential_process"}},
		{name: "in credentials", credentials: "[ops]\ns3 =\n  aws_access_key_id = $ID\n  aws_secret_access_key = $SECRET\n", text: []string{"/credentials:3", "aws_access_key_id"}},
	})
}

// TestMisspeltWithoutSigns: names of keys without their _ or without aws_, as other
// programs and STS's answers have them, are as misspelt as role-arn.
func TestMisspeltWithoutSigns(t *testing.T) {
	runIdentity(t, ways, []identityCase{
		{name: "rolearn beside keys", config: "[profile ops]\n$OTHER\nrolearn = $BASE\n", text: []string{"/config:4", "role_arn"}},
		{name: "RoleArn beside keys", config: "[profile ops]\n$OTHER\nRoleArn = $BASE\n", text: []string{"/config:4", "role_arn"}},
		{name: "names of STS", credentials: "[ops]\nAccessKeyId = $ID\nSecretAccessKey = $SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "names without aws", credentials: "[ops]\naccess_key_id = $ID\nsecret_access_key = $SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "awsaccesskeyid", credentials: "[ops]\nawsaccesskeyid = $ID\nawssecretaccesskey = $SECRET\n", text: []string{"/credentials:2", "aws_access_key_id"}},
		{name: "credentialprocess", config: "[profile ops]\ncredentialprocess = /bin/true\n", text: []string{"/config:2", "credential_process"}},
	})
}

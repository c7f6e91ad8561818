package awsauth_test

import "testing"

// TestForeignFormsOfKeys: what people paste into the credentials file in another
// form is an error with its line, and never leads to the machine.
func TestForeignFormsOfKeys(t *testing.T) {
	runIdentity(t, asWritten, []identityCase{
		{name: "lines of a shell", credentials: "[default]\nexport AWS_ACCESS_KEY_ID=$ID\nexport AWS_SECRET_ACCESS_KEY=$SECRET\n", text: []string{"/credentials:2", "write aws_access_key_id"}},
		{name: "the console's CSV file", credentials: "User name,Password,Access key ID,Secret access key\nana,,$ID,$SECRET\n", text: []string{"/credentials:1"}},
		{name: "an answer of STS", credentials: "{\"AccessKeyId\": \"$ID\", \"SecretAccessKey\": \"$SECRET\"}\n", text: []string{"/credentials:1"}},
		{name: "marks of a merge", credentials: "[default]\n<<<<<<< ours\n$KEYS\n=======\n$OTHER\n>>>>>>> theirs\n", text: []string{"/credentials:2", "/credentials:"}},
		{name: "YAML", credentials: "default:\n  aws_access_key_id: $ID\n  aws_secret_access_key: $SECRET\n", text: []string{"/credentials:1"}},
		{name: "colons", credentials: "[default]\naws_access_key_id: $ID\naws_secret_access_key: $SECRET\n", who: "user/ci"},
	})
}

// TestMannerWithoutRole: how a role is assumed is not looked at in a profile that has
// none: other programs ask for sessions of 36 hours there.
func TestMannerWithoutRole(t *testing.T) {
	const odd = "duration_seconds = 129600\nrole_session_name = Ana Doe\nexternal_id = a b\n"
	runIdentity(t, ways, []identityCase{
		{name: "keys", config: "[profile ops]\n" + odd + "$KEYS\n", who: "user/ci"},
		{name: "keys of a source", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = k\n[profile k]\n" + odd + "$KEYS\n", who: "role/base"},
		{name: "a role", config: "[profile ops]\nrole_arn = $BASE\nsource_profile = k\n" + odd + "[profile k]\n$KEYS\n", text: []string{"/config:4", "/config:5", "/config:6"}},
	})
}

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

package sharedfile_test

import "testing"

// TestInherited: to Python's parser a section [DEFAULT] is a part of all others. What it
// says of who one is does not vanish.
func TestInherited(t *testing.T) {
	const role = "role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = k\n"
	text := func(place, key string) []string {
		return []string{"heading " + place + ": " + key + ` of [DEFAULT] belongs to profile "ops", too, for the AWS CLI, and not for the SDK; write it below the heading of the profile`}
	}
	runProblems(t, []problemTest{
		{"keys", "", "[DEFAULT]\n" + pair + "[ops]\nregion = us-east-1\n", text("credentials:2", "aws_access_key_id")},
		{"keys, below", "", "[ops]\nregion = us-east-1\n[DEFAULT]\n" + pair, text("credentials:4", "aws_access_key_id")},
		{"a role", "[DEFAULT]\n" + role + "[profile ops]\nregion = us-east-1\n", "[ops]\n" + pair, text("config:2", "role_arn")},
		{"a source", "[DEFAULT]\nsource_profile = k\n[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\n", "", text("config:2", "source_profile")},
		{"SSO's URL", "[DEFAULT]\nsso_start_url = https://corp.awsapps.com/start\n[profile ops]\nsso_account_id = 123456789012\nsso_role_name = x\n", "", text("config:2", "sso_start_url")},
		{"settings", "[DEFAULT]\nregion = us-east-1\noutput = json\n[profile ops]\n" + pair, "", nil},
		{"keys, beside its own", "", "[DEFAULT]\n" + pair + "[ops]\naws_access_key_id = AKIDBETA\naws_secret_access_key = secret/beta\n", nil},
		{"keys, beside a role", "[DEFAULT]\n" + pair + "[profile ops]\n" + role, "", nil},
		{"SSO, beside a role", "[DEFAULT]\nsso_session = corp\nrole_arn = x\n[profile ops]\n" + role, "", nil},
		{"SSO's URL, beside keys", "[DEFAULT]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n[profile ops]\n" + pair, "", nil},
		{"keys in the other file", "[profile ops]\nregion = us-east-1\n", "[DEFAULT]\n" + pair, nil},
		{"keys of [Default], which is a section like others", "", "[Default]\n" + pair + "[ops]\nregion = us-east-1\n", nil},
		{"an SSO session, beside keys", "[DEFAULT]\nsso_session = corp\n[profile ops]\n" + pair, "", nil},
		{"a source, beside keys", "[DEFAULT]\nsource_profile = base\n[profile ops]\n" + pair, "", nil},
		{"a place for the source, beside keys", "[DEFAULT]\ncredential_source = Environment\n[profile ops]\n" + pair, "", nil},
		{"keys, beside a process", "[profile ops]\ncredential_process = /bin/x\n", "[DEFAULT]\n" + pair + "[ops]\nregion = us-east-1\n", text("credentials:2", "aws_access_key_id")},
		{"keys, beside keys of a config file", "[profile ops]\naws_access_key_id = AKIDBETA\naws_secret_access_key = secret/beta\n", "[DEFAULT]\n" + pair + "[ops]\nregion = us-east-1\n", text("credentials:2", "aws_access_key_id")},
		{"a token, beside a role", "[DEFAULT]\nweb_identity_token_file = /token\n[profile ops]\n" + role, "", text("config:2", "web_identity_token_file")},
		{"a token, and no role", "[DEFAULT]\nweb_identity_token_file = /token\n[profile ops]\n" + pair, "", nil},
		{"a process, beside keys of a config file", "[DEFAULT]\ncredential_process = /bin/x\n[profile ops]\n" + pair, "", text("config:2", "credential_process")},
		{"a process, beside keys of a credentials file", "[DEFAULT]\ncredential_process = /bin/x\n[profile ops]\nregion = us-east-1\n", "[ops]\n" + pair, nil},
		{"a source, beside a token", "[DEFAULT]\nsource_profile = k\n[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /token\n", "", nil},
		{"another role, over that of a config file", "[profile ops]\n" + role, "[DEFAULT]\nrole_arn = arn:aws:iam::123456789012:role/y\n[ops]\nregion = us-east-1\n", text("credentials:2", "role_arn")},
		{"the same role", "[profile ops]\n" + role, "[DEFAULT]\nrole_arn = arn:aws:iam::123456789012:role/x\n[ops]\nregion = us-east-1\n", nil},
		{"a token that a credentials file says anew", "[DEFAULT]\nweb_identity_token_file = /a\n[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\n", "[ops]\nweb_identity_token_file = /b\n", nil},
		{"a process, beside a login", "[DEFAULT]\ncredential_process = /bin/x\n[profile ops]\nlogin_session = arn:aws:iam::123456789012:user/a\n", "", nil},
		{"a process, over that of a config file", "[profile ops]\ncredential_process = /bin/x\n", "[DEFAULT]\ncredential_process = /bin/y\n[ops]\nregion = us-east-1\n", text("credentials:2", "credential_process")},
		{"a process without a value", "[DEFAULT]\ncredential_process =\n[profile ops]\nregion = us-east-1\n", "", nil},
	})
}

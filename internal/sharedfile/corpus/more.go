package corpus

// indented are about lines that begin with blanks.
func indented() []Entry {
	ops := func(lines string) string { return "[profile ops]\n" + lines }
	return []Entry{
		{Name: "all keys indented", Config: ops("  aws_access_key_id = AKIDALPHA\n  aws_secret_access_key = secret/alpha\n"), Profile: "ops"},
		{Name: "keys indented with tabs", Config: ops("\taws_access_key_id = AKIDALPHA\n\taws_secret_access_key = secret/alpha\n"), Profile: "ops"},
		{Name: "indented below an empty key of the same depth", Config: ops("  region =\n  aws_access_key_id = AKIDALPHA\n  aws_secret_access_key = secret/alpha\n"), Profile: "ops"},
		{Name: "nested settings", Config: ops("s3 =\n  max_concurrent_requests = 20\n  addressing_style = path\n" + pairA), Profile: "ops"},
		{Name: "nested settings with comments", Config: ops("s3 =\n  # one\n  max_concurrent_requests = 20 # two\n\n  addressing_style = path\n" + pairA), Profile: "ops"},
		{Name: "nested setting without equals sign", Config: ops("s3 =\n  max_concurrent_requests\n" + pairA), Profile: "ops"},
		{Name: "value on the next line", Credentials: "[default]\naws_access_key_id =\n  AKIDALPHA\naws_secret_access_key = secret/alpha\n", Profile: "default"},
		{Name: "secret goes on", Credentials: "[default]\naws_access_key_id = AKIDALPHA\naws_secret_access_key = secret\n  /alpha\n", Profile: "default"},
		{Name: "secret goes on with an equals sign", Credentials: "[default]\naws_access_key_id = ASIAGAMMA\naws_secret_access_key = secret/gamma\naws_session_token = token\n  /gamma==\n", Profile: "default"},
		{Name: "role on the next line", Config: ops("role_arn =\n  arn:aws:iam::123456789012:role/manage-role\nsource_profile = keys\n[profile keys]\n" + pairA), Profile: "ops"},
		{Name: "role with settings", Config: ops("role_arn =\n  region = us-east-1\n" + pairA), Profile: "ops"},
		{Name: "pair indented below a region", Config: ops("region = us-east-1\n  aws_access_key_id = AKIDALPHA\n  aws_secret_access_key = secret/alpha\n"), Profile: "ops"},
		{Name: "output indented below a region", Config: ops(pairA + "region = us-east-1\n  output = json\n"), Profile: "ops"},
		{Name: "region on the next line", Config: ops(pairA + "region =\n  us-east-1\n"), Profile: "ops"},
		{Name: "text goes on", Config: ops(pairA + "output = one\n  two\n\n  three\n"), Profile: "ops"},
		{Name: "indented text first in a section", Config: ops("  text\n" + pairA), Profile: "ops"},
		{Name: "ideographic space first in a line", Config: ops(pairA + "\u3000region = us-east-1\n"), Profile: "ops"},
	}
}

// broken are files that cannot be read whole.
func broken() []Entry {
	return []Entry{
		{Name: "line without equals sign", Config: "[profile ops]\n" + pairA + "region us-east-1\n", Profile: "ops"},
		{Name: "line without equals sign elsewhere", Config: "[profile dev]\nregion us-east-1\n[profile ops]\n" + pairA, Profile: "ops"},
		{Name: "no key", Config: "[profile ops]\n" + pairA + "= us-west-2\n", Profile: "ops"},
		{Name: "line before any section", Config: "region = us-east-1\n[profile ops]\n" + pairA, Profile: "ops"},
		{Name: "no closing bracket", Config: "[profile ops\n" + pairA, Profile: "ops"},
		{Name: "empty heading", Config: "[]\n" + pairA, Profile: "default"},
		{Name: "byte order mark", Credentials: "\ufeff[default]\n" + pairA, Profile: "default"},
		{Name: "UTF-16", Credentials: "\xff\xfe[\x00d\x00e\x00f\x00a\x00u\x00l\x00t\x00]\x00\n\x00", Profile: "default"},
		{Name: "Latin-1 in a value", Config: "[profile ops]\n" + pairA + "output = \xe9\n", Profile: "ops"},
		{Name: "Latin-1 in a comment", Config: "# \xe9\n[profile ops]\n" + pairA, Profile: "ops"},
		{Name: "full-width equals sign", Config: "[profile ops]\n" + pairA + "region \uff1d us-east-1\n", Profile: "ops"},
		{Name: "ideographic space in a heading", Config: "[profile\u3000ops]\n" + pairA, Profile: "ops"},
		{Name: "typographic quotes", Config: "[profile \u2018Foo Bar\u2019]\n" + pairA, Profile: "Foo Bar"},
		{Name: "lone carriage returns", Credentials: "[default]\raws_access_key_id = AKIDALPHA\raws_secret_access_key = secret/alpha\r", Profile: "default"},
		{Name: "a shell's lines", Credentials: "[default]\nexport AWS_ACCESS_KEY_ID=AKIDALPHA\nexport AWS_SECRET_ACCESS_KEY=secret/alpha\n", Profile: "default"},
	}
}

// sources are about where a profile's credentials come from.
func sources() []Entry {
	ops := func(lines string) string { return "[profile ops]\n" + lines }
	keys := "[profile keys]\n" + pairB
	session := "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
	sso := "sso_session = corp\nsso_account_id = 111111111111\nsso_role_name = base\n"
	return []Entry{
		{Name: "role with source", Config: ops(role+"source_profile = keys\nexternal_id = x/1\n") + keys, Profile: "ops"},
		{Name: "role with source, keys beside", Config: ops(role+"source_profile = keys\n"+pairA) + keys, Profile: "ops"},
		{Name: "role with itself as source", Config: ops(role + "source_profile = ops\n" + pairA), Profile: "ops"},
		{Name: "role with source in credentials", Config: ops(role + "source_profile = keys\n"), Credentials: "[keys]\n" + pairB, Profile: "ops"},
		{Name: "role with keys and no source", Config: ops(role + pairA), Profile: "ops"},
		{Name: "role alone", Config: ops(role), Profile: "ops"},
		{Name: "role with a circle", Config: ops(role+"source_profile = b\n") + "[profile b]\n" + role + "source_profile = ops\n" + pairA, Profile: "ops"},
		{Name: "chain of roles", Config: ops(role+"source_profile = b\n") + "[profile b]\n" + role + "source_profile = keys\n" + keys, Profile: "ops"},
		{Name: "role of the environment", Config: ops(role + "credential_source = Environment\n"), Profile: "ops",
			Env: []string{"AWS_ACCESS_KEY_ID=AKIDENV", "AWS_SECRET_ACCESS_KEY=secret/env"}},
		{Name: "role in credentials", Credentials: "[ops]\n" + role + "source_profile = keys\n[keys]\n" + pairB, Profile: "ops"},
		{Name: "role in both files", Config: ops(role+"source_profile = keys\n") + keys,
			Credentials: "[ops]\nrole_arn = arn:aws:iam::123456789012:role/x\n", Profile: "ops"},
		{Name: "web identity", Config: ops(role + "web_identity_token_file = /token\n"), Profile: "ops"},
		{Name: "sso session", Config: ops(sso) + session, Profile: "ops"},
		{Name: "quoted sso session", Config: ops("sso_session = my corp\nsso_account_id = 111111111111\nsso_role_name = base\n") +
			"[sso-session 'my corp']\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n", Profile: "ops"},
		{Name: "sso and keys of the config file", Config: ops(sso+pairA) + session, Profile: "ops"},
		{Name: "sso and keys of the credentials file", Config: ops(sso) + session, Credentials: "[ops]\n" + pairB, Profile: "ops"},
		{Name: "services", Config: ops("services = local\n"+pairA) + "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n", Profile: "ops"},
		{Name: "process and keys of the config file", Config: ops("credential_process = /usr/bin/helper\n" + pairA), Profile: "ops"},
		{Name: "process and keys of the credentials file", Config: ops("credential_process = /usr/bin/helper\n"), Credentials: "[ops]\n" + pairB, Profile: "ops"},
		{Name: "environment beside a profile", Config: "[default]\n" + pairA, Profile: "default",
			Env: []string{"AWS_ACCESS_KEY_ID=AKIDENV", "AWS_SECRET_ACCESS_KEY=secret/env"}},
		{Name: "environment beside a broken file", Config: "[default]\nnonsense\n", Profile: "default",
			Env: []string{"AWS_ACCESS_KEY_ID=AKIDENV", "AWS_SECRET_ACCESS_KEY=secret/env"}},
	}
}

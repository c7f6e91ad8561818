package corpus

import "slices"

// Tools returns files as programs and people leave them behind: they work with boto3,
// the AWS CLI and the SDK, and must go on working here. They are among the Entries.
func Tools() []Entry { return slices.Concat(written(), foreign(), asPeopleDo()) }

const (
	temporary = "aws_access_key_id = ASIAGAMMA\naws_secret_access_key = secret/gamma\naws_session_token = token/gamma+/==\n"
	corp      = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n"
	corpRole  = "sso_account_id = 012345678901\nsso_role_name = ReadOnly\n"
)

// written are files that AWS's own programs and their like write.
func written() []Entry {
	return []Entry{
		{Name: "tool: aws configure", Config: "[default]\nregion = us-east-1\noutput = json\n[profile dev]\nregion = eu-west-1\noutput = text\n", Credentials: "[default]\n" + pairA + "[dev]\n" + pairB, Profile: "dev"},
		{Name: "tool: aws configure sso", Config: "[profile AdministratorAccess-123456789012]\nsso_session = corp\n" + corpRole + "region = us-west-2\noutput = json\n" + corp, Profile: "AdministratorAccess-123456789012"},
		{Name: "tool: SSO without a session", Config: "[profile dev]\nsso_start_url = https://d-1234567890.awsapps.com/start/#\nsso_region = eu-central-1\n" + corpRole, Profile: "dev"},
		{Name: "tool: SSO's URL in both sections", Config: "[profile dev]\nsso_session = corp\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n" + corpRole + corp, Profile: "dev"},
		{Name: "tool: SSO for a code assistant, keys in credentials", Config: "[default]\nsso_session = corp\n" + corp, Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "tool: role from SSO", Config: "[profile ops]\n" + role + "source_profile = dev\n[profile dev]\nsso_session = corp\n" + corpRole + corp, Profile: "ops"},
		{Name: "tool: settings of the CLI", Config: "[default]\nregion = us-east-1\noutput = json\ncli_pager =\ncli_auto_prompt = on-partial\ncli_binary_format = raw-in-base64-out\ncli_history = enabled\n" +
			"cli_timestamp_format = iso8601\ncli_follow_urlparam = false\nparameter_validation = false\ntcp_keepalive = true\nsts_regional_endpoints = legacy\nmax_attempts = 10\nretry_mode = adaptive\n" +
			"s3_us_east_1_regional_endpoint = regional\ns3_use_arn_region = true\nsdk_ua_app_id = my-app\napi_versions =\n  ec2 = 2015-03-01\n  cloudfront = 2015-09-17\n" +
			"use_dualstack_endpoint = False\nmetadata_service_timeout = 5\nuser_agent_extra = x\n", Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "tool: Cloud9", Credentials: "#*****\n# AWS Cloud9 managed temporary credentials\n#\n[default]\n" + temporary + "region=us-east-1\n", Profile: "default"},
		{Name: "tool: the access portal", Credentials: "[123456789012_AdministratorAccess]\n" + temporary, Profile: "123456789012_AdministratorAccess"},
		{Name: "tool: eb", Config: "[profile eb-cli]\n" + pairA, Profile: "eb-cli"},
		{Name: "tool: Roles Anywhere's helper", Config: "[profile ops]\ncredential_process = ./aws_signing_helper credential-process --certificate /c --private-key /k --role-arn arn:aws:iam::123456789012:role/x\n", Profile: "ops"},
		{Name: "tool: web identity", Config: "[profile ops]\n" + role + "web_identity_token_file = /var/run/secrets/token\nrole_session_name = ops\n", Profile: "ops"},
	}
}

// foreign are files of other programs.
func foreign() []Entry {
	return []Entry{
		{Name: "tool: aws-vault", Config: "[default]\nregion=us-east-1\nmfa_serial=arn:aws:iam::111122223333:mfa/user1\n[profile home]\ninclude_profile=default\n[profile work]\nparent_profile=home\nsource_profile=home\n" +
			"session_tags = key1=value1,key2=value2\ntransitive_session_tags = key1\nchained_session_token_duration=1h\nmfa_process=pass otp my_aws_mfa\nsource_identity=me\n" + role, Credentials: "[home]\n" + pairB, Profile: "work"},
		{Name: "tool: aws-vault, process", Config: "[profile home]\nregion = eu-west-1\ncredential_process = aws-vault exec home --json --no-session --prompt=osascript\n", Profile: "home"},
		{Name: "tool: granted", Config: "[profile prod/AdministratorAccess]\ngranted_sso_start_url = https://corp.awsapps.com/start\ngranted_sso_region = us-east-1\ngranted_sso_account_id = 123456789012\n" +
			"granted_sso_role_name = AdministratorAccess\ncommon_fate_generated_from = aws-sso\ncredential_process = granted credential-process --profile prod/AdministratorAccess\n", Profile: "prod/AdministratorAccess"},
		{Name: "tool: granted's registry", Config: "[default]\nregion = us-east-1\n\n[granted_registry_start corp]\n; DO NOT EDIT\n\n[profile ops]\n" + role + "source_profile = keys\n[profile keys]\n" + pairB + "\n[granted_registry_end corp]\n", Profile: "ops"},
		{Name: "tool: saml2aws", Credentials: "[saml]\n" + temporary + "aws_security_token      = token/gamma+/==\nx_principal_arn         = arn:aws:sts::123456789012:assumed-role/x/y\nx_security_token_expires = 2026-11-26T15:04:05+01:00\n", Profile: "saml"},
		{Name: "tool: saml2aws, process", Config: "[profile ops]\ncredential_process = saml2aws login --skip-prompt --quiet --credential-process --role arn:aws:iam::123456789012:role/x --profile ops\n", Profile: "ops"},
		{Name: "tool: aws-sso-util", Config: "[profile dev.Admin]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_account_name = dev\n" + corpRole + "region = us-east-1\n" +
			"credential_process = aws-sso-util credential-process --profile dev.Admin\nsso_auto_populated = true\n", Profile: "dev.Admin"},
		{Name: "tool: aws-sso-cli", Config: "# BEGIN_AWS_SSO_CLI\n\n[profile 000001234567:AdministratorAccess]\ncredential_process = /usr/local/bin/aws-sso -u open -S \"Default\" process --arn arn:aws:iam::000001234567:role/AdministratorAccess\n\n# END_AWS_SSO_CLI\n",
			Profile: "000001234567:AdministratorAccess"},
		{Name: "tool: okta-aws-cli", Credentials: "[default] \naws_access_key_id     = ASIAGAMMA\naws_secret_access_key = secret/gamma\naws_session_token     = token/gamma==\nx_security_token_expires = 2026-01-01T00:00:00Z\n", Profile: "default"},
		{Name: "tool: gimme-aws-creds", Credentials: "[ops]\n" + temporary + "aws_security_token = token/gamma+/==\n\n", Profile: "ops"},
		{Name: "tool: aws-azure-login", Config: "[profile azure]\nazure_tenant_id=0000-11\nazure_app_id_uri=https://signin.aws.amazon.com/saml\nazure_default_username=ana@corp.com\n" +
			"azure_default_role_arn=arn:aws:iam::123456789012:role/x\nazure_default_duration_hours=8\nazure_default_remember_me=true\n", Credentials: "[azure]\n" + temporary + "aws_expiration=2026-11-26T20:00:00.000Z\n", Profile: "azure"},
		{Name: "tool: awsume", Credentials: "[base]\n" + pairB + "[autoawsume-ops]\n" + temporary + "autoawsume = true\nmanager = awsume\nexpiration = 2026-11-26 10:00:00\nsource_expiration = 2026-11-26 10:00:00\nprofile_source = ops\n", Profile: "autoawsume-ops"},
		{Name: "tool: aws-mfa", Credentials: "[default-long-term]\n" + pairB + "aws_mfa_device = arn:aws:iam::123456789012:mfa/ana\n\n[default]\nassumed_role = True\nassumed_role_arn = arn:aws:iam::123456789012:role/x\n" +
			temporary + "aws_security_token = token/gamma+/==\nexpiration = 2026-11-26 20:12:33\n", Profile: "default"},
		{Name: "tool: gsts", Config: "[profile sts]\ncredential_process = gsts --aws-role-arn arn:aws:iam::1:role/x --sp-id 1 --idp-id 2 --username ana@example.com\n", Profile: "sts"},
		{Name: "tool: plugin for endpoints", Config: "[plugins]\nendpoint = awscli_plugin_endpoint\n\n[profile default]\nregion = eu-west-1\ns3 =\n  endpoint_url = https://s3.example.net\n  signature_version = s3v4\ns3api =\n  endpoint_url = https://s3.example.net\n",
			Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "tool: local services", Config: "[profile local]\nregion = us-east-1\nendpoint_url = http://localhost:4566\nservices = testing\n[services testing]\ndynamodb =\n  endpoint_url = http://localhost:8000\ns3 =\n  endpoint_url = http://minio.example.com:9000\n",
			Credentials: "[local]\naws_access_key_id = test\naws_secret_access_key = test\n", Profile: "local"},
		{Name: "tool: MinIO", Credentials: "[default]\naws_access_key_id = minio\naws_secret_access_key = p@ss;w#ord%20!$x=y\n", Profile: "default"},
	}
}

// asPeopleDo are files with what people leave standing about.
func asPeopleDo() []Entry {
	ops := func(lines string) string { return "[profile ops]\n" + lines }
	return []Entry{
		{Name: "people: regions of their own", Credentials: "[ops]\n" + pairA + "aws_region = us-east-1\nsts_region = us-east-1\nssm_region = eu-west-1\nses_region = eu-west-1\ns3_region = us-east-1\naws_account = dev\n", Profile: "ops"},
		{Name: "people: both names of a key", Credentials: "[ops]\n" + pairA + "aws_access_key = AKIDALPHA\naws_secret_key = secret/alpha\naccess_key_id = AKIDALPHA\nsecretaccesskey = secret/alpha\n", Profile: "ops"},
		{Name: "people: both names of a token", Credentials: "[ops]\n" + temporary + "session_token = token/gamma+/==\n", Profile: "ops"},
		{Name: "people: several roles", Config: ops(role+"source_profile = keys\nrole_arns = a,b\nrole_arn_2 = arn:aws:iam::123456789012:role/x\nsourceprofile = keys\n") + "[profile keys]\n" + pairB, Profile: "ops"},
		{Name: "people: notes in Chinese", Config: ops("备注 = 生产环境\nregion = cn-north-1\n" + pairA), Profile: "ops"},
		{Name: "people: notes in Cyrillic and with umlauts", Config: ops("заметка = боевой\ngröße = groß\n" + pairA), Profile: "ops"},
		{Name: "people: an output without the word profile", Config: "[ops]\noutput = json\ns3 =\n  addressing_style = path\n", Credentials: "[ops]\n" + pairA, Profile: "ops"},
		{Name: "people: with and without the word profile", Config: "[ops]\nregion = eu-west-1\noutput = json\n[profile ops]\nregion = us-east-1\n", Credentials: "[ops]\n" + pairA, Profile: "ops"},
		{Name: "people: the region under profile in credentials, too", Config: ops("region = us-east-1\n"), Credentials: "[ops]\n" + pairA + "[profile ops]\nregion = us-east-1\n", Profile: "ops"},
		{Name: "people: capital Default with an output", Config: "[Default]\noutput = json\n", Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "people: a default put aside", Credentials: "[_default]\n" + pairA + "[default_]\n" + pairB + "[default-old]\n" + pairB + "[ops]\n" + pairB, Profile: "default"},
		{Name: "people: a shell's quotes in quotes", Config: ops("credential_process = sh -c 'echo '\\''{\"Version\": 1}'\\'''\n"), Profile: "ops"},
		{Name: "people: a shell's escaped quote", Config: ops("credential_process = /usr/bin/helper Ana\\'s\\ key\n"), Profile: "ops"},
		{Name: "people: JSON in a process", Config: ops("credential_process = /usr/bin/helper \"{\\\"Version\\\": 1} # x\" --url https://a/#/b\n"), Profile: "ops"},
		{Name: "people: a URL as a comment", Config: "[default]\n// https://wiki.example.com/aws\nregion = us-east-1\n", Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "people: everything indented", Config: "    [default]\n    region = us-east-1\n\n    [profile ops]\n    " + role + "    source_profile = keys\n", Credentials: "  [keys]\n  aws_access_key_id = AKIDBETA\n  aws_secret_access_key = secret/beta\n", Profile: "ops"},
		{Name: "people: blanks and line ends of Windows", Config: "[profile ops] \t\r\nrole_arn = arn:aws:iam::123456789012:role/manage-role  \r\nsource_profile = keys\t\r\n\r\n", Credentials: "[keys]  \r\naws_access_key_id = AKIDBETA \r\naws_secret_access_key = secret/beta\t\r\n", Profile: "ops"},
		{Name: "people: other sections", Config: "[default]\nregion=us-east-1\n[toolset x]\nfoo = bar\n[aliases]\nx = y\n", Credentials: "[default]\n" + pairA, Profile: "default"},
		{Name: "people: the same in both files", Config: ops(role+"source_profile = keys\n") + "[profile keys]\n" + pairB, Credentials: "[ops]\n" + role + "source_profile = keys\n[keys]\n" + pairB, Profile: "ops"},
		{Name: "people: signs in a name", Config: "[profile team@corp.com/dev+test,x!]\n" + role + "source_profile = keys\n[profile keys]\n" + pairB, Profile: "team@corp.com/dev+test,x!"},
	}
}

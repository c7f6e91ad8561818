package sharedfile

import "strings"

const (
	accessKeyID     = "aws_access_key_id"
	secretAccessKey = "aws_secret_access_key"
	sessionToken    = "aws_session_token"
	securityToken   = "aws_security_token" // the old name of aws_session_token; botocore still reads it
	accountID       = "aws_account_id"

	credentialProcess = "credential_process"
)

// IsIdentity reports whether a key, in lower case, decides or describes who one
// is. What is wrong with such a value is an error; with others the last value
// counts, as in the SDK.
func IsIdentity(key string) bool {
	switch key {
	case "external_id", "mfa_serial", "role_session_name", accountID, securityToken, sessionToken:
		return true
	}
	return mustHaveText(key)
}

// mustHaveText reports whether a key that is there must have a value, since an
// empty one would let another identity be used than the one written down.
func mustHaveText(key string) bool {
	switch key {
	case accessKeyID, secretAccessKey, "role_arn", "source_profile", "credential_source", credentialProcess,
		"web_identity_token_file", "login_session", "sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region":
		return true
	}
	return false
}

// identityKeys are the keys of IsIdentity, for the search of a near one.
func identityKeys() []string {
	return []string{accessKeyID, secretAccessKey, sessionToken, "role_arn", "source_profile", "credential_source", credentialProcess,
		"web_identity_token_file", "login_session", "sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region",
		"external_id", "mfa_serial", "role_session_name"}
}

// isAbsentIfEmpty reports whether a key without a value counts as absent, so
// that the value of another file shows through.
func isAbsentIfEmpty(key string) bool {
	switch key {
	case "region", "mfa_serial", sessionToken, securityToken:
		return true
	}
	return false
}

// isKeyMaterial reports whether a value is printable ASCII without blanks, or
// wrong.
func isKeyMaterial(key string) bool {
	switch key {
	case accessKeyID, secretAccessKey, sessionToken, securityToken:
		return true
	}
	return false
}

// misspelt returns the key that was probably meant, or "".
func misspelt(key string) string {
	if IsIdentity(key) {
		return ""
	}
	bare := strings.Trim(key, `"'`)
	for _, prefix := range []string{"export ", "set ", "$env:"} { // lines of a shell's profile
		bare = strings.TrimPrefix(bare, prefix)
	}
	bare = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' {
			return '_'
		}
		return r
	}, bare)
	meant := squeezed(bare)
	switch {
	case bare == "aws_access_key":
		return accessKeyID
	case bare == "aws_secret_key":
		return secretAccessKey
	case IsIdentity(bare):
		return bare
	case meant != "":
		return meant
	case len(bare) < 8: // "region" and the like are near to too much
		return ""
	}
	near := Nearest(bare, identityKeys())
	if strings.HasPrefix(near, "sso_") && !strings.HasPrefix(bare, "sso") {
		return "" // sts_region, ssm_region: other programs' own. A profile without a part of its SSO is refused for that
	}
	return near
}

// squeezed returns the key that is meant by one without its _ or without its aws_,
// as other programs write them and STS answers, or "".
func squeezed(key string) string {
	for _, k := range identityKeys() {
		if sameLetters(key, k) || sameLetters(key, strings.TrimPrefix(k, "aws_")) {
			return k
		}
	}
	return ""
}

// sameLetters reports whether a and b are the same but for their _.
func sameLetters(a, b string) bool {
	for {
		a, b = strings.TrimLeft(a, "_"), strings.TrimLeft(b, "_")
		if a == "" || b == "" {
			return a == b
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

// otherName returns the key that other programs, or a line of a shell, call so, or "".
// It is for profiles that say nothing else of who one is: beside keys or a role, such
// a line is another program's own.
func otherName(key string) string {
	bare := strings.Trim(key, "\"'`")
	bare = bare[strings.LastIndexAny(bare, " \t")+1:] // declare -x NAME
	bare = strings.TrimPrefix(bare, "credentials.")   // as the AWS CLI prints what STS answers
	bare = strings.TrimPrefix(bare, "aws_")
	switch {
	case IsIdentity(key):
		return ""
	case sameLetters(bare, "access_key"):
		return accessKeyID
	case sameLetters(bare, "secret_key"):
		return secretAccessKey
	}
	for _, k := range identityKeys() {
		if mustHaveText(k) && sameLetters(bare, strings.TrimPrefix(k, "aws_")) {
			return k
		}
	}
	return ""
}

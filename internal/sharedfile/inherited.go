package sharedfile

import (
	"fmt"
	"slices"
)

// checkInherited reports what a section [DEFAULT] says of who one is. To the AWS CLI
// and boto3, whose parser is Python's, it is a part of every section of its file that
// does not say it itself; to the SDK it is nobody's.
func (fs *Files) checkInherited() {
	for _, f := range fs.files {
		for _, common := range f.sections {
			if common.sdk != "DEFAULT" {
				continue
			}
			for _, s := range f.sections {
				if s.kind == profileSection && s.sdk != "DEFAULT" && s.name != "default" { // which has been reported
					fs.checkInherits(f, s, common)
				}
			}
		}
	}
}

// checkInherits reports the first key of common that would make somebody else of the
// profile.
func (fs *Files) checkInherits(f *file, s, common *section) {
	own := func(key string) bool { v, _ := fs.Get(s.name, key); return v.Text != "" }
	has := func(key string) bool { return own(key) || common.values[key].Text != "" }
	for _, key := range common.keys {
		v := common.values[key]
		same, _ := fs.Get(s.name, key)
		if _, said := s.values[key]; said || v.Text == "" || v.Text == same.Text || !fs.inherited(key, f.credentials, s, own, has) {
			continue
		}
		what := fmt.Sprintf("%s of [DEFAULT] belongs to %s, too, for the AWS CLI, and not for the SDK", key, s.subject())
		fs.problems = append(fs.problems, Problem{Path: f.path, Line: v.Line, Kind: Heading, Profile: s.name, What: what, Mend: "write it below the heading of the profile"})
		return
	}
}

// isRoles reports whether a key says which role a profile is, and who assumes it.
func isRoles(key string) bool {
	return slices.Contains([]string{"role_arn", "source_profile", "credential_source", "web_identity_token_file"}, key)
}

// inherited reports whether a key of [DEFAULT] changes who the profile is, in the order
// in which the AWS CLI looks: a role, SSO, keys of a credentials file, a process, keys of
// a config file. own says what the profile has, and has what it has with [DEFAULT].
func (fs *Files) inherited(key string, inCredentials bool, s *section, own, has func(string) bool) bool {
	says := func(keys func(string) bool, in func(placed) bool) bool {
		return slices.ContainsFunc(fs.sections(s.kind, s.name), func(p placed) bool { return in(p) && slices.ContainsFunc(p.keys, keys) })
	}
	anywhere := func(placed) bool { return true }
	inCredentialsFile := func(p placed) bool { return p.credentials }
	isPair := func(key string) bool { return key == accessKeyID || key == secretAccessKey }
	earlier := own("role_arn") || own("sso_account_id") || own("sso_session") || own("sso_start_url") || says(isPair, inCredentialsFile)
	written := func(p placed) bool { return p.credentials && p.values[key].Text != "" }
	switch {
	case !inCredentials && !isPair(key) && slices.ContainsFunc(fs.sections(s.kind, s.name), written):
		return false // a credentials file has the last word
	case inCredentials && own(key) && isRoles(key):
		return true // and has it here, over a config file's
	case own("role_arn") && own("web_identity_token_file"):
		return false // which come before all else
	case key == "web_identity_token_file":
		return has("role_arn")
	case own("role_arn") && (own("source_profile") || own("credential_source")):
		return false // which come next
	}
	switch key {
	case accessKeyID, secretAccessKey:
		if inCredentials {
			return !earlier
		}
		return !says(mustHaveText, anywhere)
	case "login_session":
		return !earlier
	case credentialProcess:
		return !earlier && !own("login_session")
	case "source_profile", "credential_source":
		return has("role_arn")
	case "sso_session":
		return has("sso_account_id") || has("sso_role_name")
	case "sso_start_url", "sso_region":
		return has("sso_account_id") && !has("sso_session")
	}
	return mustHaveText(key)
}

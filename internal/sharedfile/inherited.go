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
					fs.checkInherits(f.path, s, common)
				}
			}
		}
	}
}

// checkInherits reports the first key of common that would make somebody else of the
// profile.
func (fs *Files) checkInherits(path string, s, common *section) {
	has := func(key string) bool { v, _ := fs.Get(s.name, key); return v.Text != "" }
	if has("role_arn") && (has("source_profile") || has("credential_source")) {
		return // which come before all else
	}
	says := slices.ContainsFunc(fs.sections(s.kind, s.name), func(p placed) bool { return slices.ContainsFunc(p.keys, mustHaveText) })
	for _, key := range common.keys {
		v := common.values[key]
		counts := mustHaveText(key)
		switch key {
		case accessKeyID, secretAccessKey, credentialProcess, "login_session":
			counts = !says
		case "sso_start_url", "sso_region":
			counts = has("sso_account_id") && !has("sso_session")
		}
		if _, own := s.values[key]; own || v.Text == "" || !counts {
			continue
		}
		what := fmt.Sprintf("%s of [DEFAULT] belongs to %s, too, for the AWS CLI, and not for the SDK", key, s.subject())
		fs.problems = append(fs.problems, Problem{Path: path, Line: v.Line, Kind: Heading, Profile: s.name, What: what, Mend: "write it below the heading of the profile"})
		return
	}
}

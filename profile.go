package awsauth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkProfile follows a profile through its source profiles and returns what
// would make the SDK fail late, or take another identity than the one written
// down.
func (fs sharedFiles) checkProfile(name string) (f faults) {
	var seen []string
	var long []string // profiles before, whose role is to last longer than a chain allows
	for profile := name; ; {
		if slices.Contains(seen, profile) {
			f.add(invalid(fs.place(seen[len(seen)-1], "source_profile"), "the source profiles go in a circle: %s",
				strings.Join(append(seen, profile), " → ")).
				mend("let the last one hold keys or a credential_source"))
			return f
		}
		seen = append(seen, profile)
		f.add(fs.checkHalfKeys(profile))
		source, _ := fs.lookup(profile, "source_profile")
		if arn, _ := fs.lookup(profile, "role_arn"); arn.text != "" {
			for _, chained := range long {
				f.add(fs.tooLong(chained, profile))
			}
			if d, _ := fs.lookup(profile, "duration_seconds"); overAnHour(d.text) {
				long = append(long, profile)
			}
		}
		hasKeys, _ := fs.lookup(profile, "aws_access_key_id")
		f = append(f, fs.checkRole(profile)...)
		if source.text == "" || source.text == profile && hasKeys.text != "" || len(seen) > 1 && hasKeys.text != "" {
			return f
		}
		if !fs.has(source.text) {
			e := fs.notFound(source.text, "")
			e.Op = fs.place(profile, "source_profile")
			f.add(e)
			return f
		}
		profile = source.text
	}
}

// overAnHour reports whether a duration_seconds is more than a chain allows.
func overAnHour(seconds string) bool {
	n, err := strconv.Atoi(seconds)
	return err == nil && time.Duration(n)*time.Second > maxChained
}

// tooLong is the error for a profile whose role is assumed from another role,
// that of source, and is to last longer than an hour.
func (fs sharedFiles) tooLong(profile, source string) error {
	e := &Error{Kind: InvalidDuration, Op: fs.place(profile, "duration_seconds"), also: []Kind{InvalidOption}}
	e.what = fmt.Sprintf("a role assumed from another role, that of profile %q, lasts at most 1h", source)
	return e.mend("lower duration_seconds to 3600")
}

// checkHalfKeys finds an access key without its secret, or the reverse, in one
// file: the SDK pairs keys file by file.
func (fs sharedFiles) checkHalfKeys(profile string) error {
	for _, file := range fs {
		s := file.profile(profile)
		if s == nil {
			continue
		}
		id, secret := s.values["aws_access_key_id"], s.values["aws_secret_access_key"]
		if token := s.values["aws_session_token"]; token.text != "" && id.text == "" && secret.text == "" {
			return invalid(fmt.Sprintf("%s:%d", file.path, token.line), "profile %q has a session token but no keys", profile).
				mend("add aws_access_key_id and aws_secret_access_key, or remove the token")
		}
		missing := "aws_secret_access_key"
		if id.text == "" {
			missing = "aws_access_key_id"
		}
		if (id.text == "") != (secret.text == "") {
			return invalid(fmt.Sprintf("%s:%d", file.path, max(id.line, secret.line)), "profile %q has half a key pair: no %s", profile, missing).
				mend("add %s, or remove the other half", missing)
		}
	}
	return nil
}

// checkRole holds what a profile says of its role against the rules.
func (fs sharedFiles) checkRole(profile string) (f faults) {
	get := func(key string) string { v, _ := fs.lookup(profile, key); return v.text }
	at := func(key string) string { return fs.place(profile, key) }
	arn := get("role_arn")
	if arn != "" {
		if _, err := parseRoleARN(arn); err != nil {
			f.add(invalid(at("role_arn"), "role_arn %q of profile %q: %v", clip(arn), profile, err))
		}
	}
	if s := get("credential_source"); s != "" && !slices.Contains([]string{"Environment", "Ec2InstanceMetadata", "EcsContainer"}, s) {
		f.add(invalid(at("credential_source"), "credential_source %q of profile %q does not exist", clip(s), profile).
			mend("use Environment, Ec2InstanceMetadata or EcsContainer"))
	}
	if s := get("duration_seconds"); s != "" {
		n, err := strconv.Atoi(s)
		if d := time.Duration(n) * time.Second; err != nil || d < minDuration || d > maxDuration {
			f.add(invalid(at("duration_seconds"), "duration_seconds %q of profile %q", clip(s), profile).
				mend("a role session lasts 900 to 43200 seconds"))
		}
	}
	if s := get("role_session_name"); s != "" && !isName(s, nameSigns, minSessionName, maxSessionName) {
		f.add(invalid(at("role_session_name"), "role_session_name %q of profile %q", clip(s), profile).
			mend("use 2 to 64 letters, digits or _+=,.@-"))
	}
	if get("source_profile") != "" && get("credential_source") != "" {
		f.add(invalid(at("credential_source"), "profile %q has a source_profile and a credential_source", profile).mend("keep one of them"))
	}
	if arn == "" {
		for _, key := range []string{"source_profile", "credential_source", "web_identity_token_file"} {
			if get(key) != "" {
				f.add(invalid(at(key), "profile %q has a %s but no role_arn", profile, key).mend("add role_arn, or remove %s", key))
				break
			}
		}
		return f
	}
	for _, key := range []string{"source_profile", "credential_source", "web_identity_token_file", "credential_process",
		"aws_access_key_id", "sso_session", "sso_account_id", "login_session"} {
		if get(key) != "" {
			return f
		}
	}
	return append(f, invalid(at("role_arn"), "profile %q has a role_arn but nothing that says who assumes it", profile).
		mend("add source_profile = NAME, or credential_source = Ec2InstanceMetadata"))
}

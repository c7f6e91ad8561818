package awsauth

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// checkRole holds what a profile says of its role against the rules.
func (l *look) checkRole(profile string) (f faults) {
	get := func(key string) string { return l.get(profile, key) }
	at := func(key string) string { return l.at(profile, key) }
	arn := get("role_arn")
	if arn != "" {
		if _, err := parseRoleARN(arn); err != nil {
			f.add(invalid(at("role_arn"), "role_arn %q of profile %q: %v", redact.Clip(arn), profile, err))
		}
	}
	if s := get("credential_source"); s != "" && !slices.Contains([]string{"Environment", "Ec2InstanceMetadata", "EcsContainer"}, s) {
		f.add(invalid(at("credential_source"), "credential_source %q of profile %q does not exist", redact.Clip(s), profile).
			mend("use Environment, Ec2InstanceMetadata or EcsContainer"))
	}
	if arn != "" { // else they say nothing, or something to another program
		f = append(f, l.checkManner(profile)...)
	}
	return append(f, l.checkRoleSource(profile, arn)...)
}

// checkManner holds how a profile's role is assumed against the rules.
func (l *look) checkManner(profile string) (f faults) {
	get := func(key string) string { return l.get(profile, key) }
	at := func(key string) string { return l.at(profile, key) }
	if s := get("duration_seconds"); s != "" {
		n, err := strconv.Atoi(s)
		if d := time.Duration(n) * time.Second; err != nil || d < minDuration || d > maxDuration {
			f.add(invalid(at("duration_seconds"), "duration_seconds %q of profile %q", redact.Clip(s), profile).
				mend("a role session lasts 900 to 43200 seconds"))
		}
	}
	if s := get("role_session_name"); s != "" && !names.IsSession(s) {
		f.add(invalid(at("role_session_name"), "role_session_name %q of profile %q", redact.Clip(s), profile).
			mend("use 2 to 64 letters, digits or _+=,.@-"))
	}
	if s := get("external_id"); s != "" && !names.Is(s, names.Signs+":/", 2, maxExternalID) {
		f.add(invalid(at("external_id"), "the external_id of profile %q has a form that STS does not accept", profile).
			mend("use 2 to 1224 letters, digits or _+=,.@:/-"))
	}
	return f
}

// checkRoleSource asks for exactly one way to assume a profile's role. The AWS CLI
// and the SDK for Go each take another of two, or refuse.
func (l *look) checkRoleSource(profile, arn string) (f faults) {
	var given []string
	for _, key := range []string{"source_profile", "credential_source", "web_identity_token_file"} {
		if l.get(profile, key) != "" {
			given = append(given, key)
		}
	}
	switch {
	case len(given) > 1:
		f.add(invalid(l.at(profile, given[1]), "profile %q has a %s and a %s (%s)", profile, given[0], given[1], l.at(profile, given[0])).
			mend("keep one of them: both say how its role is assumed"))
	case len(given) == 1 && arn == "":
		f.add(invalid(l.at(profile, given[0]), "profile %q has a %s but no role_arn", profile, given[0]).mend("add role_arn, or remove %s", given[0]))
	}
	return f
}

// settingForms are what the SDK takes for settings of a profile, where it refuses
// all else.
//
// See https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
var settingForms = map[string]string{
	"account_id_endpoint_mode":           "use preferred, required or disabled",
	"defaults_mode":                      "use auto, standard, in-region, cross-region, mobile or legacy",
	"disable_clock_skew_correction":      "use true or false",
	"disable_request_compression":        "use true or false",
	"ec2_metadata_service_endpoint_mode": "use IPv4 or IPv6",
	"max_attempts":                       "use a whole number, as 3",
	"request_checksum_calculation":       "use when_supported or when_required",
	"request_min_compression_size_bytes": "use a number from 0 to 10485760",
	"response_checksum_validation":       "use when_supported or when_required",
	"retry_mode":                         "use standard or adaptive; boto3 alone has legacy, and takes these two as well",
}

// settingError is the error for a setting that the SDK refuses, nil if err names
// none that the profile has.
func (l *look) settingError(err error) error {
	for _, key := range slices.Sorted(maps.Keys(settingForms)) {
		form := settingForms[key]
		v, ok := l.files.Get(l.profile, key)
		if !ok || !strings.Contains(err.Error(), key) {
			continue
		}
		e := invalid(v.Place(), "%s %q of profile %q is not a value that the SDK for Go takes", key, redact.Clip(v.Text), l.profile)
		e.Err = redact.Error(err)
		if v.Text == "" {
			form += ", or remove the line"
		}
		return e.mend("%s", form)
	}
	return nil
}

// checkSettings looks at the switches of the profile in force that say whom the
// library's own calls ask. The SDK takes all but "true" for false, so that a "yes"
// would turn FIPS off without a word. What means false may be written in any way.
func (l *look) checkSettings() (f faults) {
	for _, key := range []string{"use_fips_endpoint", "use_dualstack_endpoint", "ec2_metadata_v1_disabled", "ignore_configured_endpoint_urls"} {
		if s := l.get(l.profile, key); !slices.Contains([]string{"", "true", "false", "no", "off", "0", "n", "f"}, strings.ToLower(s)) {
			f.add(invalid(l.at(l.profile, key), "%s %q of profile %q is neither true nor false", key, redact.Clip(s), l.profile).
				mend("use true or false: all else would count as false"))
		}
	}
	return f
}

// checkSSO asks for all that a sign-in with SSO needs.
func (l *look) checkSSO(profile string) (f faults) {
	session := l.get(profile, "sso_session")
	if session == "" {
		for _, key := range []string{"sso_start_url", "sso_region", "sso_account_id", "sso_role_name"} {
			if l.get(profile, key) == "" {
				f.add(invalid(l.ssoPlace(profile), "profile %q signs in with SSO, but has no %s", profile, key).mend("add it, or name an sso_session that has it"))
			}
		}
		if region := l.get(profile, "sso_region"); region != "" {
			if err := checkRegion(region, l.settings.partition); err != nil {
				f.add(invalid(l.at(profile, "sso_region"), "sso_region %q: %v", redact.Clip(region), err))
			}
		}
		return append(f, l.checkSSOAccount(profile)...)
	}
	section, ok := l.files.SSOSession(session)
	if !ok {
		f.add(invalid(l.at(profile, "sso_session"), "profile %q signs in with an sso_session that is not there: no [sso-session %s] in %s", profile, redact.OneLine(session), l.where()).
			mend("add the section with sso_start_url and sso_region, or run: aws configure sso"))
		return f
	}
	for _, key := range []string{"sso_region", "sso_start_url"} {
		v, _ := section.Get(key)
		if v.Text == "" {
			f.add(invalid(section.Place(), "[sso-session %s] has no %s", redact.OneLine(session), key).mend("add it"))
		} else if own := l.get(profile, key); own != "" && own != v.Text {
			f.add(invalid(l.at(profile, key), "%s of profile %q is not that of its sso-session (%s)", key, profile, v.Place()).mend("remove it from the profile"))
		}
	}
	if v, _ := section.Get("sso_region"); v.Text != "" {
		if err := checkRegion(v.Text, l.settings.partition); err != nil {
			f.add(invalid(v.Place(), "sso_region %q: %v", redact.Clip(v.Text), err))
		}
	}
	account, role := l.get(profile, "sso_account_id"), l.get(profile, "sso_role_name")
	if account == "" && role != "" {
		f.add(invalid(l.at(profile, "sso_role_name"), "profile %q has sso_role_name but no sso_account_id", profile).mend("add it"))
	}
	if role == "" && account != "" {
		f.add(invalid(l.at(profile, "sso_account_id"), "profile %q has sso_account_id but no sso_role_name", profile).mend("add it"))
	}
	return append(f, l.checkSSOAccount(profile)...)
}

func (l *look) checkSSOAccount(profile string) (f faults) {
	if id := l.get(profile, "sso_account_id"); id != "" {
		if err := checkAccount(id); err != nil {
			f.add(invalid(l.at(profile, "sso_account_id"), "sso_account_id %q of profile %q: %v", redact.Clip(id), profile, err))
		}
	}
	return f
}

// ssoPlace is where the first of a profile's SSO keys stands.
func (l *look) ssoPlace(profile string) string {
	for _, key := range ssoKeys {
		if l.get(profile, key) != "" {
			return l.at(profile, key)
		}
	}
	return l.at(profile, "sso_session")
}

// ssoRegion is where a profile signs in with SSO, and under which name.
func (l *look) ssoRegion(profile string) (region, name, startURL string) {
	if session := l.get(profile, "sso_session"); session != "" {
		section, _ := l.files.SSOSession(session)
		r, _ := section.Get("sso_region")
		u, _ := section.Get("sso_start_url")
		return r.Text, session, u.Text
	}
	url := l.get(profile, "sso_start_url")
	return l.get(profile, "sso_region"), url, url
}

// ssoKeys are the keys each of which says that the profile signs in with SSO.
var ssoKeys = []string{"sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region"}

package awsauth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// way is how a profile leads to an identity: to the profile that has a source of
// credentials, and from there through roles.
type way struct {
	kind   sourceKind // of the source; "" where the profile says nothing of credentials
	holder string     // the profile that has it
	roles  []*roleSpec
	passed []Step // what stands in the profiles and was passed over, for Explain

	profiles []string // that were gone through, the named one first
}

// follow goes a profile's way, as the AWS CLI does, and collects what is wrong on
// it. Only what is used is looked at: a role that keys of the same source profile
// make superfluous may be as wrong as it likes.
//
// See https://docs.aws.amazon.com/cli/latest/topic/config-vars.html
func (l *look) follow(name string) (w way, f faults) {
	told := map[string]bool{} // lines, and what is wrong with whole files
	for profile := name; ; {
		if slices.Contains(w.profiles, profile) {
			f.add(l.circle(profile, w.profiles))
			return w, f
		}
		w.profiles = append(w.profiles, profile)
		for _, p := range l.files.Problems(profile) {
			if !told[p.String()] {
				f.add(l.fileFault(p))
			}
			told[p.Place()], told[p.String()] = true, true
		}
		w.holder = profile
		source := l.get(profile, "source_profile")
		if len(w.profiles) > 1 && l.hasKeys(profile) {
			kind := l.besideRole(profile) // a source's own keys come before its own role
			if kind == sourceSSO {
				f = append(f, l.checkSSO(profile)...)
			}
			w.settle(l, profile, kind)
			return w, append(f, w.checkDurations(l)...)
		}
		for _, fault := range l.checkRole(profile) {
			if e := deepest(fault); e == nil || !told[e.Op] { // once for each line
				f.add(fault)
			}
		}
		if l.get(profile, "role_arn") == "" || source == "" || source == profile {
			f = append(f, w.arrive(l, profile)...)
			return w, f
		}
		f = append(f, w.addRole(l, profile)...)
		w.pass(l, profile, "source_profile")
		if !l.files.Has(source) {
			e := l.notFound(source, "", w.profiles...)
			e.Op = l.at(profile, "source_profile")
			f.add(e)
			return w, f
		}
		profile = source
	}
}

// circle is the error for a way that comes back to a profile.
func (l *look) circle(profile string, way []string) error {
	return invalid(l.at(way[len(way)-1], "source_profile"), "the source profiles go in a circle: %s",
		redact.OneLine(strings.Join(append(slices.Clip(way), profile), " → "))).mend("let the last one hold keys or a credential_source")
}

// arrive settles which source of a profile counts, where it is not in another
// profile. Its own role is assumed with it.
func (w *way) arrive(l *look, profile string) (f faults) {
	arn := l.get(profile, "role_arn")
	kind := l.ownKind(profile)
	if l.get(profile, "source_profile") == profile { // itself: its role is not its own source
		kind = l.plainKind(profile)
	}
	switch {
	case kind == "" && l.get(profile, "source_profile") == profile:
		f.add(l.circle(profile, []string{profile}))
	case kind == "" && arn != "":
		f.add(invalid(l.at(profile, "role_arn"), "profile %q has a role_arn but nothing that says who assumes it", profile).
			mend("add source_profile = NAME, or credential_source = Ec2InstanceMetadata"))
	case kind == sourceSSOToken && len(w.profiles) == 1 && arn != "":
		f.add(invalid(l.at(profile, "sso_session"), "profile %q has a role_arn, but its SSO session gives only a token, and no keys to assume the role with", profile).
			mend("add sso_account_id and sso_role_name"))
	case kind == "" && len(w.profiles) > 1, kind == sourceSSOToken && len(w.profiles) > 1:
		asks := w.profiles[len(w.profiles)-2]
		e := invalid(l.at(asks, "source_profile"), "the source profile %q of profile %q has no credentials", profile, asks)
		f.add(e.mend("add keys, sso_session with account and role, credential_process or a role with a source to it, or name another source_profile"))
	case kind == sourceSSO || kind == sourceSSOToken:
		f = append(f, l.checkSSO(profile)...)
	}
	if arn != "" && kind != sourceWebIdentity {
		f = append(f, w.addRole(l, profile)...)
	}
	w.settle(l, profile, kind)
	if kind == sourceWebIdentity {
		for _, key := range []string{"duration_seconds", "external_id", "mfa_serial"} {
			if l.get(profile, key) != "" {
				w.passed = append(w.passed, Step{fmt.Sprintf("%s of profile %q", key, profile), NotTried, "not for a role that a web identity token opens"})
			}
		}
	}
	return append(f, w.checkDurations(l)...)
}

// settle notes the source, and what else stands in its profile.
func (w *way) settle(l *look, profile string, kind sourceKind) {
	w.kind = kind
	slices.Reverse(w.roles) // from the source on
	w.pass(l, profile, string(kind))
}

// profileSource is one kind of source that a profile can have.
type profileSource struct {
	kind   sourceKind
	key    string // that stands for it where it is passed over
	ofRole bool   // it is what the profile's role is assumed with, and nothing without a role
	there  func(l *look, profile string) bool
}

// profileSources are all of them, in the order in which they count. A role with a
// source_profile comes before them all: see follow.
//
// The order is the AWS CLI's. The SDK for Go looks at keys of either file first,
// and at sign-in and processes later.
func profileSources() []profileSource {
	named := func(value string) func(*look, string) bool {
		return func(l *look, profile string) bool { return l.get(profile, "credential_source") == value }
	}
	key := func(key string) func(*look, string) bool {
		return func(l *look, profile string) bool { return l.get(profile, key) != "" }
	}
	keys := func(kind sourceKind) func(*look, string) bool {
		return func(l *look, profile string) bool {
			k, _ := l.files.Keys(profile, kind == sourceProfileKeys)
			return k.Complete()
		}
	}
	return []profileSource{
		{sourceEnvironment, "credential_source", true, named("Environment")},
		{sourceContainer, "credential_source", true, named("EcsContainer")},
		{sourceEC2, "credential_source", true, named("Ec2InstanceMetadata")},
		{sourceWebIdentity, "web_identity_token_file", true, key("web_identity_token_file")},
		{sourceSSO, "sso_session", false, (*look).hasSSO},
		{sourceProfileKeys, "aws_access_key_id", false, keys(sourceProfileKeys)},
		{sourceLogin, "login_session", false, key("login_session")},
		{sourceProcess, "credential_process", false, key("credential_process")},
		{sourceConfigKeys, "aws_access_key_id of the config file", false, keys(sourceConfigKeys)},
		{sourceSSOToken, "sso_session", false, (*look).hasToken}, // for services that take the token
	}
}

// ownKind is the source of a profile itself, "" if it has none.
func (l *look) ownKind(profile string) sourceKind {
	return l.firstKind(profile, l.get(profile, "role_arn") != "")
}

// plainKind is the source of a profile beside its role and what that is assumed
// from.
func (l *look) plainKind(profile string) sourceKind { return l.firstKind(profile, false) }

// besideRole is the source of a source profile that has keys: the first of those that
// need no role to assume, and before them a web identity.
func (l *look) besideRole(profile string) sourceKind {
	if l.get(profile, "role_arn") != "" && l.get(profile, "web_identity_token_file") != "" {
		return sourceWebIdentity
	}
	return l.plainKind(profile)
}

func (l *look) firstKind(profile string, ofRole bool) sourceKind {
	for _, s := range profileSources() {
		if (ofRole || !s.ofRole) && s.there(l, profile) {
			return s.kind
		}
	}
	return ""
}

// hasSSO reports whether a profile signs in with SSO. Where it has credentials of
// another kind, a start URL or a region alone does not say so, as for the AWS CLI.
func (l *look) hasSSO(profile string) bool {
	given := func(key string) bool { return l.get(profile, key) != "" }
	if l.hasToken(profile) || !slices.ContainsFunc(ssoKeys, given) {
		return false
	}
	return given("sso_session") || given("sso_account_id") || given("sso_role_name") ||
		!l.hasKeys(profile) && !given("login_session") && !given("credential_process")
}

// hasToken reports whether a profile signs in with SSO but names no role, which
// gives a token and no keys.
func (l *look) hasToken(profile string) bool {
	return l.get(profile, "sso_session") != "" && l.get(profile, "sso_account_id") == "" && l.get(profile, "sso_role_name") == ""
}

// keysKind tells keys of a credentials file from those of a config file.
func (l *look) keysKind(profile string) sourceKind {
	if k, _ := l.files.Keys(profile, true); k.Complete() {
		return sourceProfileKeys
	}
	if k, _ := l.files.Keys(profile, false); k.Complete() {
		return sourceConfigKeys
	}
	return ""
}

func (l *look) hasKeys(profile string) bool { return l.keysKind(profile) != "" }

// keyPair is the key that keysKind found. The account is a setting, and may stand in
// the config file beside keys of the credentials file, as in the SDK, but not where it
// stands beside other keys there.
func (l *look) keyPair(profile string) sharedfile.KeyPair {
	k, _ := l.files.Keys(profile, l.keysKind(profile) == sourceProfileKeys)
	other, twoPairs := l.files.Keys(profile, false)
	twoPairs = twoPairs && other.AccessKeyID.Text != k.AccessKeyID.Text
	if k.AccountID.Text == "" && !twoPairs {
		k.AccountID, _ = l.files.Get(profile, "aws_account_id")
	}
	return k
}

// pass notes the sources of a profile that do not count, because used does.
func (w *way) pass(l *look, profile, used string) {
	source := len(w.profiles) > 1
	if kind := sourceKind(used); source && (kind == sourceProfileKeys || kind == sourceConfigKeys) && l.get(profile, "role_arn") != "" {
		w.passed = append(w.passed, passedOver(profile, "role_arn", used))
	}
	for _, s := range profileSources() {
		if string(s.kind) != used && s.there(l, profile) {
			w.passed = append(w.passed, passedOver(profile, s.key, used))
		}
	}
}

func passedOver(profile, key, used string) Step {
	why := used + " comes first"
	switch sourceKind(used) {
	case sourceProfileKeys:
		why = "its keys of the credentials file come first"
	case sourceConfigKeys:
		why = "its keys of the config file come first"
	}
	return Step{fmt.Sprintf("%s of profile %q", key, profile), NotTried, why}
}

// addRole adds the profile's role to the way.
func (w *way) addRole(l *look, profile string) (f faults) {
	spec, err := l.profileRole(profile)
	f.add(err)
	if spec != nil {
		w.roles = append(w.roles, spec)
	}
	return f
}

// profileRole is the role that a profile names, as the options for such roles
// want it (config.WithAssumeRoleCredentialOptions). It is nil where the ARN is
// none, which is checkRole's to say.
func (l *look) profileRole(profile string) (*roleSpec, error) {
	arn, err := parseRoleARN(l.get(profile, "role_arn"))
	if err != nil {
		return nil, nil
	}
	o := stscreds.AssumeRoleOptions{
		RoleSessionName: l.get(profile, "role_session_name"),
		ExternalID:      optional(l.get(profile, "external_id")),
		SerialNumber:    optional(l.get(profile, "mfa_serial")),
	}
	spec := &roleSpec{arn: arn, durationName: "duration_seconds"}
	if n, err := strconv.Atoi(l.get(profile, "duration_seconds")); err == nil {
		o.Duration = time.Duration(n) * time.Second
	}
	fromProfile := o.Duration
	if fn := l.opts.AssumeRoleCredentialOptions; fn != nil {
		fn(&o)
	}
	if o.Duration != fromProfile {
		spec.durationName = "Duration in config.WithAssumeRoleCredentialOptions"
	}
	if err := spec.take(o, l.opts.AssumeRoleCredentialOptions != nil); err != nil {
		return nil, err
	}
	spec.mfa.profile, spec.mfa.said = profile, "config.WithAssumeRoleCredentialOptions"
	if spec.mfa.serial == l.get(profile, "mfa_serial") {
		spec.mfa.said = l.at(profile, "mfa_serial")
	}
	return spec, nil
}

// take reads the options back. Where the caller's func may have changed them, they
// are held against the same rules as those of this package.
func (r *roleSpec) take(o stscreds.AssumeRoleOptions, checked bool) error {
	const op = "config.WithAssumeRoleCredentialOptions"
	if o.RoleARN != "" || o.Client != nil {
		return invalid(op, "RoleARN and Client are not the option's to set").mend("name the role in the profile or with WithRoleARN, and another STS with WithSTSEndpoint")
	}
	r.sessionName, r.duration = o.RoleSessionName, o.Duration
	r.externalID, r.sourceIdentity, r.policy = aws.ToString(o.ExternalID), aws.ToString(o.SourceIdentity), aws.ToString(o.Policy)
	for _, p := range o.PolicyARNs {
		r.policyARNs = append(r.policyARNs, aws.ToString(p.Arn))
	}
	for _, tag := range o.Tags {
		r.tags = merged(r.tags, map[string]string{aws.ToString(tag.Key): aws.ToString(tag.Value)})
	}
	for _, key := range o.TransitiveTagKeys {
		r.transitive = merged(r.transitive, map[string]string{key: r.tags[key]})
	}
	r.mfa = mfaDevice{serial: aws.ToString(o.SerialNumber), code: codeOf(o.TokenProvider)}
	var wrong faults
	if checked { // what the profile itself says was held against the rules with its file and line
		wrong = r.checkManner()
	}
	for _, fault := range wrong {
		if e := deepest(fault); e != nil {
			e.Op = op + ", as " + e.Op
		}
	}
	r.complete()
	return wrong.err()
}

// codeOf is the SDK's token provider as a func that gives the code of a device.
func codeOf(token func() (string, error)) func(context.Context) (string, error) {
	if token == nil {
		return nil
	}
	return func(context.Context) (string, error) { return token() }
}

// complete puts the defaults in.
func (r *roleSpec) complete() {
	if r.sessionName == "" {
		r.sessionName = names.DefaultSession()
	}
	if r.duration == 0 {
		r.duration = defaultDuration
	}
	if r.durationName == "" {
		r.durationName = "WithDuration"
	}
}

// checkDurations finds a role that is assumed from another role, and is to last
// longer than such a one can.
func (w *way) checkDurations(l *look) (f faults) {
	chained := w.kind == sourceWebIdentity || w.kind == sourceSSO
	for i, role := range w.roles {
		if (i > 0 || chained) && role.duration > maxChained {
			e := &Error{Kind: InvalidDuration, Op: "role " + role.arn.String(), also: []Kind{InvalidOption}}
			hint := "lower it to 1h"
			for _, profile := range w.profiles {
				if role.durationName == "duration_seconds" && l.get(profile, "role_arn") == role.arn.String() {
					e.Op, hint = l.at(profile, "duration_seconds"), "lower duration_seconds to 3600"
				}
			}
			e.what = "a role assumed from another role lasts at most 1h"
			f.add(e.mend("%s", hint))
		}
	}
	return f
}

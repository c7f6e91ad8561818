package awsauth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Limits of STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	minDuration     = 15 * time.Minute
	maxDuration     = 12 * time.Hour
	maxChained      = time.Hour // for a role assumed from a role session
	defaultDuration = time.Hour
	maxTags         = 50
	maxTagKey       = 128
	maxTagValue     = 256
	maxPolicy       = 2048 // characters, inline policy and policy ARNs together
	maxPolicyARNs   = 10
	maxExternalID   = 1224
)

// given reports whether any role option was.
func (r *roleSettings) given() bool { return len(r.optionNames()) > 0 }

// optionNames lists the role options that were given, for errors.
func (r *roleSettings) optionNames() (given []string) {
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"WithAccount", r.account != ""},
		{"WithRole", r.name != ""},
		{"WithRoleARN", r.arn != ""},
		{"WithSessionName", r.sessionName != ""},
		{"WithDuration", r.duration != 0},
		{"WithExternalID", r.externalID != ""},
		{"WithSourceIdentity", r.sourceIdentity != ""},
		{"WithTags", len(r.tags) > 0},
		{"WithTransitiveTags", len(r.transitive) > 0},
		{"WithPolicy", r.policy != ""},
		{"WithPolicyARNs", len(r.policyARNs) > 0},
	} {
		if o.given {
			given = append(given, o.name)
		}
	}
	return given
}

// check holds every role option against its own rule.
func (r *roleSettings) check() (f faults) {
	if r.account != "" {
		if err := checkAccount(r.account); err != nil {
			f.bad("WithAccount", r.account, "%v", err)
		}
	}
	if r.name != "" {
		if strings.HasPrefix(r.name, "arn:") {
			f.bad("WithRole", r.name, "this is an ARN; use WithRoleARN, or give the name after role/ and WithAccount")
		} else if name, ok := strings.CutPrefix(r.name, "role/"); ok {
			f.bad("WithRole", r.name, "leave out \"role/\", which belongs to the ARN: write %q; a role whose path is role/ goes by WithRoleARN", redact.Clip(name))
		} else if err := checkRoleName(r.name); err != nil {
			f.bad("WithRole", r.name, "%v", err)
		}
	}
	if r.arn != "" {
		if _, err := parseRoleARN(r.arn); err != nil {
			f.bad("WithRoleARN", r.arn, "%v", err)
		}
	}
	return append(f, r.checkManner()...)
}

// checkManner holds those options against their rules that say how a role is
// assumed, not which.
func (r *roleSettings) checkManner() (f faults) {
	if r.sessionName != "" && !names.IsSession(r.sessionName) {
		f.bad("WithSessionName", r.sessionName, "must be 2 to 64 letters, digits or _+=,.@-")
	}
	r.checkDuration(&f)
	if r.externalID != "" && !names.Is(r.externalID, names.Signs+":/", 2, maxExternalID) {
		f.bad("WithExternalID", r.externalID, "must be 2 to 1224 letters, digits or _+=,.@:/-")
	}
	if r.sourceIdentity != "" && !names.Is(r.sourceIdentity, names.Signs, 2, 64) {
		f.bad("WithSourceIdentity", r.sourceIdentity, "must be 2 to 64 letters, digits or _+=,.@-")
	}
	r.checkTags(&f)
	r.checkPolicies(&f)
	return f
}

// checkTarget asks for exactly one way of saying which role. The options may also be
// those of the role that first opens.
func (r *roleSettings) checkTarget(first *opener) (f faults) {
	given := r.optionNames()
	switch {
	case r.arn != "" && (r.account != "" || r.name != ""):
		f.add(invalid(fmt.Sprintf("WithRoleARN(%q)", redact.Clip(r.arn)), "given together with WithAccount or WithRole").
			mend("pass the ARN, or account and role name, not both"))
	case r.targeted() || len(given) == 0:
	case first == nil:
		target := "WithAccount or WithRoleARN"
		if r.name != "" {
			target = "WithAccount"
		}
		f.add(invalid(given[0], "there is no account to assume a role in").
			mend("pass %s too, or leave out %s", target, strings.Join(given, ", ")))
	default:
		for _, option := range given {
			if !slices.Contains(first.takes, option) {
				f.add(invalid(option, "a role that %s opens takes no such option", first.what).
					mend("pass WithAccount or WithRoleARN too for a role assumed from there, or leave out %s", option))
			}
		}
	}
	return f
}

// targeted reports whether the options say which role to become.
func (r *roleSettings) targeted() bool { return r.account != "" || r.arn != "" }

// opener is what leads to a first role without keys, and the options of roles that
// it has a place for.
type opener struct {
	what  string
	takes []string
}

// opener is that of the options, nil if there is none.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// and https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
func (s *settings) opener() *opener {
	switch {
	case s.web.given:
		return &opener{"a web identity token", []string{"WithSessionName", "WithDuration", "WithPolicy", "WithPolicyARNs"}}
	case s.anywhere.given:
		return &opener{"a certificate", []string{"WithSessionName", "WithDuration"}}
	}
	return nil
}

func (r *roleSettings) checkDuration(f *faults) {
	d := r.duration
	if d == 0 || d >= minDuration && d <= maxDuration && d%time.Second == 0 {
		return
	}
	e := &Error{Kind: InvalidDuration, Op: fmt.Sprintf("WithDuration(%v)", d), also: []Kind{InvalidOption}}
	switch {
	case d > 0 && d < time.Millisecond:
		e.what, e.Hint = "a bare number counts nanoseconds", "write "+meantDuration(d.Nanoseconds())
	case d < minDuration:
		e.what, e.Hint = "a role session lasts at least 15m", "raise it to 15m"
	case d > maxDuration:
		e.what, e.Hint = "a role session lasts at most 12h", "lower it to 12h"
	default:
		e.what, e.Hint = "STS counts whole seconds", fmt.Sprintf("use %v", d.Truncate(time.Second))
	}
	f.add(e)
}

// meantDuration is what a bare number may have been meant for, as Go code: the largest
// unit in which it is a duration that a role session can have.
func meantDuration(n int64) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"time.Hour", time.Hour}, {"time.Minute", time.Minute}, {"time.Second", time.Second}} {
		if d := time.Duration(n) * unit.of; minDuration <= d && d <= maxDuration {
			return fmt.Sprintf("%d*%s", n, unit.name)
		}
	}
	return "time.Hour, for example"
}

func (r *roleSettings) checkTags(f *faults) {
	if n := len(merged(r.tags, r.transitive)); n > maxTags {
		f.add(invalid("WithTags", "%d tags, transitive ones included; a session has at most %d", n, maxTags))
	}
	seen := map[string]string{} // folded key → key as given; STS does not tell case apart
	for _, set := range []struct {
		option string
		tags   map[string]string
	}{{"WithTags", r.tags}, {"WithTransitiveTags", r.transitive}} {
		for _, key := range sortedKeys(set.tags) {
			op := fmt.Sprintf("%s(%q)", set.option, redact.Clip(key))
			value := set.tags[key]
			switch {
			case key == "" || utf8.RuneCountInString(key) > maxTagKey:
				f.add(invalid(op, "a tag key has 1 to %d characters", maxTagKey))
			case strings.HasPrefix(strings.ToLower(key), "aws:"):
				f.add(invalid(op, "tag keys that begin with aws: are AWS's own"))
			case !names.IsTagText(key) || !names.IsTagText(value):
				f.add(invalid(op, "tag keys and values are letters, digits, spaces and _.:/=+-@"))
			case utf8.RuneCountInString(value) > maxTagValue:
				f.add(invalid(op, "a tag value has at most %d characters, this has %d", maxTagValue, utf8.RuneCountInString(value)))
			}
			folded := strings.ToLower(key)
			if other, dup := seen[folded]; dup && (other != key || r.tags[key] != r.transitive[key]) {
				f.add(invalid(op, "the tag is given twice (also as %q)", other).mend("STS does not tell upper from lower case; keep one"))
			}
			seen[folded] = key
		}
	}
}

func (r *roleSettings) checkPolicies(f *faults) {
	size := utf8.RuneCountInString(r.policy)
	for _, arn := range r.policyARNs {
		size += len(arn)
	}
	if r.policy != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(r.policy), &object); err != nil || object == nil {
			f.add(invalid("WithPolicy", "not a JSON object%s", jsonPlace(r.policy, err)))
		}
	}
	if size > maxPolicy {
		f.add(invalid("WithPolicy", "%d characters, policy ARNs included; at most %d are allowed", size, maxPolicy))
	}
	if n := len(r.policyARNs); n > maxPolicyARNs {
		f.add(invalid("WithPolicyARNs", "%d policies; at most %d are allowed", n, maxPolicyARNs))
	}
	for _, arn := range r.policyARNs {
		p, ok := policyPartition(arn)
		if !ok {
			f.bad("WithPolicyARNs", arn, "not the ARN of a managed policy; one is arn:aws:iam::aws:policy/ReadOnlyAccess")
		} else if _, ok := p.info(); !ok {
			f.bad("WithPolicyARNs", arn, "unknown partition %q; there are %s", redact.Clip(string(p)), partitionNames())
		}
	}
}

// policyPartition is the partition of a managed policy's ARN,
// arn:<partition>:iam::<account or aws>:policy/<path/name>.
func policyPartition(arn string) (Partition, bool) {
	parts := strings.SplitN(arn, ":", 6)
	ok := len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[3] == "" && (parts[4] == "aws" || names.IsAccount(parts[4])) &&
		len(parts[5]) > len("policy/") && strings.HasPrefix(parts[5], "policy/") && names.IsPrintable(parts[5])
	if !ok {
		return "", false
	}
	return Partition(parts[1]), true
}

// jsonPlace says where a JSON text went wrong, as line and column.
func jsonPlace(text string, err error) string {
	syntax, ok := err.(*json.SyntaxError)
	if !ok {
		return ""
	}
	before := text[:min(int(syntax.Offset), len(text))]
	return fmt.Sprintf(": %v at line %d", syntax, strings.Count(before, "\n")+1)
}

// sortedKeys is nil for no keys.
func sortedKeys(m map[string]string) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

// checkChained holds a duration against the limit of role chaining.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
func checkChained(d time.Duration) error {
	return checkHour(d, "a role assumed from another role lasts at most 1h")
}

// checkHour refuses a duration of more than an hour, which what says.
func checkHour(d time.Duration, what string) error {
	if d <= maxChained {
		return nil
	}
	e := &Error{Kind: InvalidDuration, Op: fmt.Sprintf("WithDuration(%v)", d), also: []Kind{InvalidOption}}
	e.what = what
	return e.mend("lower it to 1h")
}

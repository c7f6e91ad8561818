package awsauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
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

// faults collects everything that is wrong, so that one run tells it all.
type faults []error

func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

// err is the one fault, or all of them joined.
func (f faults) err() error {
	if len(f) == 1 {
		return f[0]
	}
	return errors.Join(f...)
}

// bad adds the fault of one option, shown as its call.
func (f *faults) bad(option, value, what string, args ...any) {
	f.add(invalid(fmt.Sprintf("%s(%q)", option, clip(value)), what, args...))
}

// check holds every option of New against its own rule. Rules between options
// and what the environment holds come later.
func (s *settings) check() (f faults) {
	k := s.keys
	switch {
	case !k.given():
	case k.id == "" && k.secret == "":
		f.add(invalid("WithStaticCredentials", "a session token without keys").
			mend("pass access key, secret key and token, or use WithProfile"))
	case k.id == "":
		f.add(invalid("WithStaticCredentials", "access key id is empty, but there is a secret access key").
			mend("pass both, or use WithProfile"))
	case k.secret == "":
		f.add(invalid("WithStaticCredentials", "secret access key is empty for access key %s", shortKey(k.id)).
			mend("pass both, or use WithProfile"))
	case isKeyID(k.secret) && !isKeyID(k.id):
		f.add(invalid("WithStaticCredentials", "the two are swapped: %s, which looks like an access key id, is second", shortKey(k.secret)).
			mend("pass the access key id first, then the secret"))
	case strings.HasPrefix(k.id, "ASIA") && isKeyID(k.id) && k.token == "":
		f.add(invalid("WithStaticCredentials", "access key %s is temporary, as all that begin with ASIA, and works with its session token only", shortKey(k.id)).
			mend("pass the session token too"))
	case strings.ContainsAny(k.id+k.secret+k.token, " \t\r\n"):
		f.add(invalid("WithStaticCredentials", "white space in the keys of access key %s", shortKey(k.id)).
			mend("trim what was read from a file or variable"))
	}
	if s.region != "" {
		if err := checkRegion(s.region); err != nil {
			f.bad("WithRegion", s.region, "%v", err)
		}
	}
	if s.partition != "" {
		if _, ok := s.partition.info(); !ok {
			f.bad("WithPartition", string(s.partition), "unknown partition; there are %s", partitionNames())
		}
	}
	f.add(checkEndpoint(s.stsEndpoint))
	return append(f, s.role.check()...)
}

// checkRegion asks that a region has the shape of a partition's regions.
func checkRegion(region string) error {
	if _, ok := PartitionOf(region); ok {
		return nil
	}
	if lower := strings.ToLower(strings.TrimSpace(region)); lower != region {
		if _, ok := PartitionOf(lower); ok {
			return fmt.Errorf("not a region; write %q", lower)
		}
	}
	if zone := strings.TrimRight(region, "abcdefgh"); zone != region {
		if _, ok := PartitionOf(zone); ok {
			return fmt.Errorf("an availability zone, not a region; write %q", zone)
		}
	}
	return fmt.Errorf("no region of any partition has such a name; one looks like us-east-1 or cn-north-1")
}

// checkEndpoint admits https anywhere and http on loopback only: an STS
// request over plain http would show the network what it answers, new keys.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	op := fmt.Sprintf("WithSTSEndpoint(%q)", clip(redactURL(endpoint)))
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return invalid(op, "not a URL").mend("write it like https://vpce-1234.sts.us-east-1.vpce.amazonaws.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return invalid(op, "a user, query or fragment has no meaning here").mend("give scheme, host and path only")
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return invalid(op, "plain http is allowed on loopback only").mend("use https")
	}
	return invalid(op, "scheme %q", u.Scheme).mend("use https")
}

// redactURL hides a password in a URL that is about to be shown.
func redactURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err == nil:
		return u.Redacted()
	case !strings.Contains(s, "@"):
		return s
	}
	return "…"
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// given reports whether any role option was.
func (r *roleSettings) given() bool { return len(r.optionNames()) > 0 }

// optionNames lists the role options that were given, for errors.
func (r *roleSettings) optionNames() (names []string) {
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
			names = append(names, o.name)
		}
	}
	return names
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
			f.bad("WithRole", r.name, "leave out \"role/\", which belongs to the ARN: write %q; a role whose path is role/ goes by WithRoleARN", clip(name))
		} else if err := checkRoleName(r.name); err != nil {
			f.bad("WithRole", r.name, "%v", err)
		}
	}
	if r.arn != "" {
		if _, err := parseRoleARN(r.arn); err != nil {
			f.bad("WithRoleARN", r.arn, "%v", err)
		}
	}
	r.checkTarget(&f)
	return append(f, r.checkManner()...)
}

// checkManner holds those options against their rules that say how a role is
// assumed, not which.
func (r *roleSettings) checkManner() (f faults) {
	if r.sessionName != "" && !isName(r.sessionName, nameSigns, minSessionName, maxSessionName) {
		f.bad("WithSessionName", r.sessionName, "must be 2 to 64 letters, digits or _+=,.@-")
	}
	r.checkDuration(&f)
	if r.externalID != "" && !isName(r.externalID, nameSigns+":/", 2, maxExternalID) {
		f.bad("WithExternalID", r.externalID, "must be 2 to 1224 letters, digits or _+=,.@:/-")
	}
	if r.sourceIdentity != "" && !isName(r.sourceIdentity, nameSigns, 2, 64) {
		f.bad("WithSourceIdentity", r.sourceIdentity, "must be 2 to 64 letters, digits or _+=,.@-")
	}
	r.checkTags(&f)
	r.checkPolicies(&f)
	return f
}

// checkTarget asks for exactly one way of saying which role.
func (r *roleSettings) checkTarget(f *faults) {
	names := r.optionNames()
	switch {
	case r.arn != "" && (r.account != "" || r.name != ""):
		f.add(invalid(fmt.Sprintf("WithRoleARN(%q)", clip(r.arn)), "given together with WithAccount or WithRole").
			mend("pass the ARN, or account and role name, not both"))
	case r.arn == "" && r.account == "" && len(names) > 0:
		f.add(invalid(names[0], "there is no account to assume a role in").
			mend("pass WithAccount or WithRoleARN too, or leave out %s", strings.Join(names, ", ")))
	}
}

func (r *roleSettings) checkDuration(f *faults) {
	d := r.duration
	if d == 0 || d >= minDuration && d <= maxDuration && d%time.Second == 0 {
		return
	}
	e := &Error{Kind: InvalidDuration, Op: fmt.Sprintf("WithDuration(%v)", d), also: []Kind{InvalidOption}}
	switch {
	case d > 0 && d < time.Millisecond:
		e.what, e.Hint = "a bare number counts nanoseconds", fmt.Sprintf("write %d*time.Second", d.Nanoseconds())
	case d < minDuration:
		e.what, e.Hint = "a role session lasts at least 15m", "raise it to 15m"
	case d > maxDuration:
		e.what, e.Hint = "a role session lasts at most 12h", "lower it to 12h"
	default:
		e.what, e.Hint = "STS counts whole seconds", fmt.Sprintf("use %v", d.Truncate(time.Second))
	}
	f.add(e)
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
			op := fmt.Sprintf("%s(%q)", set.option, clip(key))
			value := set.tags[key]
			switch {
			case key == "" || utf8.RuneCountInString(key) > maxTagKey:
				f.add(invalid(op, "a tag key has 1 to %d characters", maxTagKey))
			case strings.HasPrefix(strings.ToLower(key), "aws:"):
				f.add(invalid(op, "tag keys that begin with aws: are AWS's own"))
			case !isTagText(key) || !isTagText(value):
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
			f.bad("WithPolicyARNs", arn, "unknown partition %q; there are %s", clip(string(p)), partitionNames())
		}
	}
}

// policyPartition is the partition of a managed policy's ARN,
// arn:<partition>:iam::<account or aws>:policy/<path/name>.
func policyPartition(arn string) (Partition, bool) {
	parts := strings.SplitN(arn, ":", 6)
	ok := len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[3] == "" && (parts[4] == "aws" || isAccount(parts[4])) &&
		len(parts[5]) > len("policy/") && strings.HasPrefix(parts[5], "policy/") && isPrintable(parts[5])
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

// shortKey is an access key id as errors and logs show it: AKIA…MPLE. What
// does not look like an id may be a secret in the wrong place: no letter of it
// is shown.
func shortKey(id string) string {
	if !isName(id, "", 16, 128) || strings.ToUpper(id) != id {
		return "…"
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// isKeyID reports whether s is an access key id of AWS by its looks.
func isKeyID(s string) bool {
	return len(s) == 20 && (strings.HasPrefix(s, "AKIA") || strings.HasPrefix(s, "ASIA")) && isName(s, "", 20, 20) && strings.ToUpper(s) == s
}

// sortedKeys is nil for no keys.
func sortedKeys(m map[string]string) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

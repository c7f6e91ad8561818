package awsauthtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	maxPolicyARNs = 10

	// maxPolicies is how many characters the session policies of a request may
	// have together, with the ARNs of managed ones.
	maxPolicies = 2048

	// maxPacked is how many characters policies and tags may have together. AWS
	// has a limit for them after packing, and documents neither the limit nor how
	// it packs: this stands for both.
	maxPacked = 4096
)

func malformedPolicy(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

// policies reads the session policies of a request: the ARNs of managed ones, and
// the size of all.
func (v *validator) policies(form url.Values) (arns []string, size int, p *problem) {
	arns = members(form, "PolicyArns", ".arn")
	if len(arns) > maxPolicyARNs {
		v.reject("[…]", "policyArns", fmt.Sprintf("Member must have length less than or equal to %d", maxPolicyARNs))
	}
	for _, arn := range arns {
		v.check(arn, limitPolicyARN)
		if !policyARN.MatchString(arn) {
			v.reject(arn, "policyArns.arn", "Member must be the ARN of a managed policy")
		}
		size += len(arn)
	}
	if form.Has("Policy") {
		policy := form.Get("Policy")
		size += len(policy)
		p = checkPolicy(policy)
	}
	if p == nil && size > maxPolicies {
		p = tooLarge(size, maxPolicies)
	}
	return arns, size, p
}

var policyARN = regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[\x21-\x7e]+$`)

func tooLarge(size, limit int) *problem {
	return refuse(http.StatusBadRequest, "PackedPolicyTooLarge",
		"Packed policy consumes %d%% of allotted space, please use smaller policy.", size*100/limit)
}

// packed is how much of the room for them the policies and tags of a session
// take, in per cent; 0 if there are none.
func packed(policies int, tags map[string]string) (percent int, p *problem) {
	size := policies
	for key, value := range tags {
		size += len(key) + len(value)
	}
	switch {
	case size > maxPacked:
		return 0, tooLarge(size, maxPacked)
	case size == 0:
		return 0, nil
	}
	return max(1, size*100/maxPacked), nil
}

// checkPolicyARNs wants managed policies that the role's account can have: its
// own, and those of AWS, in its partition.
func checkPolicyARNs(arns []string, role arn) *problem {
	for _, policy := range arns {
		own := "arn:" + role.partition + ":iam::" + role.account + ":policy/"
		aws := "arn:" + role.partition + ":iam::aws:policy/"
		if !strings.HasPrefix(policy, own) && !strings.HasPrefix(policy, aws) {
			return malformedPolicy("The managed policy %s is not of the role's account", policy)
		}
	}
	return nil
}

// checkPolicy holds a session policy against the grammar of policies. It does
// not know which actions and conditions there are.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func checkPolicy(text string) *problem {
	var policy struct {
		Version   *string
		ID        *string `json:"Id"`
		Statement json.RawMessage
	}
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return malformedPolicy("This policy contains invalid Json")
	}
	if strictly(text, &policy, "Version", "Id", "Statement") != nil || policy.Statement == nil {
		return malformedPolicy("Syntax errors in policy.")
	}
	if policy.Version != nil && *policy.Version != "2012-10-17" && *policy.Version != "2008-10-17" {
		return malformedPolicy("The policy must contain a valid version string")
	}
	statements := []json.RawMessage{policy.Statement}
	if strings.HasPrefix(string(policy.Statement), "[") {
		if err := json.Unmarshal(policy.Statement, &statements); err != nil {
			return malformedPolicy("Syntax errors in policy.")
		}
	}
	seen := map[string]bool{}
	for _, raw := range statements {
		sid, p := checkStatement(raw)
		if p != nil {
			return p
		}
		if sid != "" && seen[sid] {
			return malformedPolicy("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[sid] = true
	}
	return nil
}

// strictly decodes an object, and refuses all names but these, which have a case.
func strictly(text string, out any, names ...string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return err
	}
	for name := range object {
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown element %q", name)
		}
	}
	return json.Unmarshal([]byte(text), out)
}

var statementNames = strings.Fields("Sid Effect Action NotAction Resource NotResource Condition Principal NotPrincipal")

var (
	sidForm    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionForm = regexp.MustCompile(`^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
)

// checkStatement checks one statement and returns its Sid.
func checkStatement(raw json.RawMessage) (sid string, p *problem) {
	var s struct {
		Sid, Effect             string
		Action, NotAction       oneOrMany
		Resource, NotResource   oneOrMany
		Condition               map[string]map[string]json.RawMessage
		Principal, NotPrincipal json.RawMessage
	}
	if string(raw) == "null" || strictly(string(raw), &s, statementNames...) != nil || !sidForm.MatchString(s.Sid) {
		return "", malformedPolicy("Syntax errors in policy.")
	}
	actions, resources := slices.Concat(s.Action, s.NotAction), slices.Concat(s.Resource, s.NotResource)
	switch {
	case s.Principal != nil || s.NotPrincipal != nil:
		return "", malformedPolicy("Policy document should not specify a principal.")
	case s.Effect != "Allow" && s.Effect != "Deny":
		return "", malformedPolicy("Syntax errors in policy.")
	case s.Action != nil && s.NotAction != nil, s.Resource != nil && s.NotResource != nil:
		return "", malformedPolicy("Syntax errors in policy.")
	case len(actions) == 0:
		return "", malformedPolicy("Policy statement must contain actions.")
	case len(resources) == 0:
		return "", malformedPolicy("Policy statement must contain resources.")
	}
	for _, action := range actions {
		if !actionForm.MatchString(action) {
			return "", malformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
	}
	for _, resource := range resources {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return "", malformedPolicy(`Resource %s must be in ARN format or "*".`, resource)
		}
	}
	return s.Sid, nil
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil && string(b) != "null" {
		*o = oneOrMany{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil || many == nil {
		return fmt.Errorf("not a string or a list of strings: %w", err)
	}
	*o = many
	return nil
}

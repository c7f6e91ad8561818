package awsauthtest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// assumeResult is the answer of AssumeRole and, with its last fields, of
// AssumeRoleWithWebIdentity.
type assumeResult struct {
	XMLName          xml.Name
	Credentials      xmlKeys
	AssumedRoleUser  assumedUser
	PackedPolicySize int    `xml:",omitempty"`
	SourceIdentity   string `xml:",omitempty"`
	Subject          string `xml:"SubjectFromWebIdentityToken,omitempty"`
	Audience         string `xml:",omitempty"`
	Provider         string `xml:",omitempty"`
}

type assumedUser struct {
	Arn string
	ID  string `xml:"AssumedRoleId"`
}

// sessionRequest is what a caller asks of a role's session.
type sessionRequest struct {
	role           string
	target         arn // of role
	name           string
	sourceIdentity string
	externalID     string
	lifetime       time.Duration
	tags           map[string]string
	transitive     []string
	policyARNs     []string
	policies       int // characters
}

// assumeRole is AssumeRole.
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (c *Cloud) assumeRole(in *request, who caller) (any, *problem) {
	want, p := readSession(in)
	if p != nil {
		return nil, p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mfa, p := redeemMFA(in, who)
	if p != nil {
		return nil, p
	}
	role, p := c.admit(who, want, mfa)
	if p != nil {
		return nil, p
	}
	if p := checkLifetime(want.lifetime, role, who.temporary); p != nil {
		return nil, p
	}
	if p := checkPolicyARNs(want.policyARNs, want.target); p != nil {
		return nil, p
	}
	tags, transitive, p := inheritTags(who.transitive, want)
	if p != nil {
		return nil, p
	}
	percent, p := packed(want.policies, tags)
	if p != nil {
		return nil, p
	}
	session := sessionOf(want.target, want.name)
	session.sourceIdentity, _ = inheritSource(who.sourceIdentity, want.sourceIdentity)
	session.tags, session.transitive, session.chained = tags, transitive, who.temporary
	keys := c.answerKeys(in, session, want.lifetime)
	return assumeResult{
		XMLName: xml.Name{Local: "AssumeRoleResult"}, Credentials: keys.xml(),
		AssumedRoleUser:  assumedUser{session.arn, session.userID},
		PackedPolicySize: percent, SourceIdentity: session.sourceIdentity,
	}, nil
}

// admit finds the role and asks whether it wants the caller, and wants them to
// bring what they bring: tags and a source identity need actions of their own in
// the trust policy, also those that a chain hands on. The caller holds c.mu.
func (c *Cloud) admit(who caller, want sessionRequest, mfa bool) (Role, *problem) {
	denied := func(action string) *problem {
		return refuse(http.StatusForbidden, "AccessDenied",
			"User: %s is not authorized to perform: sts:%s on resource: %s", who.arn, action, want.role)
	}
	role, ok := c.roles[want.role]
	if !ok || !role.trusts(who.principal) ||
		role.ExternalID != "" && role.ExternalID != want.externalID ||
		role.RequireMFA && !mfa {
		return role, denied("AssumeRole")
	}
	source, ok := inheritSource(who.sourceIdentity, want.sourceIdentity)
	switch {
	case !ok, role.RequireSourceIdentity && source == "":
		return role, denied("AssumeRole")
	case source != "" && !role.AllowSourceIdentity && !role.RequireSourceIdentity:
		return role, denied("SetSourceIdentity")
	case len(want.tags)+len(who.transitive) > 0 && !role.AllowTags:
		return role, denied("TagSession")
	}
	return role, nil
}

// readSession reads and checks the fields that AssumeRole and
// AssumeRoleWithWebIdentity have.
func readSession(in *request) (sessionRequest, *problem) {
	var v validator
	want := sessionRequest{
		role:           v.required(in.form, "RoleArn", limitRoleARN),
		name:           v.required(in.form, "RoleSessionName", limitSessionName),
		externalID:     v.given(in.form, "ExternalId", limitExternalID),
		sourceIdentity: v.given(in.form, "SourceIdentity", limitSourceIdentity),
		lifetime:       v.duration(in.form.Get("DurationSeconds"), defaultRole, maxRole),
	}
	if strings.HasPrefix(want.sourceIdentity, "aws:") {
		v.reject(want.sourceIdentity, "sourceIdentity", "Member must not begin with aws:")
	}
	v.mfa(in)
	want.tags, want.transitive = v.tags(in.form)
	var p *problem
	want.policyARNs, want.policies, p = v.policies(in.form)
	if invalid := v.problem(); invalid != nil {
		return want, invalid
	}
	if p != nil {
		return want, p
	}
	var err error
	if want.target, err = parseARN(want.role, "role"); err != nil {
		return want, validation("Request ARN is invalid")
	}
	return want, nil
}

// inheritSource carries the source identity along a chain: once set, it cannot
// be changed.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func inheritSource(inherited, asked string) (string, bool) {
	switch {
	case inherited == "":
		return asked, true
	case asked == "" || asked == inherited:
		return inherited, true
	}
	return "", false
}

// inheritTags joins the tags asked for with the transitive ones of the calling
// session, which cannot be overridden.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func inheritTags(inherited map[string]string, want sessionRequest) (tags, transitive map[string]string, p *problem) {
	tags, transitive = maps.Clone(want.tags), map[string]string{}
	for key := range want.tags {
		for old := range inherited {
			if strings.EqualFold(key, old) {
				return nil, nil, refuse(http.StatusBadRequest, "InvalidParameterValue",
					"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
		if slices.ContainsFunc(want.transitive, func(t string) bool { return strings.EqualFold(t, key) }) {
			transitive[key] = want.tags[key]
		}
	}
	maps.Copy(tags, inherited)
	maps.Copy(transitive, inherited)
	return tags, transitive, nil
}

// checkLifetime holds a duration against the role's maximum and against that of
// chains. The latter counts for every session as caller, also one of
// GetSessionToken: AWS calls both role chaining.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
func checkLifetime(d time.Duration, role Role, chained bool) *problem {
	switch {
	case chained && d > maxChainedRole:
		return validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case d > role.MaxSession:
		return validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}

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
	name           string
	sourceIdentity string
	externalID     string
	lifetime       time.Duration
	tags           map[string]string
	transitive     []string
	policySize     int // per cent
}

// assumeRole is AssumeRole.
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (c *Cloud) assumeRole(in *request, who caller) (any, *problem) {
	want, p := readSession(in)
	if p != nil {
		return nil, p
	}
	target, err := parseARN(want.role, "role")
	if err != nil {
		return nil, validation("Request ARN is invalid")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mfa, p := redeemMFA(in, who)
	if p != nil {
		return nil, p
	}
	denied := refuse(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.arn, want.role)
	role, ok := c.roles[want.role]
	if !ok || !role.trusts(who.principal) ||
		role.ExternalID != "" && role.ExternalID != want.externalID ||
		role.RequireMFA && !mfa {
		return nil, denied
	}
	source, ok := inheritSource(who.sourceIdentity, want.sourceIdentity)
	if !ok || role.RequireSourceIdentity && source == "" {
		return nil, denied
	}
	if p := checkLifetime(want.lifetime, role, who.temporary); p != nil {
		return nil, p
	}
	tags, transitive, p := inheritTags(who.transitive, want)
	if p != nil {
		return nil, p
	}
	session := sessionOf(target, want.name)
	session.sourceIdentity, session.tags, session.transitive = source, tags, transitive
	keys := c.issue(session, in.now.Add(want.lifetime).Truncate(time.Second))
	return assumeResult{
		XMLName: xml.Name{Local: "AssumeRoleResult"}, Credentials: keys.xml(),
		AssumedRoleUser:  assumedUser{session.arn, session.userID},
		PackedPolicySize: want.policySize, SourceIdentity: source,
	}, nil
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
	want.policySize, p = v.policies(in.form)
	if invalid := v.problem(); invalid != nil {
		return want, invalid
	}
	return want, p
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

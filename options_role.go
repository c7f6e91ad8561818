package awsauth

import (
	"maps"
	"time"
)

// WithAccount jumps into the role of the account with this 12-digit id:
// arn:<partition>:iam::<id>:role/<role>, where the role is DefaultRole unless
// WithRole names it.
func WithAccount(id string) RoleOption {
	return roleOption(func(r *roleSettings) { r.account = id })
}

// WithRole names the role that WithAccount jumps into, with its path if it
// has one: "manage-role", "team/ops". Without WithAccount it is an error.
func WithRole(name string) RoleOption {
	return roleOption(func(r *roleSettings) { r.name = name })
}

// WithRoleARN jumps into the role with this ARN. It takes the place of
// WithAccount and WithRole and cannot be combined with them.
func WithRoleARN(arn string) RoleOption {
	return roleOption(func(r *roleSettings) { r.arn = arn })
}

// WithSessionName names the role session, which is how CloudTrail tells
// callers apart: 2 to 64 characters of letters, digits and _+=,.@-. The default
// is <user or program>@<host>.
func WithSessionName(name string) RoleOption {
	return roleOption(func(r *roleSettings) { r.sessionName = name })
}

// WithDuration sets how long the role's credentials last: whole seconds from
// 15 minutes to 12 hours, at most 1 hour for a role assumed from a role
// session, and at most what the role itself allows. The default is 1 hour.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func WithDuration(d time.Duration) RoleOption {
	return roleOption(func(r *roleSettings) { r.duration = d })
}

// WithExternalID passes the external id that the role's trust policy asks
// for: 2 to 1224 characters of letters, digits and _+=,.@:/-.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func WithExternalID(id string) RoleOption {
	return roleOption(func(r *roleSettings) { r.externalID = id })
}

// WithSourceIdentity sets who is behind the session; it stays with every role
// assumed from there, and another one is refused there. 2 to 64 characters of
// letters, digits and _+=,.@-. The trust policies of these roles must allow
// sts:SetSourceIdentity.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func WithSourceIdentity(id string) RoleOption {
	return roleOption(func(r *roleSettings) { r.sourceIdentity = id })
}

// WithTags tags the session: at most 50 tags (transitive ones included), keys
// of 1 to 128 and values of up to 256 characters. The role's trust policy must
// allow sts:TagSession.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func WithTags(tags map[string]string) RoleOption {
	return roleOption(func(r *roleSettings) { r.tags = merged(r.tags, tags) })
}

// WithTransitiveTags tags the session and every session assumed from it, where
// tags with these keys cannot be set again. The limits are those of [WithTags].
func WithTransitiveTags(tags map[string]string) RoleOption {
	return roleOption(func(r *roleSettings) { r.transitive = merged(r.transitive, tags) })
}

// WithPolicy narrows what the session may do to what this JSON policy allows
// too: at most 2048 characters, the ARNs of WithPolicyARNs included.
func WithPolicy(json string) RoleOption {
	return roleOption(func(r *roleSettings) { r.policy = json })
}

// WithPolicyARNs narrows what the session may do to what these managed
// policies allow too: at most 10, in the role's account or AWS's own.
func WithPolicyARNs(arns ...string) RoleOption {
	return roleOption(func(r *roleSettings) {
		for _, arn := range arns {
			if arn != "" {
				r.policyARNs = append(r.policyARNs[:len(r.policyARNs):len(r.policyARNs)], arn)
			}
		}
	})
}

type fleetOption func(*fleetSettings)

func (o fleetOption) applyToFleet(f *fleetSettings) { o(f) }

// WithConcurrency sets how many accounts are worked on at a time; 0 is the
// default, 16. A negative number is InvalidOption.
func WithConcurrency(n int) FleetOption {
	return fleetOption(func(f *fleetSettings) { f.concurrency = n })
}

// WithProgress has fn called after each account, one call at a time, from the
// goroutine that finished it: a slow fn slows the walk down.
func WithProgress(fn func(Progress)) FleetOption {
	return fleetOption(func(f *fleetSettings) { f.progress = fn })
}

// merged copies both maps into one, so that a caller who changes theirs later
// changes nothing here.
func merged(into, from map[string]string) map[string]string {
	if len(from) == 0 {
		return into
	}
	all := maps.Clone(into)
	if all == nil {
		all = make(map[string]string, len(from))
	}
	maps.Copy(all, from)
	return all
}

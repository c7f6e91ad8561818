package awsauth

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// roleSpec is a role to be assumed, checked and complete.
type roleSpec struct {
	arn roleARN
	roleSettings
}

// assumedRole is what STS says of a role session beside its keys.
type assumedRole struct{ arn, userID string }

func newAssumedRole(u *types.AssumedRoleUser) *assumedRole {
	if u == nil {
		return nil
	}
	return &assumedRole{aws.ToString(u.Arn), aws.ToString(u.AssumedRoleId)}
}

// Assume returns a session in another role, with s as the one who asks for it;
// s stays usable. It needs WithAccount or WithRoleARN. Like New it checks all
// options and makes no call: the role is assumed when credentials are first
// needed, once.
//
// Asked again for the same role with the same options, while the first session
// is in use, Assume returns that one: its credentials are fetched once.
//
// The child keeps the region of s, its connection pool and its logger. A role
// assumed from a role session lasts at most one hour.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
func (s *Session) Assume(opts ...RoleOption) (*Session, error) {
	var r roleSettings
	for _, o := range opts {
		if o != nil {
			o.applyToRole(&r)
		}
	}
	if !r.given() {
		return nil, invalid("Assume", "no role to assume").mend("pass WithAccount or WithRoleARN")
	}
	if err := r.check().err(); err != nil {
		return nil, err
	}
	return s.assume(&r)
}

// assume makes the child session of options that were checked one by one.
func (s *Session) assume(r *roleSettings) (*Session, error) {
	spec := &roleSpec{roleSettings: *r}
	if r.arn != "" {
		spec.arn, _ = parseRoleARN(r.arn)
	} else {
		spec.arn = roleARN{s.place.partition, r.account, r.name}
		if r.name == "" {
			spec.arn.name = DefaultRole
		}
	}
	at, err := s.place.inside(spec.arn)
	if err != nil {
		return nil, err
	}
	if err := s.checkAgainst(spec); err != nil {
		return nil, err
	}
	if spec.sessionName == "" {
		spec.sessionName = defaultSessionName()
	}
	if spec.duration == 0 {
		spec.duration = defaultDuration
	}
	key := spec.key()
	if child := s.children.find(key); child != nil {
		return child, nil
	}
	child := &Session{wire: s.wire, cfg: s.cfg, place: at, source: s.source, parent: s, role: spec, log: s.log}
	child.provider = newRoleProvider(child)
	child.cache.init(child)
	return s.children.add(key, child), nil
}

// inside is the place of a role's session: its parent's, unless the parent is
// in another partition only because nothing said one.
func (p place) inside(role roleARN) (place, error) {
	if role.partition == p.partition {
		p.fixed = true
		return p, nil
	}
	if p.fixed {
		e := &Error{Kind: WrongPartition}
		e.what = fmt.Sprintf("role %s is in partition %s, but this session is in %s (region %s, from %s)",
			role, role.partition, p.partition, p.region, p.from)
		return place{}, e.mend("credentials work in one partition only; correct the ARN, or start a session with credentials of %s", role.partition)
	}
	return place{
		region:    role.partition.defaultRegion(),
		from:      "default of " + string(role.partition),
		partition: role.partition,
		fixed:     true,
		gaveWay:   fmt.Sprintf("%s (from %s) is not in %s", p.region, p.from, role.partition),
	}, nil
}

// checkAgainst holds the options against the session that is to assume the role.
func (s *Session) checkAgainst(r *roleSpec) error {
	var wrong faults
	if s.role != nil || s.source.roleSession() {
		wrong.add(checkChained(r.duration))
	}
	for _, arn := range r.policyARNs {
		if p, ok := policyPartition(arn); ok && p != r.arn.partition {
			e := &Error{Kind: WrongPartition, Op: fmt.Sprintf("WithPolicyARNs(%q)", arn)}
			e.what = fmt.Sprintf("the policy is in partition %s, but role %s is in %s", p, r.arn, r.arn.partition)
			wrong.add(e.mend("use the policy's ARN in %s", r.arn.partition))
		}
	}
	return wrong.err()
}

// checkChained holds a duration against the limit of role chaining.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
func checkChained(d time.Duration) error {
	if d <= maxChained {
		return nil
	}
	e := &Error{Kind: InvalidDuration, Op: fmt.Sprintf("WithDuration(%v)", d), also: []Kind{InvalidOption}}
	e.what = "a role assumed from another role lasts at most 1h"
	return e.mend("lower it to 1h")
}

// roleProvider assumes a role through its parent session. Calls must not
// overlap: stscreds is not safe for that, and the cache sees to it.
type roleProvider struct {
	session *Session
	retryer func() aws.Retryer // its own, made when first needed
	stscred *stscreds.AssumeRoleProvider
	assumed atomic.Pointer[assumedRole]
}

func newRoleProvider(child *Session) *roleProvider {
	p := &roleProvider{session: child, retryer: sync.OnceValue(child.wire.newRetryer)}
	p.stscred = stscreds.NewAssumeRoleProvider(p, child.role.arn.String(), child.role.apply)
	return p
}

// apply hands the role's options to the SDK's provider.
func (r *roleSpec) apply(o *stscreds.AssumeRoleOptions) {
	o.RoleSessionName = r.sessionName
	o.Duration = r.duration
	o.ExternalID = optional(r.externalID)
	o.SourceIdentity = optional(r.sourceIdentity)
	o.Policy = optional(r.policy)
	for _, arn := range r.policyARNs {
		o.PolicyARNs = append(o.PolicyARNs, types.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	all := merged(r.tags, r.transitive)
	for _, key := range sortedKeys(all) {
		o.Tags = append(o.Tags, types.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	o.TransitiveTagKeys = sortedKeys(r.transitive)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Retrieve assumes the role.
func (p *roleProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return p.stscred.Retrieve(ctx)
}

// AssumeRole is the call that stscreds makes: through the parent's client, to
// the STS of the role's region, with the session's own retryer. It keeps what
// stscreds drops, who the caller has become.
func (p *roleProvider) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s := p.session
	if s.wire.asks { // first, what a person may be asked for: the call itself is as short as any
		if _, err := s.parent.Retrieve(ctx); err != nil {
			return nil, err
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, refreshTimeout)
		defer cancel()
	}
	client := s.parent.sts()
	opts = append(slices.Clip(opts), s.wire.options(ctx, s.place.region, p.retryer(), s.parent.pace))
	call := assumeCall(s.role.arn, s.role.roleSettings, s.place.region)
	out, err := client.AssumeRole(ctx, in, opts...)
	if err != nil {
		return nil, s.parent.classify(err, call)
	}
	p.assumed.Store(newAssumedRole(out.AssumedRoleUser))
	return out, nil
}

func (p *roleProvider) assumedRole() *assumedRole { return p.assumed.Load() }

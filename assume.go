package awsauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

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
	if err := append(r.check(), r.checkTarget(nil)...).err(); err != nil {
		return nil, err
	}
	return s.assume(&r)
}

// assume makes the child session of options that were checked one by one.
func (s *Session) assume(r *roleSettings) (*Session, error) {
	spec := &roleSpec{roleSettings: *r, durationName: "WithDuration"}
	if r.arn != "" {
		spec.arn, _ = parseRoleARN(r.arn)
	} else {
		spec.arn = roleARN{s.place.partition, r.account, r.name}
		if r.name == "" {
			spec.arn.name = DefaultRole
		}
	}
	if err := s.checkAgainst(spec); err != nil {
		return nil, err
	}
	if err := s.family.allowed.check(spec.arn.account, "role "+spec.arn.String()); err != nil {
		return nil, err
	}
	spec.complete()
	return s.become(spec)
}

// become makes the child session of a role, or finds the one that is in use.
func (s *Session) become(spec *roleSpec) (*Session, error) {
	if s.gate != nil && s.source().temporary && spec.duration > maxChained {
		return nil, spec.tooLong()
	}
	if s.gate != nil && spec.duration > maxChained { // AWS allows it to the user's long-lived keys only
		return s.parent.become(spec.asking(*s.gate))
	}
	at, err := s.place.inside(spec.arn)
	if err != nil {
		return nil, err
	}
	return s.children.FindOrAdd(spec.key(), func() *Session {
		p := &roleProvider{parent: s, role: spec, at: at, file: &entry{family: s.family, at: at, parent: s, role: spec}}
		return newChild(s, at, spec, p.file.through(p.fetch), p.alive)
	}), nil
}

// checkAgainst holds the options against the session that is to assume the role.
func (s *Session) checkAgainst(r *roleSpec) error {
	wrong := s.checkInherited(r)
	if s.role != nil || s.source().chained {
		wrong.add(checkChained(r.duration))
	}
	for _, arn := range r.policyARNs {
		if p, _ := policyPartition(arn); p != r.arn.partition {
			e := &Error{Kind: WrongPartition, Op: fmt.Sprintf("WithPolicyARNs(%q)", arn)}
			e.what = fmt.Sprintf("the policy is in partition %s, but role %s is in %s", p, r.arn, r.arn.partition)
			wrong.add(e.mend("use the policy's ARN in %s", r.arn.partition))
		}
	}
	return wrong.err()
}

// checkInherited holds the options of a role against what the sessions above pass on: a
// source identity and transitive tags, none of which can be set again.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
// and https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func (s *Session) checkInherited(r *roleSpec) (f faults) {
	for ; s != nil && len(f) == 0; s = s.parent {
		if s.role == nil {
			continue
		}
		if was := s.role.sourceIdentity; was != "" && r.sourceIdentity != "" && r.sourceIdentity != was {
			f.add(invalid(fmt.Sprintf("WithSourceIdentity(%q)", r.sourceIdentity), "the session of role %s has the source identity %q, which stays", s.role.arn, was).
				mend("pass %q, or leave the option out", was))
		}
		for _, tags := range []struct {
			option string
			keys   map[string]string
		}{{"WithTags", r.tags}, {"WithTransitiveTags", r.transitive}} {
			for _, key := range sortedKeys(tags.keys) {
				if s.role.passesOn(key) {
					f.add(invalid(tags.option, "the session of role %s passes on a tag %q, which cannot be set again", s.role.arn, key).
						mend("leave the tag out"))
				}
			}
		}
	}
	return f
}

// passesOn reports whether a session of the role has a transitive tag with that key,
// of which AWS does not heed the case.
func (r *roleSpec) passesOn(key string) bool {
	return slices.ContainsFunc(sortedKeys(r.transitive), func(own string) bool { return strings.EqualFold(own, key) })
}

// roleProvider assumes a role with the keys of its parent, through the STS of the
// role's region.
type roleProvider struct {
	parent  *Session
	role    *roleSpec
	at      *place
	file    *entry // on disk
	once    sync.Once
	retryer aws.Retryer // of this session alone: a retryer of the caller's may have a budget
}

// fetch assumes the role. What a person may be asked for comes first: the call
// itself is as short as any.
func (p *roleProvider) fetch(ctx context.Context) (refresh.Issued, error) {
	ctx = diskcache.WithAtLeast(ctx, 0) // asked of the role's keys, not of those that sign for them
	once := &assumption{roleProvider: p, role: p.role}
	if p.parent.patient || p.role.mfa.serial != "" {
		keys, err := p.parent.issued(ctx)
		if err != nil {
			return refresh.Issued{}, err
		}
		if keys.SessionToken != "" && p.role.mfa.serial != "" && p.role.duration > maxChained {
			return refresh.Issued{}, p.role.tooLong()
		}
		if err := once.ask(ctx); err != nil {
			return refresh.Issued{}, err
		}
		refresh.Answered(ctx)
	}
	creds, err := stscreds.NewAssumeRoleProvider(once, p.role.arn.String(), once.apply).Retrieve(ctx)
	if err == nil && unfit(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken) != "" {
		err = errUnfit
	}
	if err != nil {
		return refresh.Issued{}, once.failed(err)
	}
	return once.became.keys(creds), nil
}

// errUnfit is the cause where what STS answered holds keys that cannot be signed with.
var errUnfit = errors.New("the keys hold white space or a character that is not printable ASCII")

// assumption is one AssumeRole under way. It keeps what stscreds drops: who the
// caller has become, and where a failure came from.
type assumption struct {
	*roleProvider
	role   *roleSpec // with the device whose code goes along
	code   string    // of that device
	became assumed
}

// ask gets the MFA code, if the call needs one: where the role has a device of its
// own, and where temporary keys of a user take the place of an MFA session.
func (a *assumption) ask(ctx context.Context) (err error) {
	if gate := a.parent.gate; gate != nil {
		keys, err := a.parent.passed(ctx)
		if err != nil {
			return err
		}
		if keys != nil {
			a.role = a.role.asking(*gate)
		}
	}
	if a.role.mfa.serial != "" {
		a.code, err = a.parent.askCode(ctx, &a.role.mfa, "assume role", a.role.arn.String())
	}
	return err
}

// apply hands the options of the call to the SDK's provider.
func (a *assumption) apply(o *stscreds.AssumeRoleOptions) {
	a.role.apply(o)
	if a.role.mfa.serial != "" {
		o.SerialNumber = aws.String(a.role.mfa.serial)
		o.TokenProvider = func() (string, error) { return a.code, nil }
	}
}

// alive reports whether STS still knows keys of the role.
func (p *roleProvider) alive(ctx context.Context, keys *refresh.Issued) bool {
	return p.parent.alive(ctx, p.at, keys) || p.file.drop(ctx, keys)
}

// AssumeRole is the call that stscreds makes.
func (a *assumption) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	w := a.parent.family.wire
	call := a.call(w)
	a.once.Do(func() { a.retryer = w.newRetryer() })
	out, err := w.client().AssumeRole(ctx, in, append(opts, a.parent.calls(ctx, a.at, signing{a.parent}, a.retryer, call))...)
	if err != nil {
		a.parent.family.codes.unseen(a.code, err)
		return nil, classifySTS(err, call)
	}
	a.became, err = readAssumed(out.AssumedRoleUser, a.role.arn, call.host)
	return out, err
}

// call says what is asked of STS, for what an error says of it.
func (a *assumption) call(w *wire) stsCall {
	r := a.role
	age, session := a.parent.mfaAge()
	return stsCall{
		op: "assume role", target: r.arn.String(), host: w.host(a.at), region: w.signedFor(a.at), by: a.parent.signer(), started: time.Now(),
		duration: r.duration.String(), durationName: r.durationName, mfaSerial: r.mfa.serial, mfaSession: session, mfaAge: age,
		sent: sentWith(r.externalID != "", r.mfa.serial != "", session, r.sourceIdentity != "", len(r.tags)+len(r.transitive) > 0),
	}
}

// failed is the error of a fetch.
func (a *assumption) failed(err error) error {
	if e := deepest(err); e != nil {
		return e
	}
	e := &Error{Op: "assume role", Target: a.role.arn.String(), Err: redact.Error(err)}
	e.notAWS(a.parent.family.wire.host(a.at), "STS", 0)
	return e
}

package awsauth

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

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
	if err := append(r.check(), r.checkTarget(false)...).err(); err != nil {
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
	spec.complete()
	return s.become(spec)
}

// become makes the child session of a role, or finds the one that is in use.
func (s *Session) become(spec *roleSpec) (*Session, error) {
	at, err := s.place.inside(spec.arn)
	if err != nil {
		return nil, err
	}
	return s.children.FindOrAdd(spec.key(), func() *Session {
		p := &roleProvider{parent: s, role: spec, at: at}
		return newChild(s, at, spec, p.fetch)
	}), nil
}

// checkAgainst holds the options against the session that is to assume the role.
func (s *Session) checkAgainst(r *roleSpec) error {
	var wrong faults
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

// roleProvider assumes a role with the keys of its parent, through the STS of the
// role's region.
type roleProvider struct {
	parent  *Session
	role    *roleSpec
	at      *place
	once    sync.Once
	retryer aws.Retryer // of this session alone: a retryer of the caller's may have a budget
}

// fetch assumes the role. What a person may be asked for comes first: the call
// itself is as short as any.
func (p *roleProvider) fetch(ctx context.Context) (refresh.Issued, error) {
	if p.parent.patient || p.role.mfa.serial != "" {
		if _, err := p.parent.issued(ctx); err != nil {
			return refresh.Issued{}, err
		}
		if p.role.mfa.serial == "" {
			refresh.Answered(ctx)
		}
	}
	once := &assumption{roleProvider: p, ctx: ctx}
	creds, err := stscreds.NewAssumeRoleProvider(once, p.role.arn.String(), p.role.apply, once.ask).Retrieve(ctx)
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
	ctx    context.Context // of the fetch: the SDK's token provider has none
	codeAt error           // why there is no MFA code
	became assumed
}

// ask lets the SDK's provider get the MFA code, and notes when it has come.
func (a *assumption) ask(o *stscreds.AssumeRoleOptions) {
	if code := o.TokenProvider; code != nil {
		o.TokenProvider = func() (string, error) {
			got, err := code()
			a.codeAt = err
			refresh.Answered(a.ctx)
			return got, err
		}
	}
}

// AssumeRole is the call that stscreds makes.
func (a *assumption) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	w := a.parent.family.wire
	call := a.role.call(w, a.at, a.parent.signer())
	a.once.Do(func() { a.retryer = w.newRetryer() })
	out, err := w.client().AssumeRole(ctx, in, append(opts, a.parent.calls(ctx, a.at, a.parent, a.retryer, call))...)
	if err != nil {
		return nil, classifySTS(err, call)
	}
	a.became, err = readAssumed(out.AssumedRoleUser, a.role.arn, call.host)
	return out, err
}

// failed is the error of a fetch.
func (a *assumption) failed(err error) error {
	if e := deepest(err); e != nil {
		return e
	}
	e := &Error{Op: "assume role", Target: a.role.arn.String(), Err: redact.Error(err)}
	switch {
	case a.codeAt != nil && errors.Is(err, context.Canceled):
		e.what = "canceled"
	case a.codeAt != nil:
		e.Kind, e.what = MFARequired, "there is no MFA code for "+redact.OneLine(a.role.mfa.serial)+": "+redact.OneLine(a.codeAt.Error())
	default:
		e.notAWS(a.parent.family.wire.host(a.at), "STS", 0)
	}
	return e
}

package awsauth

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
	"github.com/chaoxiaodi/awsauth/internal/weakmap"
)

// Session is one AWS identity: the caller's own, or a role. It is an
// aws.CredentialsProvider. It is safe for concurrent use, runs nothing while
// idle and needs no Close.
type Session struct {
	family   *family
	place    *place
	parent   *Session   // nil for a base identity
	role     *roleSpec  // nil for a base identity and for an MFA session
	gate     *mfaDevice // of an MFA session, between a user's keys and the roles; else nil
	cache    *refresh.Cache
	patient  bool // getting credentials may take as long as a person does
	caller   whoami
	children weakmap.Map[roleKey, Session] // the sessions assumed from this one
	pacer    atomic.Pointer[pace.Pacer]    // of the STS calls that this session signs: see pace
}

// family is what a base session and all those assumed from it share.
type family struct {
	wire     *wire
	kit      *kit // that the source was opened with
	codes    usedCodes
	allowed  guard
	disk     *diskcache.Store // nil without WithDiskCache
	cfg      aws.Config       // without region and credentials, which Config puts in
	decision decision
	log      *slog.Logger
}

// source is where the family's base identity comes from.
func (s *Session) source() *source { return s.family.decision.source }

// newBase makes the session of a base identity.
func newBase(f *family, at *place, get fetch, temporaryOnly bool) *Session {
	src := f.decision.source
	if temporaryOnly {
		get = onlyTemporary(src, get)
	}
	c := cacheFor(&voice{f.log, src, nil, nil, f.wire, at}, get)
	c.StaticStability = src.kind == sourceEC2
	c.Local = src.local
	c.Rereads = src.rereads
	c.PassOn = src.passOn
	if src.opens != nil {
		c.Longest = src.opens.duration
	}
	return &Session{family: f, place: at, cache: refresh.New(c)}
}

// newChild makes the session of a role that parent assumes. alive is asked about
// refused keys that a person typed a code for.
func newChild(parent *Session, at *place, role *roleSpec, get fetch, alive func(context.Context, *refresh.Issued) bool) *Session {
	c := cacheFor(&voice{parent.family.log, parent.source(), role, nil, parent.family.wire, at}, get)
	c.Longest = role.duration
	c.Prompts = func() bool { return role.mfa.serial != "" || parent.passesThrough() }
	c.Patient = parent.patient || role.mfa.serial != ""
	c.Alive = alive
	return &Session{family: parent.family, place: at, parent: parent, role: role, cache: refresh.New(c), patient: c.Patient}
}

func cacheFor(v *voice, get fetch) refresh.Config {
	return refresh.Config{Fetch: get, Classify: v.classify, Outlook: v.outlook, Observer: v}
}

// onlyTemporary is WithTemporaryOnly.
func onlyTemporary(src *source, get fetch) fetch {
	return func(ctx context.Context) (refresh.Issued, error) {
		keys, err := get(ctx)
		if err == nil && keys.SessionToken == "" {
			return refresh.Issued{}, src.longTerm()
		}
		return keys, err
	}
}

// Config returns a fresh configuration for any service client: the session's
// region and credentials, on the connection pool that it shares with the
// sessions assumed from it.
//
//	client := ec2.NewFromConfig(s.Config())
//
// A bearer token of one service in the environment, AWS_BEARER_TOKEN_BEDROCK for
// example, wins over the session in the clients of that service. This option of the
// client undoes it:
//
//	func(o *bedrockruntime.Options) { o.AuthSchemePreference = []string{"sigv4"} }
//
// Changing the copy changes nothing here. A region of another partition in the
// copy is refused before anything is signed: WrongPartition.
func (s *Session) Config() aws.Config {
	cfg := s.family.cfg.Copy()
	cfg.Region = s.place.region
	cfg.Credentials = s
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), watchRefusals(s), s.place.keepPartition)
	cfg.ConfigSources = slices.Clone(cfg.ConfigSources)
	cfg.ServiceOptions = slices.Clone(cfg.ServiceOptions)
	cfg.AuthSchemePreference = slices.Clone(cfg.AuthSchemePreference)
	cfg.Interceptors = cfg.Interceptors.Copy()
	cfg.ServiceOptions = append(cfg.ServiceOptions, s.family.wire.forSTS(s.place))
	return cfg
}

// issued are the keys that are good now, and who they were issued to.
func (s *Session) issued(ctx context.Context) (*refresh.Issued, error) {
	if s.gate != nil {
		if keys, err := s.passed(ctx); keys != nil || err != nil {
			return keys, err
		}
	}
	keys, err := s.cache.Retrieve(ctx)
	if err != nil {
		return nil, asError(err, (&voice{source: s.source(), role: s.role, gate: s.gate}).op())
	}
	return keys, nil
}

// passed are the user's keys where an MFA session passes them through, because
// they are temporary; nil where it does not. While the keys of a running MFA
// session are good it does not matter whether those of the user can be had.
func (s *Session) passed(ctx context.Context) (*refresh.Issued, error) {
	if s.cache.Usable() {
		return nil, nil
	}
	keys, err := s.parent.issued(ctx)
	if err != nil || keys.SessionToken == "" {
		return nil, err
	}
	return keys, nil
}

// passesThrough reports whether s is an MFA session whose user has temporary keys at
// hand, which it passes through: then a code goes with each role.
func (s *Session) passesThrough() bool {
	if s.gate == nil {
		return false
	}
	keys := s.parent.cache.Held()
	return keys != nil && keys.SessionToken != ""
}

// asks reports whether a person would be asked for a code, here or in a parent, if new
// credentials were needed now.
func (s *Session) asks() bool {
	if s.cache.Usable() {
		return false
	}
	return s.gate != nil || s.role != nil && s.role.mfa.serial != "" || s.parent != nil && s.parent.asks()
}

// holder implements refuser.
func (s *Session) holder() holder {
	switch {
	case s.role != nil:
		return heldByRole
	case s.gate != nil:
		return heldByUser
	case s.source().isRole():
		return heldByRole
	case s.source().longLived():
		return heldByUser
	}
	return s.source().holder
}

// accepted implements refuser.
func (s *Session) accepted(keyID string) {
	s.cache.Accepted(keyID)
	if s.gate != nil {
		s.parent.cache.Accepted(keyID)
	}
}

// refused implements refuser, for a session that another one starts from.
func (s *Session) refused(ctx context.Context, keyID string, why refresh.Refusal) bool {
	if s.gate != nil && s.parent.cache.Refuse(ctx, keyID, why) { // passed through
		return true
	}
	return s.cache.Refuse(ctx, keyID, why)
}

// ProviderSources names the kinds of sources that the credentials come from, for
// the SDK's user agent. It implements aws.CredentialProviderSource.
func (s *Session) ProviderSources() []aws.CredentialSource {
	kinds := slices.Clone(s.source().kinds)
	switch {
	case s.gate != nil:
		kinds = append(kinds, aws.CredentialSourceSTSSessionToken)
	case s.parent != nil:
		kinds = append(kinds, aws.CredentialSourceSTSAssumeRole)
	}
	return kinds
}

// signing is a session as the signer of the library's own calls, which
// WithAllowedAccounts does not concern: the base of a role may be of any account.
type signing struct{ *Session }

// Retrieve implements aws.CredentialsProvider.
func (s signing) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := s.issued(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	return keys.Credentials, nil
}

// calls are the options of an STS call with the keys of s, for a session in p.
func (s *Session) calls(ctx context.Context, p *place, keys aws.CredentialsProvider, retryer aws.Retryer, call stsCall) func(*sts.Options) {
	set := s.family.wire.options(ctx, p, keys, retryer, s.pace(), call)
	watch := watchRefusals(s)
	return func(o *sts.Options) {
		set(o)
		o.APIOptions = append(slices.Clip(o.APIOptions), []func(*middleware.Stack) error{watch}...)
	}
}

// pace is the pace of the STS calls that s signs: STS counts by who signs. Most
// sessions sign none, and have none.
func (s *Session) pace() *pace.Pacer {
	if p := s.pacer.Load(); p != nil {
		return p
	}
	s.pacer.CompareAndSwap(nil, &pace.Pacer{})
	return s.pacer.Load()
}

// signer is what an error says of the keys that s signs with.
func (s *Session) signer() signer {
	by := signer{origin: s.source().String(), keyID: s.source().keyID, partition: s.place.partition, said: s.place.said, fixed: s.place.fixed, inferred: s.place.inferred}
	switch {
	case s.role != nil:
		by.origin, by.keyID = "role "+s.role.arn.String(), ""
	case s.gate != nil:
		by.origin, by.keyID = "the MFA session of "+by.origin, ""
	}
	return by
}

// callerCall is a GetCallerIdentity of s.
func (s *Session) callerCall() stsCall {
	w := s.family.wire
	return stsCall{op: "get caller identity", host: w.host(s.place), region: w.signedFor(s.place), by: s.signer(), started: time.Now()}
}

// String names the session: where it started, the roles, region. Never a secret.
func (s *Session) String() string {
	return fmt.Sprintf("awsauth.Session(%s, %s, %s)", s.path(), s.place.partition, s.place.region)
}

// path is the way to the identity: `profile "ops" → arn:…:role/manage-role`.
func (s *Session) path() string {
	if s.gate != nil {
		return s.parent.path() + " → MFA " + s.gate.serial
	}
	if s.parent != nil {
		return s.parent.path() + " → " + s.role.arn.String()
	}
	if web := s.source().opens; web != nil {
		return s.source().String() + " → " + web.arn.String()
	}
	return s.source().String()
}

// Format prints String for every verb: the fields never appear.
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue makes slog print what String says.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText makes encoding/json and its like write what String says.
func (s *Session) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

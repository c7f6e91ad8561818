package awsauth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// sourceKind is a kind of place that credentials come from.
type sourceKind string

const (
	sourceKeys        sourceKind = "static keys"
	sourceProvider    sourceKind = "provider"
	sourceEnvironment sourceKind = "environment"
	sourceWebIdentity sourceKind = "web identity"
	sourceAnywhere    sourceKind = "Roles Anywhere"
	sourceProfileKeys sourceKind = "profile keys" // of a credentials file
	sourceConfigKeys  sourceKind = "config keys"  // of a config file
	sourceSSO         sourceKind = "SSO"
	sourceSSOToken    sourceKind = "SSO token" // without account and role: no keys
	sourceLogin       sourceKind = "login"
	sourceProcess     sourceKind = "process"
	sourceContainer   sourceKind = "container"
	sourceEC2         sourceKind = "EC2"
)

// holder is what is known of whose a Session's keys are.
type holder int

const (
	heldByUser holder = iota + 1
	heldByRole
)

// source is where a base identity comes from. It is decided before any call.
type source struct {
	kind     sourceKind
	profile  string   // that led there, "" if none did
	region   string   // that it says, before the environment's
	profiles []string // from there to the one that says how to log in or has the keys
	option   bool     // an option named it, not the environment or a default
	absent   bool     // the chain came to it because nothing else was there,
	lookedAt string   // which was this

	disabledBy string // what forbids to ask it, "" if nothing does

	keyID     string // of the keys, where they are known before any call
	temporary bool   // and have a session token
	session   bool   // the provider is another Session,
	holder    holder // whose keys are somebody's
	chained   bool   // the credentials are surely those of a role session
	account   string // of the credentials, where AWS can give no others
	noted     string // account that the profile says they are of, where they do not say it themselves
	detail    string // what Explain says of it
	asks      bool   // credentials have to be asked for
	dear      bool   // and the disk cache keeps them
	rereads   bool   // keys without an expiry may have changed where they are kept
	local     bool   // whether a login has ended is seen in a file, at no cost

	opens  *roleSpec   // the role that the source itself leads to, with a token or a certificate; nil for others
	host   string      // that it is asked for there; "" is STS
	roles  []*roleSpec // that the profile assumes from there, in order
	passed []Step      // what stands in the profile and does not count
	claims []claim     // what it says of the partition
	kinds  []aws.CredentialSource

	open    func(*kit) (fetch, error)
	lasting func(context.Context, *kit) ([]string, error)  // names whose the keys are, which outlasts the keys; nil: only the keys do
	passOn  func(context.Context, string, refresh.Refusal) // tells a provider that its key was refused; may be nil
}

// fetch gets credentials. Its errors are *Error.
type fetch func(context.Context) (refresh.Issued, error)

// kit is what a source is opened with, once the settings are loaded.
type kit struct {
	cfg       aws.Config // for the SDK's clients of the library's own calls
	opts      *config.LoadOptions
	wire      *wire
	at        *place
	by        signer
	metadata  func() *imds.Client
	container aws.HTTPClient
}

// onceKey is the key of what one refresh has asked for already: see once.
type onceKey struct{}

// withOnce lets once remember, for one refresh.
func withOnce(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, new(any))
}

// once gets a token or a certificate once for each refresh: what the disk cache goes
// by is then what the keys are got with.
func once[T any](ctx context.Context, get func(context.Context) (T, error)) (T, error) {
	slot, _ := ctx.Value(onceKey{}).(*any)
	if slot != nil {
		if known, ok := (*slot).(T); ok {
			return known, nil
		}
	}
	got, err := get(ctx)
	if err == nil && slot != nil {
		*slot = got
	}
	return got, err
}

// String says it for people: `profile "ops"`, "environment", "EC2".
func (s *source) String() string {
	switch {
	case s.profile == "":
		return string(s.kind)
	case s.kind == sourceProfileKeys || s.kind == sourceConfigKeys:
		return fmt.Sprintf("profile %q", s.profile)
	}
	return fmt.Sprintf("profile %q (%s)", s.profile, s.kind)
}

// longLived reports whether the keys are known before any call, and are a user's own.
func (s *source) longLived() bool { return s.keyID != "" && !s.temporary }

// identify adds the lasting name of a source, and reports whether it has one: the
// keys of an SSO login or a web identity change, but not whose they are.
func (s *source) identify(ctx context.Context, k *kit, b *diskcache.KeyBuilder) (named bool) {
	if s.lasting == nil {
		return false
	}
	names, err := s.lasting(ctx, k)
	if err != nil {
		return false // asking the source will say what is wrong
	}
	b.Add("source", append([]string{string(s.kind)}, names...)...)
	return true
}

// isRole reports whether a base is a role's session, which has no MFA device.
func (s *source) isRole() bool {
	return s.holder == heldByRole || slices.Contains([]sourceKind{sourceSSO, sourceWebIdentity, sourceAnywhere, sourceContainer, sourceEC2}, s.kind)
}

// named puts the profile's name before what is said of it, where the row of a
// Report does not have it.
func (s *source) named(text string) string {
	if s.profile != "" && s.option {
		return fmt.Sprintf("profile %q: %s", s.profile, text)
	}
	return text
}

// shadows is why a later source has not its turn.
func (s *source) shadows() string {
	if s.kind == sourceKeys {
		return "static keys come first"
	}
	return s.String() + " comes first"
}

// classified makes the errors of get *Errors: explain says what is wrong.
func (s *source) classified(get func(context.Context) (aws.Credentials, error), explain func(*Error)) fetch {
	return func(ctx context.Context) (refresh.Issued, error) {
		creds, err := get(ctx)
		if err == nil {
			err = s.checkKeys(creds)
		}
		if err != nil {
			return refresh.Issued{}, sourceError(err, s.String(), explain)
		}
		if !names.IsAccount(creds.AccountID) { // an agent or a process may say anything
			creds.AccountID = ""
		}
		return refresh.Issued{Credentials: creds}, nil
	}
}

// checkKeys refuses what cannot be signed with.
func (s *source) checkKeys(c aws.Credentials) error {
	e := &Error{Kind: NoCredentials, Op: s.String()}
	switch {
	case c.AccessKeyID == "" && c.SecretAccessKey == "":
		e.what = "the credentials it returned have no keys"
	case c.AccessKeyID == "":
		e.what = "the credentials it returned have a secret access key but no access key id"
	case c.SecretAccessKey == "":
		e.what = "the credentials it returned have an access key id (" + redact.Key(c.AccessKeyID) + ") but no secret access key"
	case swapped(c.AccessKeyID, c.SecretAccessKey):
		e.Kind, e.what = InvalidKey, "the two keys it returned are swapped: "+redact.Key(c.SecretAccessKey)+", which looks like an access key id, is the secret"
		return e.mend("exchange the two where they are stored")
	default:
		what := unfit(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
		if what == "" {
			return nil
		}
		e.Kind, e.what = InvalidKey, fmt.Sprintf("%s in the keys it returned (access key %s)", what, redact.Key(strings.TrimSpace(c.AccessKeyID)))
		return e.mend("trim what is stored or mounted there")
	}
	return e
}

// longTerm is WithTemporaryOnly's refusal.
func (s *source) longTerm() error {
	e := &Error{Kind: LongTermCredentials, Op: "WithTemporaryOnly"}
	e.what = fmt.Sprintf("access key %s from %s is long-lived", redact.Key(s.keyID), s)
	if s.keyID == "" {
		e.what = fmt.Sprintf("the access key from %s is long-lived", s)
	}
	return e.mend("assume a role with WithAccount or WithRoleARN, or start from temporary credentials (SSO, a role, a session token)")
}

// Package awsauth answers two questions for every program that touches AWS:
// who am I, and how do I become the role I need, in the account and partition
// I need.
//
//	s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
//	client := ec2.NewFromConfig(s.Config())
//
// The same call works on a laptop with keys or a profile, in a container, and
// on an EC2 machine with an instance role; in AWS, in China and in every other
// partition.
//
// # Where credentials come from
//
// New takes the first of these that is there:
//
//  1. the profile of [WithProfile],
//  2. the keys of [WithStaticCredentials],
//  3. the provider of [WithCredentialsProvider],
//  4. the SDK's default chain: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web
//     identity (AWS_WEB_IDENTITY_TOKEN_FILE), the profile of AWS_PROFILE or
//     "default" in the shared files (keys, source_profile, credential_source,
//     SSO, login, process), the container, the EC2 instance.
//
// A source that is half there, such as an access key without its secret, is an
// error. It never lets the next source have its turn.
//
// # Which role
//
// With [WithAccount], [WithRole] or [WithRoleARN] the session is that role, assumed
// through STS of the right partition. [Session.Assume] goes on from there: a
// session is never used up by another made from it.
//
// # What is promised
//
// Options are checked, all of them, before anything touches the network. No
// error, log record or printed value holds a secret. A Session may be used by
// any number of goroutines, does nothing while idle, and needs no Close.
package awsauth

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/auth/bearer"
)

// Session is one AWS identity: the caller's own, or a role. It is an
// aws.CredentialsProvider. It is safe for concurrent use, runs nothing while
// idle and needs no Close.
type Session struct {
	wire   *wire
	cfg    *aws.Config // the family's, without region and credentials: Config puts them in
	place  place
	source *source   // of the family's base
	facts  *facts    // of a base identity
	parent *Session  // nil for a base identity
	role   *roleSpec // nil for a base identity
	log    *slog.Logger

	provider provider // fetches credentials
	cache    cache
	caller   callerCache // the answer to Identity where STS was asked

	children children // sessions assumed from this one, while they are in use

	stsOnce   sync.Once
	stsClient *sts.Client
	pace      *pacer // of what stsClient sends: STS counts by the account that signs
}

// provider fetches credentials, and says whose they are where that came with
// them.
type provider interface {
	aws.CredentialsProvider
	assumedRole() *assumedRole
}

// New makes a session from the options, the environment and the shared files.
// It checks everything it can without the network, and reports every wrong
// option, joined. The one call it may make is to the instance metadata, for the
// region and for a second at most, where the chain ends at EC2 and nothing else
// says a region. Credentials are fetched when they are first needed.
//
// The region is that of WithRegion, else the environment's or the profile's,
// else the instance's, else the partition's default. An environment or profile
// whose region is in another partition than the role, the options or the
// credentials gives way: to the profile's region if that fits, else to the
// partition's default.
func New(opts ...Option) (*Session, error) {
	s := &settings{}
	for _, o := range opts {
		if o != nil {
			o.applyTo(s)
		}
	}
	if s.silent = s.logger == nil; s.silent {
		s.logger = slog.New(slog.DiscardHandler)
	}
	wrong := s.check()
	b, faults := lookAround(s)
	if err := append(wrong, faults...).err(); err != nil {
		return nil, err
	}
	p, err := b.find(s)
	if err != nil {
		return nil, err
	}
	return b.session(s, p)
}

// session makes the base session, and the role's from it if there is one.
func (b *base) session(s *settings, p place) (*Session, error) {
	b.wire.region = p.region
	if n := len(b.source.hops); n > 0 {
		b.wire.lastHop = b.source.hops[n-1].String()
	}
	cfg := b.cfg
	own := &Session{wire: b.wire, cfg: &cfg, place: p, source: &b.source, facts: b.facts(s), log: s.logger}
	b.wire.own = own
	cfg.ConfigSources = scrub(b.cfg.ConfigSources)
	if p := b.cfg.BearerAuthTokenProvider; p != nil {
		cfg.BearerAuthTokenProvider = bearer.TokenProviderFunc(p.RetrieveBearerToken) // fmt prints the tokens of others
	}
	own.provider = &baseProvider{sdk: b.provider(s), session: own, temporaryOnly: s.temporaryOnly && !s.role.given()}
	cfg.Credentials = nil
	own.cache.init(own)
	s.logger.Debug("awsauth: source chosen", "source", b.source.String(), "region", p.region, "region_from", p.from, "partition", string(p.partition))
	if b.source.absent && os.Getenv("AWS_PROFILE") != "" {
		s.logger.Warn("awsauth: the profile has no credentials, going on without it", "profile", os.Getenv("AWS_PROFILE"), "source", b.source.String())
	}
	if s.profile != "" && (s.keys.given() || s.provider != nil) {
		s.logger.Info("awsauth: WithProfile beats the keys or the provider that were given too", "profile", s.profile)
	}
	if !s.role.given() {
		return own, nil
	}
	return own.assume(&s.role)
}

// Config returns a fresh configuration for any service client: the session's
// region and credentials, on the connection pool that it shares with the
// sessions assumed from it.
//
//	client := ec2.NewFromConfig(s.Config())
//
// Changing the copy changes nothing here.
func (s *Session) Config() aws.Config {
	cfg := s.cfg.Copy()
	cfg.Region = s.place.region
	cfg.Credentials = s
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), s.watchRefusals)
	cfg.ConfigSources = slices.Clone(cfg.ConfigSources)
	cfg.ServiceOptions = slices.Clone(cfg.ServiceOptions)
	cfg.AuthSchemePreference = slices.Clone(cfg.AuthSchemePreference)
	cfg.Interceptors = cfg.Interceptors.Copy()
	if endpoint := s.wire.endpoint; endpoint != "" {
		cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, options any) {
			if o, ok := options.(*sts.Options); ok {
				o.BaseEndpoint = &endpoint
			}
		})
	}
	return cfg
}

// Retrieve returns credentials that are good now, from memory where it can.
// Errors are *Error.
func (s *Session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := s.cache.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, asError(err, s.op())
	}
	return creds, nil
}

// sts is the client that the session's own calls go through: to become a role,
// to learn who it is.
func (s *Session) sts() *sts.Client {
	s.stsOnce.Do(func() {
		cfg := s.cfg.Copy()
		cfg.Region = s.place.region
		cfg.Credentials = s
		cfg.Logger, cfg.ClientLogMode = s.wire.logger, cfg.ClientLogMode&harmlessLogs // the signer keeps those of now
		cfg.APIOptions = append(slices.Clone(cfg.APIOptions), s.watchRefusals)
		s.stsClient, s.pace = sts.NewFromConfig(cfg), &pacer{}
	})
	return s.stsClient
}

// String names the session: where it started, the roles, region. Never a secret.
func (s *Session) String() string {
	return fmt.Sprintf("awsauth.Session(%s, %s, %s)", s.path(), s.place.partition, s.place.region)
}

// op is what fetching the session's credentials is called in errors.
func (s *Session) op() string {
	if s.role != nil {
		return "assume role " + s.role.arn.String()
	}
	return s.source.String()
}

// path is the way to the identity: `profile "ops" → arn:…:role/manage-role`.
func (s *Session) path() string {
	switch {
	case s.parent != nil:
		return s.parent.path() + " → " + s.role.arn.String()
	default:
		text := s.source.String()
		for _, hop := range s.source.hops {
			text += " → " + hop.String()
		}
		return text
	}
}

// Format prints String for every verb: the fields never appear.
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue makes slog print what String says.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText makes encoding/json and its like write what String says.
func (s *Session) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

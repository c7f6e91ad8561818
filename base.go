package awsauth

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// baseProvider fetches the credentials of a base identity from the SDK's
// provider.
type baseProvider struct {
	sdk           aws.CredentialsProvider
	session       *Session
	temporaryOnly bool
}

// provider is where the base's credentials are fetched. The caller's own
// provider is asked directly: the SDK's cache round it would keep from it the
// context's deadline.
func (b *base) provider(s *settings) aws.CredentialsProvider {
	if b.source.kind == sourceProvider {
		return s.provider
	}
	return b.cfg.Credentials
}

func (p *baseProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if cached, ok := p.sdk.(*aws.CredentialsCache); ok {
		cached.Invalidate() // it would hand out what we have, and what has expired
	}
	creds, err := p.sdk.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, p.session.sourceError(err)
	}
	if !creds.HasKeys() {
		e := &Error{Kind: NoCredentials, Op: p.session.op()}
		e.what = "the credentials it returned have no keys"
		return aws.Credentials{}, e
	}
	if p.temporaryOnly && creds.SessionToken == "" {
		return aws.Credentials{}, longTerm(*p.session.source)
	}
	if p.session.cache.stable && creds.CanExpire {
		if expiry := p.session.wire.instanceKeys.Load(); expiry != nil {
			creds.Expires = *expiry
		}
	}
	return creds, nil
}

// assumedRole is the last role that the profile or web identity went through.
func (p *baseProvider) assumedRole() *assumedRole { return p.session.wire.assumed.Load() }

// longTerm is WithTemporaryOnly's refusal.
func longTerm(src source) error {
	e := &Error{Kind: LongTermCredentials, Op: "WithTemporaryOnly"}
	e.what = fmt.Sprintf("%s has the long-lived access key %s", src, shortKey(src.keyID))
	if src.keyID == "" {
		e.what = fmt.Sprintf("%s has a long-lived access key", src)
	}
	return e.mend("assume a role with WithAccount or WithRoleARN, or start from temporary credentials (SSO, a role, a session token)")
}

// scrub copies the SDK's configuration sources without what is secret in them.
// Service clients read endpoints, FIPS, dual stack and such from there, never
// credentials; fmt prints every field.
func scrub(sources []any) []any {
	clean := make([]any, len(sources))
	for i, src := range sources {
		switch c := src.(type) {
		case config.EnvConfig:
			c.Credentials = aws.Credentials{}
			c.ContainerAuthorizationToken = ""
			clean[i] = c
		case config.SharedConfig:
			clean[i] = scrubProfile(c)
		case config.LoadOptions:
			c.Credentials = nil
			c.BearerAuthTokenProvider = nil
			clean[i] = c
		default:
			clean[i] = src
		}
	}
	return clean
}

func scrubProfile(c config.SharedConfig) config.SharedConfig {
	c.Credentials = aws.Credentials{}
	c.CredentialProcess = "" // its arguments may hold a secret
	c.ExternalID = ""
	c.Source = nil
	return c
}

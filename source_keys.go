package awsauth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// keySource are keys that are known now: of an option, or of the environment,
// where variable names them.
func keySource(kind sourceKind, c aws.Credentials, variable string) *source {
	s := &source{kind: kind, option: kind == sourceKeys, keyID: c.AccessKeyID, temporary: c.SessionToken != ""}
	s.detail = "access key " + redact.Key(c.AccessKeyID)
	s.kinds = []aws.CredentialSource{aws.CredentialSourceCode}
	if variable != "" {
		s.detail += " in " + variable
		s.kinds = []aws.CredentialSource{aws.CredentialSourceEnvVars}
	}
	c.Source = credentials.StaticCredentialsName
	if variable != "" {
		c.Source = config.CredentialsSourceName
	}
	s.open = func(*kit) (fetch, error) {
		return func(context.Context) (refresh.Issued, error) { return refresh.Issued{Credentials: c}, nil }, nil
	}
	return s
}

// refuser hears what services say of its keys: a Session.
type refuser interface {
	holder() holder
	accepted(keyID string)
	refused(ctx context.Context, keyID string, why refresh.Refusal) bool
}

// providerSource is the caller's own provider. It is asked directly: a cache round
// it would hand out what was refused, and would keep the context's deadline from
// it.
func providerSource(p aws.CredentialsProvider) *source {
	s := &source{kind: sourceProvider, option: true, asks: true, rereads: true, detail: fmt.Sprintf("%T", p)}
	if known, ok := p.(aws.CredentialProviderSource); ok {
		s.kinds = known.ProviderSources()
	}
	if other, ok := p.(refuser); ok {
		s.session, s.holder = true, other.holder()
		s.passOn = func(ctx context.Context, keyID string, why refresh.Refusal) { other.refused(ctx, keyID, why) }
	}
	s.open = func(*kit) (fetch, error) {
		return s.classified(func(ctx context.Context) (aws.Credentials, error) {
			if cached, ok := p.(*aws.CredentialsCache); ok {
				cached.Invalidate()
			}
			keys, err := p.Retrieve(ctx)
			var empty *credentials.StaticCredentialsEmptyError
			if static, ok := p.(credentials.StaticCredentialsProvider); ok && errors.As(err, &empty) {
				return static.Value, nil // of which it is told what is missing
			}
			return keys, err
		}, providerError), nil
	}
	return s
}

// profileKeySource are the keys of a profile. When a service refuses them the
// files are read again: another tool may have written new ones. What is written
// there by then must still be keys, else another identity would slip in.
func (l *look) profileKeySource(w way) *source {
	pair := l.keyPair(w.holder)
	s := &source{kind: sourceProfileKeys, rereads: true, keyID: pair.AccessKeyID.Text, temporary: pair.SessionToken.Text != ""}
	s.detail = "access key " + redact.Key(s.keyID) + " in " + redact.OneLine(pair.AccessKeyID.Path)
	s.kinds = []aws.CredentialSource{aws.CredentialSourceProfile}
	var first atomic.Pointer[aws.Credentials] // what was read when the session was made, for the first fetch
	read := credentialsOf(pair)
	first.Store(&read)
	s.open = func(*kit) (fetch, error) {
		return s.classified(func(context.Context) (aws.Credentials, error) {
			if c := first.Swap(nil); c != nil {
				return *c, nil
			}
			return l.keysAgain(w)
		}, providerError), nil
	}
	return s
}

// keysAgain are the keys that stand in the files by now. The way of the profile must
// be the same: to the same keys, and from there to the same roles.
func (l *look) keysAgain(before way) (aws.Credentials, error) {
	again := *l
	again.files = sharedfile.Read(l.configFiles, l.credentialsFiles)
	name := before.profiles[0]
	if !again.files.Has(name) {
		return aws.Credentials{}, again.notFound(name, "")
	}
	now, f := again.follow(name)
	if len(f) > 0 {
		return aws.Credentials{}, f.err()
	}
	keys := now.kind == sourceProfileKeys || now.kind == sourceConfigKeys
	if !keys || now.holder != before.holder || !slices.EqualFunc(now.roles, before.roles, func(a, b *roleSpec) bool { return a.arn == b.arn }) {
		e := invalid(fmt.Sprintf("profile %q", name), "has another way to its credentials than when the session was made")
		if !keys && now.kind != "" {
			e.what = fmt.Sprintf("had keys when the session was made, and now has another source (%s)", now.kind)
		}
		return aws.Credentials{}, e.mend("make a new session")
	}
	return credentialsOf(again.keyPair(now.holder)), nil
}

func credentialsOf(k sharedfile.KeyPair) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: k.AccessKeyID.Text, SecretAccessKey: k.SecretAccessKey.Text, SessionToken: k.SessionToken.Text,
		AccountID: k.AccountID.Text, Source: "SharedConfigCredentials: " + k.AccessKeyID.Path,
	}
}

// keyVariables are the variables of an access key, today's names and older ones.
func keyVariables() []string {
	return []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"}
}

// unfitEnvironment names the variable of a key that cannot be one.
func unfitEnvironment() error {
	for _, name := range keyVariables() {
		if what := unfit(os.Getenv(name)); what != "" {
			return invalid("", "%s in %s", what, name).mend("trim what was read from a file or a mounted secret")
		}
	}
	id, idName := firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	secret, secretName := firstEnv("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
	if swapped(id, secret) {
		return invalid("", "the two are swapped: %s has %s, which looks like an access key id", secretName, redact.Key(secret)).
			mend("exchange the values of %s and %s", idName, secretName)
	}
	return nil
}

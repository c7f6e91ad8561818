package awsauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// tokenSource is where a web identity token comes from.
type tokenSource struct {
	option stscreds.IdentityTokenRetriever // of WithWebIdentity, or
	path   string                          // a file
	from   string                          // the option, variable or key that says so
}

// name is what an error calls it.
func (t tokenSource) name() string {
	if t.path != "" {
		return redact.OneLine(t.path)
	}
	return t.from
}

// warnOfProfileRole tells of a profile whose role is not assumed since the variables of
// web identity come first, as in the SDK: the AWS CLI and boto3 assume it. On EKS the
// variables are set for all, and the profile on purpose.
func (l *look) warnOfProfileRole() {
	get := func(key string) string { return l.get(l.profile, key) }
	if get("role_arn") == "" || get("web_identity_token_file") != "" || get("source_profile")+get("credential_source") == "" {
		return
	}
	l.warn(fmt.Sprintf("the role of profile %q is not assumed, as AWS_WEB_IDENTITY_TOKEN_FILE comes first (boto3 and the AWS CLI assume it first); unset the variable to assume it", l.profile))
}

// GetIdentityToken gets the token anew.
func (t tokenSource) GetIdentityToken() ([]byte, error) {
	if t.option != nil {
		token, err := t.option.GetIdentityToken()
		if err == nil && len(bytes.TrimSpace(token)) == 0 {
			err = errors.New("the token is empty")
		}
		if err == nil {
			err = checkLength(token)
		}
		if err != nil {
			err = &noTokenError{err}
		}
		return token, err
	}
	token, err := readToken(t.path)
	if err == nil {
		if err = checkLength([]byte(token)); err != nil {
			err = &tokenFileError{t.path, err}
		}
	}
	return []byte(token), err
}

// retrieve is GetIdentityToken with a context.
func (t tokenSource) retrieve(context.Context) ([]byte, error) { return t.GetIdentityToken() }

const (
	maxToken    = 64 << 10 // bytes that are read of a token's file
	maxWebToken = 20_000   // characters of a web identity token that STS takes
)

// checkLength refuses a token that STS would. STS does not say which token it means.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func checkLength(token []byte) error {
	if n := utf8.RuneCount(token); n > maxWebToken {
		return tokenSizeError(fmt.Sprintf("the token has %d characters, and STS takes %d at most", n, maxWebToken))
	}
	return nil
}

// readToken reads a token, which is renewed in its file. White space round it belongs
// to the file, not to the token. What is no file might never end.
func readToken(path string) (string, error) {
	if err := checkRegular(path); err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", &tokenFileError{path, err}
	}
	defer file.Close()
	token, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err == nil && len(token) > maxToken {
		err = tokenSizeError(fmt.Sprintf("the file is larger than %d KiB, and no token is", maxToken>>10))
	}
	if err != nil {
		return "", &tokenFileError{path, err}
	}
	if token = bytes.TrimSpace(token); len(token) == 0 {
		return "", &tokenFileError{path, nil}
	}
	return string(token), nil
}

// webSource is a role that a web identity token opens.
func (l *look) webSource(spec *roleSpec, token tokenSource) *source {
	s := &source{kind: sourceWebIdentity, option: token.from == "WithWebIdentity", asks: true, chained: true}
	s.account = spec.arn.account
	s.opens, s.detail = spec, "token file "+token.name()
	s.kinds = []aws.CredentialSource{aws.CredentialSourceEnvVarsSTSWebIDToken}
	if token.option != nil {
		s.detail = fmt.Sprintf("token from %T", token.option)
		if _, ok := token.option.(githubToken); ok {
			s.detail = "token of the GitHub Actions job"
		}
	}
	if s.option {
		s.kinds = []aws.CredentialSource{aws.CredentialSourceSTSAssumeRoleWebID}
	}
	s.claims = []claim{{partition: spec.arn.partition, what: "role " + spec.arn.String() + " of " + token.from, role: true}}
	if token.path != "" && l.opts.WebIdentityRoleCredentialOptions == nil { // which may make another role session of it
		s.dear, s.lasting = true, func(ctx context.Context, _ *kit) ([]string, error) {
			text, err := once(ctx, token.retrieve)
			digest := sha256.Sum256(text)
			return []string{spec.key().String(), hex.EncodeToString(digest[:])}, err
		}
	}
	s.open = func(k *kit) (fetch, error) { return k.openWeb(s, spec, token) }
	return s
}

// openWeb applies config.WithWebIdentityRoleCredentialOptions, once.
func (k *kit) openWeb(s *source, spec *roleSpec, token tokenSource) (fetch, error) {
	o := stscreds.WebIdentityRoleOptions{
		RoleARN: spec.arn.String(), RoleSessionName: spec.sessionName, Duration: spec.duration, TokenRetriever: token,
		Policy: optional(spec.policy), PolicyARNs: policyARNs(spec.policyARNs),
	}
	if fn := k.opts.WebIdentityRoleCredentialOptions; fn != nil {
		fn(&o)
		if o.RoleARN != spec.arn.String() || o.Client != nil {
			return nil, invalid("config.WithWebIdentityRoleCredentialOptions", "RoleARN and Client are not the option's to set").
				mend("use WithWebIdentity for another role, and WithSTSEndpoint for another STS")
		}
	}
	if o.RoleSessionName == "" {
		o.RoleSessionName = names.DefaultSession()
	}
	call := stsCall{op: "assume role", target: o.RoleARN, by: k.by, web: true, token: token.name(),
		host: k.wire.host(k.at), region: k.wire.signedFor(k.at), durationName: spec.durationName}
	if o.Duration != 0 {
		call.duration = o.Duration.String()
	}
	return func(ctx context.Context) (refresh.Issued, error) {
		begun := call
		begun.started = time.Now()
		client := &webClient{kit: k, spec: spec, call: begun}
		now := o
		now.Client = client
		if from, ok := o.TokenRetriever.(tokenSource); ok {
			now.TokenRetriever = retriever(func() ([]byte, error) { return once(ctx, from.retrieve) })
		}
		provider := stscreds.NewWebIdentityRoleProvider(client, o.RoleARN, now.TokenRetriever, func(to *stscreds.WebIdentityRoleOptions) { *to = now })
		creds, err := provider.Retrieve(ctx)
		if err == nil {
			err = s.checkKeys(creds)
		}
		switch {
		case err == nil:
			return client.became.keys(creds), nil
		case client.called:
			return refresh.Issued{}, classifySTS(err, begun)
		}
		return refresh.Issued{}, sourceError(err, s.String(), func(e *Error) { webIdentityError(e, token.from) })
	}, nil
}

// retriever is a func that gets a web identity token.
type retriever func() ([]byte, error)

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (r retriever) GetIdentityToken() ([]byte, error) { return r() }

// webClient makes the one call of a refresh, and keeps what stscreds drops: who
// the caller has become.
type webClient struct {
	kit    *kit
	spec   *roleSpec
	call   stsCall
	called bool
	became assumed
}

// AssumeRoleWithWebIdentity implements the SDK's interface. The options of the
// library come last: the SDK's provider adds retries of a bad token, which would
// keep STS's own words from the caller for half a minute.
func (c *webClient) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, opts ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	c.called = true
	w := c.kit.wire
	out, err := w.client().AssumeRoleWithWebIdentity(ctx, in, append(opts, w.options(ctx, c.kit.at, nil, w.newRetryer(), &w.unsigned, c.call))...)
	if err != nil {
		return nil, err
	}
	c.became, err = readAssumed(out.AssumedRoleUser, c.spec.arn, w.host(c.kit.at))
	return out, err
}

// assumed is what STS says of a role session beside its keys; empty where it says
// nothing.
type assumed struct{ arn, userID string }

// readAssumed holds STS's answer against what was asked of it: another account or
// role is not believed, nor an ARN that no STS writes. An ARN that is not of AWS's
// form, as other implementations of STS send it, says nothing.
func readAssumed(u *types.AssumedRoleUser, asked roleARN, host string) (assumed, error) {
	if u == nil || u.Arn == nil {
		return assumed{}, nil
	}
	known, err := isRole(*u.Arn, asked, host)
	if err != nil || !known {
		return assumed{}, err
	}
	return assumed{*u.Arn, redact.OneLine(aws.ToString(u.AssumedRoleId))}, nil
}

// isRole reports whether an ARN that STS answers with is that of a session of the
// role asked for. It is an error if it is surely of somebody else, and not known if it
// is of another form. The path of a role is not in the ARN of its sessions.
func isRole(arn string, asked roleARN, host string) (known bool, err error) {
	got, ok := parseSessionARN(arn)
	if !ok && names.IsPrintable(arn) {
		return false, nil
	}
	if got.partition != asked.partition || got.account != asked.account || got.name != asked.base() {
		e := &Error{Kind: Unreachable, Op: "assume role", Target: asked.String()}
		e.what = "the answer of " + host + " is for another role (" + redact.OneLine(arn) + ")"
		return false, e.mend(checkEndpoints)
	}
	return true, nil
}

// keys are the keys that came with the answer. The SDK reads the account off the ARN,
// whatever its form.
func (a assumed) keys(c aws.Credentials) refresh.Issued {
	if a.arn == "" {
		c.AccountID = ""
	}
	return refresh.Issued{Credentials: c, ARN: a.arn, UserID: a.userID}
}

// webRole is a role that a token opens. Its ARN was checked.
func (l *look) webRole(arn string) *roleSpec {
	parsed, _ := parseRoleARN(arn)
	return &roleSpec{arn: parsed, durationName: "the duration"}
}

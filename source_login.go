package awsauth

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// ssoSource signs in with SSO, by the login that a person began with the AWS CLI.
func (l *look) ssoSource(w way) (*source, error) {
	if err := l.checkEndpoints("sso", "sso_oidc"); err != nil {
		return nil, err
	}
	region, name, startURL := l.ssoRegion(w.holder)
	token, err := ssocreds.StandardCachedTokenFilepath(name)
	if err != nil {
		return nil, &Error{Kind: InvalidOption, Op: fmt.Sprintf("profile %q", w.holder), Err: redact.Error(err), Hint: "set HOME: the login is kept below it"}
	}
	if !filepath.IsAbs(token) {
		return nil, invalid(fmt.Sprintf("profile %q", w.holder), "the home directory, below which the login is kept, is not an absolute path").mend("set HOME to one")
	}
	session := l.get(w.holder, "sso_session") != ""
	s := &source{kind: w.kind, asks: true, local: true, chained: true, detail: fmt.Sprintf("SSO session %q", redact.OneLine(name))}
	if p, ok := PartitionOf(region); ok {
		s.claims = []claim{{partition: p, what: fmt.Sprintf("sso_region %s of profile %q", region, w.holder)}}
	}
	s.kinds = l.ssoKinds(w.holder, session)
	if w.kind == sourceSSOToken {
		s.open = func(*kit) (fetch, error) { return s.tokenOnly(w.holder), nil }
		return s, nil
	}
	account, role := l.get(w.holder, "sso_account_id"), l.get(w.holder, "sso_role_name")
	if l.opts.SSOProviderOptions == nil { // which may ask for another role
		s.account, s.dear = account, true
		asked, _ := l.serviceEndpoint("sso") // a local one gives other keys
		s.lasting = func(ctx context.Context, k *kit) ([]string, error) {
			file := ssoTokenFile(token)
			if session && file.due() { // another token would stand for another login
				if _, err := l.oneToken(file, newTokenProvider(k.cfg, k.opts.SSOTokenProviderOptions, region, token)).RetrieveBearerToken(ctx); err != nil {
					return nil, err
				}
			}
			login, err := loginDigest(token)
			return []string{region, startURL, account, role, login, asked.url}, err
		}
	}
	facts := ssoSession{w.profiles[0], name, w.holder, token}
	s.open = func(k *kit) (fetch, error) {
		opts := []func(*ssocreds.Options){k.opts.SSOProviderOptions}
		if session {
			opts = append(opts, func(o *ssocreds.Options) {
				o.SSOTokenProvider, o.CachedTokenFilepath = newTokenProvider(k.cfg, k.opts.SSOTokenProviderOptions, region, token), token
			})
		}
		if opts[0] == nil {
			opts = opts[1:]
		}
		provider := ssocreds.New(ssoPortal{sso.NewFromConfig(inRegion(k.cfg, region), func(o *sso.Options) {
			if o.BaseEndpoint != nil {
				o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = noFIPS()
			}
		})}, account, role, startURL, opts...)
		return s.classified(l.oneAtATime(ssoTokenFile(token), provider.Retrieve), func(e *Error) { ssoError(e, facts) }), nil
	}
	return s, nil
}

// ssoPortal is where a token is traded for keys. It makes an error of an answer without
// keys, over which the SDK's provider would panic.
type ssoPortal struct {
	ssocreds.GetRoleCredentialsAPIClient
}

// GetRoleCredentials implements the interface of the SDK's provider.
func (p ssoPortal) GetRoleCredentials(ctx context.Context, in *sso.GetRoleCredentialsInput, opts ...func(*sso.Options)) (*sso.GetRoleCredentialsOutput, error) {
	out, err := p.GetRoleCredentialsAPIClient.GetRoleCredentials(ctx, in, opts...)
	if err == nil && out.RoleCredentials == nil {
		return nil, errNoKeys
	}
	return out, err
}

// ssoKinds is what the SDK reports of it.
func (l *look) ssoKinds(profile string, session bool) (kinds []aws.CredentialSource) {
	kinds = []aws.CredentialSource{aws.CredentialSourceSSO}
	for _, key := range []string{"sso_region", "sso_account_id", "sso_start_url", "sso_role_name"} {
		if l.get(profile, key) != "" {
			kinds = []aws.CredentialSource{aws.CredentialSourceProfileSSOLegacy, aws.CredentialSourceSSOLegacy}
		}
	}
	if session {
		kinds = append(kinds, aws.CredentialSourceProfileSSO)
	}
	return kinds
}

// tokenOnly is the error of a profile that signs in but names no role: it serves
// services that take the token itself.
func (s *source) tokenOnly(profile string) fetch {
	return func(context.Context) (refresh.Issued, error) {
		e := &Error{Kind: NoCredentials, Op: fmt.Sprintf("profile %q", profile), what: "signs in with SSO but names no account and role, so it gives a token and no keys"}
		return refresh.Issued{}, e.mend("add sso_account_id and sso_role_name to the profile")
	}
}

// newTokenProvider renews the token of an SSO login, where SSO is.
func newTokenProvider(cfg aws.Config, fn func(*ssocreds.SSOTokenProviderOptions), region, file string) *ssocreds.SSOTokenProvider {
	client := ssooidc.NewFromConfig(inRegion(cfg, region), func(o *ssooidc.Options) {
		if o.BaseEndpoint != nil {
			o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = noFIPS()
		}
	})
	if fn == nil {
		return ssocreds.NewSSOTokenProvider(client, file)
	}
	return ssocreds.NewSSOTokenProvider(client, file, fn)
}

// noFIPS turns both off: the SDK refuses them together with an address that was
// chosen.
func noFIPS() (aws.FIPSEndpointState, aws.DualStackEndpointState) {
	return aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled
}

func inRegion(cfg aws.Config, region string) aws.Config {
	cfg.Region = region
	return cfg
}

// loginSource is a sign-in of `aws login`. It is renewed in the profile's region,
// else in the session's.
func (l *look) loginSource(w way) (*source, error) {
	if err := l.checkEndpoints("signin"); err != nil {
		return nil, err
	}
	file, err := logincreds.StandardCachedTokenFilepath(l.get(w.holder, "login_session"), os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"))
	if err != nil {
		return nil, &Error{Kind: InvalidOption, Op: fmt.Sprintf("profile %q", w.holder), Err: redact.Error(err), Hint: "set HOME, or AWS_LOGIN_CACHE_DIRECTORY"}
	}
	if !filepath.IsAbs(file) && os.Getenv("AWS_LOGIN_CACHE_DIRECTORY") == "" {
		return nil, invalid(fmt.Sprintf("profile %q", w.holder), "the home directory, below which the login is kept, is not an absolute path").mend("set HOME to one")
	}
	region := l.get(w.holder, "region")
	s := &source{kind: sourceLogin, asks: true, local: true, detail: "login"}
	s.kinds = []aws.CredentialSource{aws.CredentialSourceProfileLogin, aws.CredentialSourceLogin}
	s.lasting = func(context.Context, *kit) ([]string, error) {
		_, err := os.Stat(file) // which `aws logout` removes
		return []string{l.get(w.holder, "login_session")}, err
	}
	s.open = func(k *kit) (fetch, error) {
		cfg := inRegion(k.cfg, k.at.region)
		if p, ok := PartitionOf(region); ok && p == k.at.partition {
			cfg.Region = region
		}
		client := signin.NewFromConfig(cfg, func(o *signin.Options) {
			if o.BaseEndpoint != nil {
				o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = noFIPS()
			}
		})
		retrieve := func(ctx context.Context, file string) (aws.Credentials, error) {
			if err := checkLogin(file); err != nil {
				return aws.Credentials{}, err
			}
			return logincreds.New(client, file).Retrieve(ctx)
		}
		return s.classified(l.renewedLogin(loginTokenFile(file), cfg.RestrictFilePermissions == aws.RestrictFilePermissionsUnrestricted, retrieve), func(e *Error) { loginError(e, w.holder, file) }), nil
	}
	return s, nil
}

// checkEndpoints holds the addresses that variables and the profile give for
// services that are asked for keys to the rule of STS's: a token is sent there.
func (l *look) checkEndpoints(services ...string) error {
	if l.ignoresEndpoints() {
		return nil
	}
	for _, service := range services {
		variable := "AWS_ENDPOINT_URL_" + strings.ToUpper(service)
		_, own := l.profileEndpoints(service)
		for _, e := range []endpoint{{os.Getenv(variable), variable}, own} {
			if e.url == "" {
				continue
			}
			if err := e.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// processSource runs a credential_process.
func (l *look) processSource(w way) *source {
	command := l.get(w.holder, "credential_process")
	s := &source{kind: sourceProcess, asks: true, rereads: true, detail: "credential_process", noted: l.get(w.holder, "aws_account_id")}
	s.kinds = []aws.CredentialSource{aws.CredentialSourceProfileProcess, aws.CredentialSourceProcess}
	s.open = func(k *kit) (fetch, error) {
		opts := []func(*processcreds.Options){}
		if k.opts.ProcessCredentialOptions != nil {
			opts = append(opts, k.opts.ProcessCredentialOptions)
		}
		return s.classified(func(ctx context.Context) (aws.Credentials, error) {
			creds, err := processcreds.NewProvider(command, opts...).Retrieve(ctx)
			creds.AccountID = cmp.Or(creds.AccountID, s.noted)
			return creds, err
		}, processError), nil
	}
	return s
}

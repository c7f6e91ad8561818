package awsauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/defaults"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// loaded is what the SDK makes of the settings: everything but whose credentials
// they are.
type loaded struct {
	cfg       aws.Config     // for clients of the session's Config
	own       aws.HTTPClient // for the library's own calls, on the same connections
	metadata  func() *imds.Client
	container aws.HTTPClient
}

// How the SDK renews bearer tokens.
const (
	tokenLead    = 5 * time.Minute
	tokenTimeout = 30 * time.Second
)

// noCredentials stands in for the credentials while the SDK loads: whose they are
// is decided already.
type noCredentials struct{}

func (noCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("no credentials")
}

// load lets the SDK load region, retries, endpoints and all other settings.
func (l *look) load(quiet logging.Logger, silent bool) (*loaded, error) {
	opts := l.opts
	opts.Credentials = noCredentials{}
	opts.SharedConfigProfile = l.profile
	if l.namedBy == "" {
		opts.SharedConfigProfile = "" // the SDK asks that a named profile is there
	}
	opts.SharedConfigFiles, opts.SharedCredentialsFiles = l.configFiles, l.credentialsFiles
	if l.settings.region != "" {
		opts.Region = l.settings.region
	}
	opts.UseEC2IMDSRegion = nil // locate asks, for a bounded time
	if opts.BearerAuthTokenProvider == nil {
		opts.BearerAuthTokenCacheOptions = nil // bearer applies them, once
	}
	if opts.DefaultsModeOptions.IMDSClient == nil && l.autoMode() {
		opts.DefaultsModeOptions.IMDSClient = imds.New(imds.Options{ClientEnableState: imds.ClientDisabled}) // decided without a call
	}
	custom := opts.HTTPClient
	if _, buildable := custom.(*awshttp.BuildableClient); custom != nil && !buildable {
		opts.HTTPClient = nil // the SDK can add a CA bundle (AWS_CA_BUNDLE) to no client but its own, and fails
	} else {
		custom = nil
	}
	if opts.Logger == nil && !silent {
		opts.Logger = quiet
	}
	if err := l.checkBundle(); err != nil {
		return nil, err
	}
	cfg, err := l.loadConfig(&opts)
	if err != nil {
		return nil, l.loadError(err)
	}
	cfg.Credentials = nil
	cfg.ConfigSources = redact.ConfigSources(cfg.ConfigSources)
	r := l.clients(cfg, custom, opts.HTTPClient != nil, quiet)
	r.cfg.BearerAuthTokenProvider = l.bearer(cfg.BearerAuthTokenProvider, r, quiet)
	return r, nil
}

// loadConfig gives the SDK the real files. Where it reads them otherwise than this
// package, or refuses what this package accepts, it gets a copy of the profile in
// force instead, without what says who one is. (It checks that even where it is
// given the credentials.)
func (l *look) loadConfig(opts *config.LoadOptions) (aws.Config, error) {
	load := func(o config.LoadOptions) (aws.Config, error) {
		return config.LoadDefaultConfig(context.Background(), func(into *config.LoadOptions) error { *into = o; return nil })
	}
	differs := l.files.Quoted(l.profile) || len(l.files.Problems(l.profile)) > 0 ||
		len(l.configFiles)+len(l.credentialsFiles) == 0 && l.namedBy != ""
	if !differs {
		if cfg, err := load(*opts); err == nil || !l.files.Has(l.profile) {
			return cfg, err
		}
	}
	copied := *opts
	const name = "settings"
	text := l.files.Extract(l.profile, name, isSetting)
	if !l.files.Has(l.profile) {
		text = "[profile " + name + "]\n" // the SDK asks that a named profile is there
	}
	path, err := writeCopy(text)
	if err != nil {
		return aws.Config{}, err
	}
	defer os.Remove(path)
	copied.SharedConfigFiles, copied.SharedCredentialsFiles, copied.SharedConfigProfile = []string{path}, []string{}, name
	return load(copied)
}

// isSetting reports whether a key may stand in the copy: it says nothing of who one
// is, and is not such a key misspelt.
func isSetting(key string) bool {
	secret := strings.HasPrefix(key, "aws_") || strings.Contains(key, "secret") || strings.Contains(key, "token")
	return !secret && !sharedfile.IsIdentity(key)
}

// writeCopy writes a file that only this user can read.
func writeCopy(text string) (string, error) {
	f, err := os.CreateTemp("", "awsauth-*")
	if err != nil {
		return "", invalid("TMPDIR", "no temporary file can be made for the profile's settings: %s", redact.OneLine(err.Error())).
			mend("set TMPDIR to a directory that this user can write")
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// clients makes the HTTP clients: a client of the caller's own is the one that
// asks, and else a pool.
func (l *look) clients(cfg aws.Config, custom aws.HTTPClient, callers bool, quiet logging.Logger) *loaded {
	r := &loaded{cfg: cfg}
	base, _ := cfg.HTTPClient.(*awshttp.BuildableClient) // with the CA bundle, if there is one
	o := transport.PoolOptions{Base: base, Callers: callers, Mode: defaultsMode(&cfg)}
	forMetadata := cfg
	forMetadata.Logger, forMetadata.ClientLogMode = quiet, cfg.ClientLogMode&harmlessLogs
	if custom != nil {
		r.cfg.HTTPClient, r.own = custom, transport.Own(custom)
		forMetadata.HTTPClient = r.own
	} else {
		pool := transport.NewPool(o)
		r.cfg.HTTPClient, r.own = pool, pool.Own()
		forMetadata.HTTPClient = transport.Metadata(o)
	}
	r.container = transport.Container(o)
	r.metadata = sync.OnceValue(func() *imds.Client {
		// The client's own retryer serves to get the token alone. Tried once, it
		// leaves time for the question itself, by IMDSv1: in a container with a
		// hop limit of 1 the token never comes.
		return imds.NewFromConfig(forMetadata, func(o *imds.Options) { o.Retryer = aws.NopRetryer{} })
	})
	return r
}

// defaultsMode is the mode in force, with "auto" decided.
func defaultsMode(cfg *aws.Config) aws.DefaultsMode {
	if cfg.DefaultsMode == aws.DefaultsModeAuto {
		return defaults.ResolveDefaultsModeAuto(cfg.Region, cfg.RuntimeEnvironment)
	}
	return cfg.DefaultsMode
}

// bearer is the provider of bearer tokens: the caller's own, or that of the
// profile's SSO session, which is renewed where SSO is. fmt prints the tokens
// that the SDK's provider holds, so it is hidden in a func.
func (l *look) bearer(given bearer.TokenProvider, r *loaded, quiet logging.Logger) bearer.TokenProvider {
	if l.opts.BearerAuthTokenProvider == nil {
		given = nil
		region, name, _ := l.ssoRegion(l.profile)
		if l.get(l.profile, "sso_session") != "" && region != "" {
			if file, err := ssocreds.StandardCachedTokenFilepath(name); err == nil {
				cfg := r.cfg
				cfg.HTTPClient, cfg.Logger, cfg.ClientLogMode = r.own, quiet, cfg.ClientLogMode&harmlessLogs
				given = bearer.NewTokenCache(l.oneToken(ssoTokenFile(file), newTokenProvider(cfg, l.opts.SSOTokenProviderOptions, region, file)), l.bearerCache()...)
			}
		}
	}
	if given == nil {
		return nil
	}
	return bearer.TokenProviderFunc(given.RetrieveBearerToken)
}

// bearerCache are the SDK's settings for such tokens.
func (l *look) bearerCache() []func(*bearer.TokenCacheOptions) {
	opts := []func(*bearer.TokenCacheOptions){func(o *bearer.TokenCacheOptions) {
		o.RefreshBeforeExpires = tokenLead
		o.RetrieveBearerTokenTimeout = tokenTimeout
	}}
	if l.opts.BearerAuthTokenCacheOptions != nil {
		opts = append(opts, l.opts.BearerAuthTokenCacheOptions)
	}
	return opts
}

// loadError puts the SDK's refusal to load into this package's words.
func (l *look) loadError(err error) error {
	if e := deepest(err); e != nil {
		return e
	}
	if e := l.bundleError(err); e != nil {
		return e
	}
	if e := l.settingError(err); e != nil {
		return e
	}
	op := fmt.Sprintf("settings of profile %q", l.profile)
	if !l.files.Has(l.profile) {
		op = "settings"
	}
	return (&Error{Kind: InvalidOption, Op: op, Err: redact.Error(err)}).mend("correct what the SDK names, in the profile, the environment or WithLoadOptions")
}

// bundle is the file of the CA bundle that the SDK reads, and what named it.
func (l *look) bundle() (path, said string) {
	if path := l.env.CustomCABundle; path != "" {
		return path, "AWS_CA_BUNDLE"
	}
	return l.get(l.profile, "ca_bundle"), l.at(l.profile, "ca_bundle")
}

const mendBundle = "name a file with the authorities' certificates in PEM form"

// checkBundle refuses a bundle whose reading may never end, as that of a pipe.
func (l *look) checkBundle() error {
	path, said := l.bundle()
	if l.opts.CustomCABundle != nil {
		return nil // and the SDK opens no other
	}
	if info, err := os.Stat(path); path != "" && err == nil && !info.Mode().IsRegular() {
		return invalid(said, "%s is not a regular file", redact.OneLine(path)).mend(mendBundle)
	}
	return nil
}

// bundleError is the error for a CA bundle that the SDK cannot use, nil if err
// is of something else.
func (l *look) bundleError(err error) error {
	path, said := l.bundle()
	e := &Error{Kind: InvalidOption, Op: said, Err: redact.Error(err), Hint: mendBundle}
	var file *fs.PathError
	switch {
	case path != "" && errors.As(err, &file) && file.Path == path:
		e.what = fmt.Sprintf("%s cannot be read: %v", redact.OneLine(path), file.Err)
	case path != "" && strings.Contains(err.Error(), "custom CA bundle PEM file"):
		e.what = redact.OneLine(path) + " holds no certificate"
	default:
		return nil
	}
	return e
}

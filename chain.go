package awsauth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// sourceKind is a place that credentials come from.
type sourceKind string

const (
	sourceKeys        sourceKind = "static keys"
	sourceProvider    sourceKind = "provider"
	sourceEnvironment sourceKind = "environment"
	sourceWebIdentity sourceKind = "web identity"
	sourceProfileKeys sourceKind = "profile keys"
	sourceSSO         sourceKind = "SSO"
	sourceLogin       sourceKind = "login"
	sourceProcess     sourceKind = "process"
	sourceContainer   sourceKind = "container"
	sourceEC2         sourceKind = "EC2"
)

// source is where a base identity comes from, as the SDK's chain decides it.
// It is read off the configuration, so that it is known before any call.
type source struct {
	kind    sourceKind
	profile string    // the profile that led there, "" if none did
	via     string    // the source profile that has the keys, where it is another
	option  bool      // an option named it, not the environment or a default
	hops    []roleARN // roles that the profile or the web identity assumes, in order
	keyID   string    // of the keys, where they are known offline
	longKey bool      // a key without session token
	absent  bool      // the profile has no credentials: the SDK goes on to container and EC2
}

// String says it for people: `profile "ops"`, "environment", "EC2".
func (s source) String() string {
	switch {
	case s.profile == "":
		return string(s.kind)
	case s.kind == sourceProfileKeys:
		return fmt.Sprintf("profile %q", s.profile)
	}
	return fmt.Sprintf("profile %q (%s)", s.profile, s.kind)
}

// holder is the profile that says how to log in: the source profile where there
// is one.
func (s source) holder() string {
	if s.via != "" {
		return s.via
	}
	return s.profile
}

// roleSession reports whether the credentials are surely those of a role that
// STS counts as a link of a chain. Of EC2 and containers it does not say so.
func (s source) roleSession() bool {
	return len(s.hops) > 0 || s.kind == sourceWebIdentity || s.kind == sourceSSO
}

// base is who a session starts as, before any role option.
type base struct {
	cfg    aws.Config // what the SDK loaded; its credentials are the SDK's provider
	source source
	env    config.EnvConfig
	shared config.SharedConfig
	opts   config.LoadOptions // what WithLoadOptions said
	files  sharedFiles
	wire   *wire
}

// lookAround reads what New goes by, the environment and the shared files, and
// returns all that is wrong with it. Nothing is loaded yet.
func lookAround(s *settings) (*base, faults) {
	b := &base{wire: newWire(s)}
	for _, fn := range s.load {
		if err := fn(&b.opts); err != nil {
			return nil, faults{&Error{Kind: InvalidOption, Op: "WithLoadOptions", Err: err}}
		}
	}
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil, faults{&Error{Kind: InvalidOption, Op: "environment", Err: err, Hint: "correct or unset the variable"}}
	}
	b.env = env
	f := s.adopt(&b.opts)
	f.add(checkContainer(env.ContainerCredentialsEndpoint))
	f.add(checkEndpointVariables())
	f.add(agree(s.claims(), s.region))
	return b, append(f, b.checkSources(s)...)
}

// find loads the base identity: profile, else keys, else a provider, else the
// SDK's default chain; then partition and region.
func (b *base) find(s *settings) (place, error) {
	if err := b.load(s); err != nil {
		return place{}, err
	}
	b.source = b.findSource(s)
	var f faults
	switch {
	case s.profile != "" && b.source.absent:
		f.add(b.emptyProfile(s.profile))
	case s.temporaryOnly && b.source.longKey && !s.role.given():
		f.add(longTerm(b.source))
	}
	if b.source.roleSession() {
		f.add(checkChained(s.role.duration))
	}
	p, err := b.locate(s, len(f) == 0)
	f.add(err)
	if len(f) == 0 && b.source.kind == sourceLogin && b.cfg.Region != p.region {
		b.opts.Region = p.region // the SDK signs in there
		f.add(b.load(s))
	}
	return p, f.err()
}

// adopt takes credentials, profile and region that came by WithLoadOptions for
// this package's own options where those were not given.
func (s *settings) adopt(o *config.LoadOptions) (f faults) {
	if s.profile == "" && !s.keys.given() && s.provider == nil && o.Credentials == nil {
		s.profile = o.SharedConfigProfile // else it is for its region and settings only
	}
	if s.provider == nil {
		s.provider = o.Credentials
	}
	if s.region == "" && o.Region != "" {
		s.region = o.Region
		if err := checkRegion(o.Region); err != nil {
			f.bad("config.WithRegion", o.Region, "%v", err)
		}
	}
	return f
}

// profileName is the profile in force, and what named it ("" for the default).
func (b *base) profileName(s *settings) (name, namedBy string) {
	if s.profile != "" {
		return s.profile, "WithProfile"
	}
	if name := b.opts.SharedConfigProfile; name != "" {
		return name, "config.WithSharedConfigProfile"
	}
	for _, v := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := os.Getenv(v); name != "" {
			return name, v
		}
	}
	return "default", ""
}

// checkSources looks over the environment and the shared files for what is
// half there, which must never let the next source have its turn.
func (b *base) checkSources(s *settings) (f faults) {
	chain := s.profile == "" && !s.keys.given() && s.provider == nil
	f.add(checkEnvironment(chain))
	name, namedBy := b.profileName(s)
	fromEnv := chain && (b.env.Credentials.HasKeys() || b.env.WebIdentityTokenFilePath != "")
	asked := s.profile != "" || chain && !fromEnv // the profile gives the credentials
	b.files = readSharedFiles(b.sharedPaths())
	f = append(f, b.files.check(asked || namedBy != "")...)
	if len(f) > 0 {
		return f
	}
	switch {
	case !b.files.has(name) && namedBy != "":
		from := ""
		if s.profile == "" {
			from = " (from " + namedBy + ")"
		}
		f.add(b.files.notFound(name, from))
	case asked:
		f = append(f, b.files.checkProfile(name)...)
		if v, _ := b.files.lookup(name, "credential_source"); v.text == "Environment" && !b.env.Credentials.HasKeys() {
			f.add(invalid(b.files.place(name, "credential_source"), "profile %q takes its keys from the environment, which has none", name).
				mend("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
		}
	}
	if chain && !asked && b.env.WebIdentityTokenFilePath != "" && !b.env.Credentials.HasKeys() {
		f.add(checkWebIdentity(b.env.RoleARN))
	}
	return f
}

// sharedPaths are the shared files that the SDK will read.
func (b *base) sharedPaths() (configFiles, credentialsFiles []string) {
	configFiles, credentialsFiles = config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles
	if p := b.env.SharedConfigFile; p != "" {
		configFiles = []string{p}
	}
	if p := b.env.SharedCredentialsFile; p != "" {
		credentialsFiles = []string{p}
	}
	if p := b.opts.SharedConfigFiles; p != nil {
		configFiles = p
	}
	if p := b.opts.SharedCredentialsFiles; p != nil {
		credentialsFiles = p
	}
	return configFiles, credentialsFiles
}

// load lets the SDK load its configuration, with the identity that the options
// chose put in front.
func (b *base) load(s *settings) error {
	opts := b.opts
	opts.Credentials = nil
	if s.profile != "" {
		opts.SharedConfigProfile = s.profile
	}
	if s.region != "" {
		opts.Region = s.region
	}
	if s.profile == "" {
		switch {
		case s.keys.given():
			opts.Credentials = credentials.NewStaticCredentialsProvider(s.keys.id, s.keys.secret, s.keys.token)
		case s.provider != nil:
			opts.Credentials = s.provider
		}
	}
	if opts.DefaultsModeOptions.IMDSClient == nil && b.autoMode(s) {
		opts.DefaultsModeOptions.IMDSClient = imds.New(imds.Options{ClientEnableState: imds.ClientDisabled}) // decided without a call
	}
	b.wire.hook(&opts)
	cfg, err := config.LoadDefaultConfig(context.Background(), func(o *config.LoadOptions) error { *o = opts; return nil })
	if err != nil {
		return b.loadError(s, err)
	}
	b.cfg = cfg
	b.wire.adopt(&b.cfg, b.opts)
	for _, src := range cfg.ConfigSources {
		if shared, ok := src.(config.SharedConfig); ok {
			b.shared = shared
		}
	}
	for sc := &b.shared; sc != nil; sc = sc.Source {
		if d := sc.RoleDurationSeconds; d != nil && sc.RoleARN != "" {
			b.wire.setDuration(sc.RoleARN, *d)
		}
	}
	return nil
}

// autoMode reports whether the SDK would ask the instance for its region, to
// choose timeouts and retries by.
func (b *base) autoMode(s *settings) bool {
	name, _ := b.profileName(s)
	mode, _ := b.files.lookup(name, "defaults_mode")
	return b.opts.DefaultsModeOptions.Mode == aws.DefaultsModeAuto || b.env.DefaultsMode == aws.DefaultsModeAuto ||
		strings.EqualFold(mode.text, string(aws.DefaultsModeAuto))
}

// loadError puts the SDK's refusal to load into this package's words.
func (b *base) loadError(s *settings, err error) error {
	name, _ := b.profileName(s)
	var needsCode config.AssumeRoleTokenProviderNotSetError
	if errors.As(err, &needsCode) {
		e := &Error{Kind: MFARequired, Err: err}
		e.what = fmt.Sprintf("profile %q requires MFA", name)
		if serial, _ := b.files.lookup(name, "mfa_serial"); serial.text != "" {
			e.what += " with " + serial.text
		}
		return e.mend("use a profile without mfa_serial, or pass a token provider with WithLoadOptions(config.WithAssumeRoleCredentialOptions(…))")
	}
	if e := b.bundleError(name, err); e != nil {
		return e
	}
	e := &Error{Kind: InvalidOption, Op: fmt.Sprintf("profile %q", name), Err: err}
	var noProfile config.SharedConfigProfileNotExistError
	if errors.As(err, &noProfile) {
		e = b.files.notFound(noProfile.Profile, "")
		e.Err = err
	}
	var empty config.SharedConfigAssumeRoleError
	if errors.As(err, &empty) && noProfile.Profile == "" {
		e.what = fmt.Sprintf("the source profile %q has no credentials", empty.Profile)
		return e.mend("add keys, sso_session, credential_process or a role with a source to it, or name another source_profile")
	}
	return e
}

// findSource reads off what the SDK will do, in the order in which it decides.
func (b *base) findSource(s *settings) source {
	name, namedBy := b.profileName(s)
	src := source{option: true}
	switch {
	case s.profile != "":
		src.profile = name
		src.followProfile(&b.shared, &b.env)
	case s.keys.given():
		src.kind, src.keyID, src.longKey = sourceKeys, s.keys.id, s.keys.token == ""
	case s.provider != nil:
		src.kind = sourceProvider
	case b.env.Credentials.HasKeys():
		src = source{kind: sourceEnvironment, keyID: b.env.Credentials.AccessKeyID, longKey: b.env.Credentials.SessionToken == ""}
	case b.env.WebIdentityTokenFilePath != "":
		src = source{kind: sourceWebIdentity}
		src.addHop(b.env.RoleARN)
	default:
		src = source{}
		if namedBy != "" || b.files.has(name) {
			src.profile = name
		}
		src.followProfile(&b.shared, &b.env)
		if src.absent {
			src.profile = ""
		}
	}
	return src
}

// emptyProfile is the error for a profile that was asked for by name and says
// nothing of credentials: to go on to the container's or the instance's would
// be another identity than the one named.
func (b *base) emptyProfile(name string) error {
	e := &Error{Kind: NoCredentials, Op: fmt.Sprintf("profile %q", name), also: []Kind{InvalidOption}}
	e.what = "has no credentials in " + b.files.paths()
	return e.mend("add keys, sso_session, credential_process, or role_arn with source_profile or credential_source; " +
		"to use it for its region only, set AWS_PROFILE instead of WithProfile")
}

// followProfile mirrors the SDK's way through a profile.
func (s *source) followProfile(sc *config.SharedConfig, env *config.EnvConfig) {
	switch {
	case sc.Source != nil:
		s.via = sc.Source.Profile
		s.followProfile(sc.Source, env)
	case sc.Credentials.HasKeys():
		s.kind, s.keyID, s.longKey = sourceProfileKeys, sc.Credentials.AccessKeyID, sc.Credentials.SessionToken == ""
	case sc.CredentialSource != "":
		s.kind = map[string]sourceKind{"Environment": sourceEnvironment, "EcsContainer": sourceContainer,
			"Ec2InstanceMetadata": sourceEC2}[sc.CredentialSource]
		if s.kind == sourceEnvironment {
			s.keyID = env.Credentials.AccessKeyID
		}
	case sc.WebIdentityTokenFile != "":
		s.kind = sourceWebIdentity
	case sc.SSOSessionName != "" || sc.SSORegion != "" || sc.SSOAccountID != "" || sc.SSOStartURL != "" || sc.SSORoleName != "":
		s.kind = sourceSSO
	case sc.LoginSession != "":
		s.kind = sourceLogin
	case sc.CredentialProcess != "":
		s.kind = sourceProcess
	case env.ContainerCredentialsRelativePath != "" || env.ContainerCredentialsEndpoint != "":
		s.kind, s.absent = sourceContainer, true
	default:
		s.kind, s.absent = sourceEC2, true
	}
	s.addHop(sc.RoleARN)
}

// addHop notes a role that the profile assumes. The ARN was checked before.
func (s *source) addHop(arn string) {
	if r, err := parseRoleARN(arn); err == nil {
		s.hops = append(slices.Clip(s.hops), r)
		s.longKey = false
	}
}

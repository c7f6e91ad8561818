package awsauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// look is all that New goes by: what the options say, the environment, and the
// shared files, read once.
type look struct {
	settings *settings
	opts     config.LoadOptions // what WithLoadOptions said
	env      config.EnvConfig
	files    *sharedfile.Files

	configFiles, credentialsFiles []string // never nil

	strays faults // names of files that are hardly meant
	barred string // a file in another user's home, which is not read; ""

	profile  string // in force: its settings hold, whoever supplies the credentials
	namedBy  string // the option or variable that named it, "" for "default"
	warnings []string
}

// lookAround reads them. What is wrong with an option, a variable or a path is a
// fault; what is wrong in the files depends on whether they decide.
func lookAround(s *settings) (*look, faults) {
	l := &look{settings: s}
	for _, fn := range s.load {
		if err := fn(&l.opts); err != nil {
			return nil, faults{&Error{Kind: InvalidOption, Op: "WithLoadOptions", Err: redact.Error(err)}}
		}
	}
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil, faults{&Error{Kind: InvalidOption, Op: "environment", Err: redact.Error(err), Hint: "correct or unset the variable"}}
	}
	l.env = env
	if c := &l.env.Credentials; c.SessionToken == "" && !strings.HasPrefix(c.AccessKeyID, "AKIA") { // which has none
		c.SessionToken = os.Getenv("AWS_SECURITY_TOKEN") // the older name, which boto3 reads too
	}
	f := l.adopt()
	l.profile, l.namedBy = l.profileName(s.profile)
	if other := os.Getenv("AWS_DEFAULT_PROFILE"); l.namedBy == "AWS_PROFILE" && other != "" && other != l.profile {
		l.warn("AWS_PROFILE and AWS_DEFAULT_PROFILE name two profiles: the first counts here, the second in boto3")
	}
	paths := l.findFiles()
	f = append(f, paths...)
	if len(paths) == 0 {
		l.files = sharedfile.Read(l.configFiles, l.credentialsFiles)
	} else {
		l.files = sharedfile.Read(nil, nil)
	}
	return l, f
}

// adopt takes credentials, profile and region that came by WithLoadOptions for
// this package's own options where those were not given.
func (l *look) adopt() (f faults) {
	s, o := l.settings, &l.opts
	if s.profile == "" && !s.keys.given() && !s.provider.given && !s.web.given && !s.anywhere.given && o.Credentials == nil {
		s.profile = o.SharedConfigProfile // else it is for its region and settings only
	}
	if !s.provider.given && o.Credentials != nil {
		s.provider = providerOption{true, "config.WithCredentialsProvider", o.Credentials}
	}
	if o.HTTPClient != nil && isNil(o.HTTPClient) {
		f.add(invalid("config.WithHTTPClient", "the client is nil").mend("pass one, or leave the option out"))
	}
	if s.region == "" && o.Region != "" {
		s.region = o.Region
		if err := checkRegion(o.Region, s.partition); err != nil {
			f.bad("config.WithRegion", o.Region, "%v", err)
		}
	}
	return f
}

// profileName is the profile in force and what named it. option is WithProfile's.
func (l *look) profileName(option string) (name, namedBy string) {
	if option != "" {
		return option, "WithProfile"
	}
	if name := l.opts.SharedConfigProfile; name != "" {
		return name, "config.WithSharedConfigProfile"
	}
	return ambientProfile()
}

// ambientProfile is the profile in force where no option names one.
func ambientProfile() (name, namedBy string) {
	if name, variable := firstEnv("AWS_PROFILE", "AWS_DEFAULT_PROFILE"); name != "" {
		return name, variable
	}
	return "default", ""
}

// findFiles settles which files are read. A file that the caller names may begin
// with "~". The default ones are in the home directory: where there is none, no
// file is read, since the SDK would look in the working directory.
func (l *look) findFiles() (f faults) {
	l.configFiles = l.paths(&f, l.opts.SharedConfigFiles, l.env.SharedConfigFile,
		"config.WithSharedConfigFiles", "AWS_CONFIG_FILE", config.DefaultSharedConfigFiles)
	l.credentialsFiles = l.paths(&f, l.opts.SharedCredentialsFiles, l.env.SharedCredentialsFile,
		"config.WithSharedCredentialsFiles", "AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFiles)
	return f
}

func (l *look) paths(f *faults, option []string, variable, optionName, name string, byDefault []string) []string {
	paths := []string{}
	switch {
	case option != nil:
		for _, path := range option {
			paths = l.path(f, paths, optionName, path, strings.HasPrefix(path, "~"))
		}
	case variable != "":
		paths = l.path(f, paths, name, variable, true)
	default:
		for _, path := range byDefault {
			if !filepath.IsAbs(path) {
				l.warn("there is no home directory, so no shared file is read; set HOME or " + name)
				continue
			}
			if l.namedBy == "" && isAnothersHome(filepath.Dir(path)) {
				l.barred = redact.OneLine(path)
				l.warn(l.barred + " is not read, as the home directory is another user's, which this one may not enter; set HOME or " + name)
				continue
			}
			paths = append(paths, path)
		}
	}
	return paths
}

// isAnothersHome reports whether the directory round dir is somebody else's, and the user
// may not enter it. A service that was started by root and runs as somebody else often
// has root's HOME. What is in there is not that user's, as for the AWS CLI and the SDK. A
// home of one's own that cannot be entered is a fault.
func isAnothersHome(dir string) bool {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrPermission) {
		return false
	}
	if runtime.GOOS == "windows" { // which tells no owner
		return true
	}
	home := filepath.Dir(dir)
	info, err := os.Stat(home)
	for errors.Is(err, fs.ErrPermission) && filepath.Dir(home) != home { // below a directory that is locked itself
		home = filepath.Dir(home)
		info, err = os.Stat(home)
	}
	return err == nil && !diskcache.IsOwn(info)
}

// path adds the path of a file that a caller named. One that names no file by
// mistake is a fault where the files decide who one is. It is not shown: it may be
// what was to stand in the file.
func (l *look) path(f *faults, paths []string, name, given string, expand bool) []string {
	path := given
	if expand {
		var err error
		if path, err = sharedfile.Expand(given); err != nil {
			f.add(invalid(fmt.Sprintf("%s %q", name, redact.Clip(given)), "%v", err))
			return paths
		}
	}
	if stray := sharedfile.Stray(path); stray != "" {
		l.strays.add(invalid(name, "there is no such file, and its name %s", stray).mend("write the whole path, and nothing else"))
		return paths
	}
	return append(paths, path)
}

// warn notes what concerns nobody's identity but should be known. A text is noted
// once.
func (l *look) warn(text string) {
	if !slices.Contains(l.warnings, text) {
		l.warnings = append(l.warnings, text)
	}
}

// get is a value of a profile, "" where it is absent or empty.
func (l *look) get(profile, key string) string {
	v, _ := l.files.Get(profile, key)
	return v.Text
}

// at names where a profile's key stands, "file:line", or the profile where it
// stands nowhere.
func (l *look) at(profile, key string) string {
	if v, ok := l.files.Get(profile, key); ok {
		return v.Place()
	}
	return fmt.Sprintf("profile %q", profile)
}

// where names the files for an error: "A or B".
func (l *look) where() string {
	paths := l.files.Paths()
	switch {
	case len(paths) > 0:
	case l.barred != "":
		return l.barred + ", whose directory this user may not enter"
	default:
		return "any shared file (none is configured)"
	}
	for i, path := range paths {
		paths[i] = redact.OneLine(path)
	}
	return strings.Join(paths, " or ")
}

// notFound is the error for a profile that no file has. from says what named it,
// and asking are the profiles that led to it, which cannot be meant.
func (l *look) notFound(name, from string, asking ...string) *Error {
	e := &Error{Kind: ProfileNotFound, Err: config.SharedConfigProfileNotExistError{Profile: name}}
	e.what = fmt.Sprintf("profile %q%s is not in %s", redact.Clip(name), from, l.where())
	known := slices.DeleteFunc(l.files.Names(), func(k string) bool { return slices.Contains(asking, k) })
	if bare, prefixed := strings.CutPrefix(name, "profile "); prefixed && l.files.Has(bare) {
		return e.mend("did you mean %q? (\"profile\" belongs to the section's heading, not to the name)", bare)
	}
	for _, p := range l.files.Problems(name) {
		if p.Kind == sharedfile.Heading {
			e.what += fmt.Sprintf(": %s: %s", p.Place(), p.What)
			return e.mend("%s", p.Mend)
		}
	}
	if near := sharedfile.Nearest(name, known); near != "" {
		return e.mend("did you mean %q?", near)
	}
	for i, k := range known {
		known[i] = redact.OneLine(k)
	}
	switch shown := known[:min(len(known), 3)]; {
	case len(known) == 0:
		return e.mend("no profile is defined there; run: aws configure --profile %s", redact.OneLine(name))
	case len(known) > 3:
		return e.mend("defined there: %s and %d more", strings.Join(shown, ", "), len(known)-3)
	default:
		return e.mend("defined there: %s", strings.Join(shown, ", "))
	}
}

// fileFault is a problem of the files as an error. Its mend names what names the file.
func (l *look) fileFault(p sharedfile.Problem) error {
	e := invalid(p.Place(), "%s", p.What)
	e.Hint, e.Err = p.Mend, redact.Error(p.Err)
	if l.opts.SharedConfigFiles != nil {
		e.Hint = strings.ReplaceAll(e.Hint, "AWS_CONFIG_FILE", "config.WithSharedConfigFiles")
	}
	if l.opts.SharedCredentialsFiles != nil {
		e.Hint = strings.ReplaceAll(e.Hint, "AWS_SHARED_CREDENTIALS_FILE", "config.WithSharedCredentialsFiles")
	}
	return e
}

// ignoresEndpoints reports whether addresses in variables and profiles count for
// nothing.
func (l *look) ignoresEndpoints() bool {
	if ignore := l.env.IgnoreConfiguredEndpoints; ignore != nil {
		return *ignore
	}
	return strings.EqualFold(l.get(l.profile, "ignore_configured_endpoint_urls"), "true")
}

// profileEndpoints are the addresses in the profile: for all services, and in its
// services section for one.
func (l *look) profileEndpoints(service string) (all, own endpoint) {
	if v, _ := l.files.Get(l.profile, "endpoint_url"); v.Text != "" {
		all = endpoint{v.Text, v.Place()}
	}
	section, ok := l.files.Services(l.get(l.profile, "services"))
	if !ok {
		return all, endpoint{}
	}
	if v, ok := section.Get(service); ok {
		for _, setting := range v.Nested() {
			if setting.Key == "endpoint_url" {
				own = endpoint{setting.Text, v.Place()}
			}
		}
	}
	return all, own
}

// serviceEndpoint is the address of a service that the environment or the profile
// choose, in the SDK's order, and what is wrong with any of them.
func (l *look) serviceEndpoint(service string) (chosen endpoint, f faults) {
	if l.ignoresEndpoints() {
		return endpoint{}, nil
	}
	variable := func(name string) endpoint { return endpoint{os.Getenv(name), name} }
	all, own := variable("AWS_ENDPOINT_URL"), variable("AWS_ENDPOINT_URL_"+strings.ToUpper(service))
	profiles, ownOfProfile := l.profileEndpoints(service)
	for _, e := range []endpoint{own, all, ownOfProfile, profiles, {l.opts.BaseEndpoint, "config.WithBaseEndpoint"}} {
		switch {
		case e.url == "":
		case e == all || e == profiles:
			f.add(e.checkForAll())
		default:
			f.add(e.check())
		}
	}
	order := []endpoint{own, ownOfProfile, {l.opts.BaseEndpoint, "config.WithBaseEndpoint"}, all, profiles}
	if all.url != "" && own.url == "" {
		order = []endpoint{{l.opts.BaseEndpoint, "config.WithBaseEndpoint"}, all}
	}
	for _, e := range order {
		if chosen.url == "" {
			chosen = e
		}
	}
	return chosen.orNone(), f
}

// wantsFIPS reports whether FIPS endpoints were asked for.
func (l *look) wantsFIPS() bool {
	return l.opts.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled || l.env.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled ||
		strings.EqualFold(l.get(l.profile, "use_fips_endpoint"), "true")
}

// autoMode reports whether the SDK would ask the instance for its region, to
// choose timeouts and retries by.
func (l *look) autoMode() bool {
	return l.opts.DefaultsModeOptions.Mode == aws.DefaultsModeAuto || l.env.DefaultsMode == aws.DefaultsModeAuto ||
		strings.EqualFold(l.get(l.profile, "defaults_mode"), string(aws.DefaultsModeAuto))
}

// noMetadata is what forbids to ask the instance metadata, "" if nothing does.
func (l *look) noMetadata() string {
	switch {
	case l.opts.EC2IMDSClientEnableState == imds.ClientDisabled:
		return "config.WithEC2IMDSClientEnableState"
	case l.opts.EC2IMDSClientEnableState == imds.ClientDefaultEnableState && l.env.EC2IMDSClientEnableState == imds.ClientDisabled:
		return "AWS_EC2_METADATA_DISABLED"
	}
	return ""
}

// metadataEndpoint is where the instance metadata is asked, and what said so, ""
// for the address that instances have.
func (l *look) metadataEndpoint() (address, from string) {
	for _, e := range []endpoint{
		{l.opts.EC2IMDSEndpoint, "config.WithEC2IMDSEndpoint"},
		{l.env.EC2IMDSEndpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT"},
		{l.get(l.profile, "ec2_metadata_service_endpoint"), l.at(l.profile, "ec2_metadata_service_endpoint")},
	} {
		if e.url != "" {
			return e.url, e.from
		}
	}
	profileMode := imds.EndpointModeStateUnset
	_ = profileMode.SetFromString(l.get(l.profile, "ec2_metadata_service_endpoint_mode")) // the SDK refuses a wrong one
	for _, mode := range []imds.EndpointModeState{l.opts.EC2IMDSEndpointMode, l.env.EC2IMDSEndpointMode, profileMode} {
		if mode == imds.EndpointModeStateIPv6 {
			return "http://[fd00:ec2::254]", ""
		}
	}
	return "http://169.254.169.254", ""
}

// bearerVariables are those that hold a bearer token for one service, sorted. That
// service's clients of the SDK use it instead of the configuration's credentials.
//
// See https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
func bearerVariables() (found []string) {
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_BEARER_TOKEN_") && value != "" {
			found = append(found, redact.OneLine(name))
		}
	}
	slices.Sort(found)
	return found
}

// firstEnv is the first of the variables that is set, and its name.
func firstEnv(variables ...string) (value, name string) {
	for _, name := range variables {
		if v := os.Getenv(name); v != "" {
			return v, name
		}
	}
	return "", variables[0]
}

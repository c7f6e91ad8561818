package awsauth

import (
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// facts are what Explain will tell of the chain.
func (b *base) facts(s *settings) *facts {
	f := &facts{profileOption: s.profile != "", keysOption: s.keys.given(), providerOption: s.provider != nil}
	if b.env.Credentials.HasKeys() {
		_, f.envKey = firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	}
	f.webIdentity = b.env.WebIdentityTokenFilePath != ""
	f.profile, f.profileFrom = b.profileName(s)
	if f.profileOption {
		f.profile, f.profileFrom = "default", ""
		if b.env.SharedConfigProfile != "" {
			f.profile = b.env.SharedConfigProfile
			_, f.profileFrom = firstEnv("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
		}
	}
	f.profileThere = b.files.has(f.profile)
	for _, file := range b.files {
		f.files = append(f.files, file.path)
	}
	if _, name := firstEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"); os.Getenv(name) != "" {
		f.container = name
	}
	if b.opts.EC2IMDSClientEnableState == imds.ClientDisabled {
		f.noMetadata = "config.WithEC2IMDSClientEnableState"
	} else if b.opts.EC2IMDSClientEnableState == imds.ClientDefaultEnableState && b.env.EC2IMDSClientEnableState == imds.ClientDisabled {
		f.noMetadata = "AWS_EC2_METADATA_DISABLED"
	}
	f.metadata = b.metadataEndpoint()
	for sc := &b.shared; sc != nil; sc = sc.Source {
		f.ssoSession, f.ssoStartURL = sc.SSOSessionName, sc.SSOStartURL
		if sc.WebIdentityTokenFile != "" {
			f.tokenFile = sc.WebIdentityTokenFile
		}
		if _, file := b.files.lookup(sc.Profile, "aws_access_key_id"); file != nil {
			f.keysFile = file.path
		}
	}
	if b.source.profile == "" {
		f.tokenFile = b.env.WebIdentityTokenFilePath
	}
	if b.source.kind == sourceProvider {
		f.provider = fmt.Sprintf("%T", s.provider)
	}
	return f
}

// metadataEndpoint is where the instance metadata is asked for.
func (b *base) metadataEndpoint() string {
	for _, endpoint := range []string{b.opts.EC2IMDSEndpoint, b.env.EC2IMDSEndpoint, b.shared.EC2IMDSEndpoint} {
		if endpoint != "" {
			return redactURL(endpoint)
		}
	}
	for _, mode := range []imds.EndpointModeState{b.opts.EC2IMDSEndpointMode, b.env.EC2IMDSEndpointMode, b.shared.EC2IMDSEndpointMode} {
		if mode == imds.EndpointModeStateIPv6 {
			return "http://[fd00:ec2::254]"
		}
	}
	return "http://169.254.169.254"
}

// facts are what New saw of the places that credentials may come from. Explain
// tells them later, whatever has become of the environment since.
type facts struct {
	profileOption, keysOption, providerOption bool

	envKey       string // the variable of the access key id in the environment, or ""
	webIdentity  bool
	profile      string // the profile in force without WithProfile
	profileFrom  string // the variable that named it, or ""
	profileThere bool
	files        []string
	container    string // the variable that is set, or ""
	noMetadata   string // what disables the instance metadata, or ""
	metadata     string // the endpoint
	ssoSession   string // the name in sso_session, or
	ssoStartURL  string // in the older form, the start URL
	keysFile     string // where the keys of a profile stand
	tokenFile    string // of a web identity
	provider     string // the type of the caller's own
}

// sso is the name of the SSO session, and what its token's file is called by.
func (f *facts) sso() (name, key string) {
	if f.ssoSession != "" {
		return f.ssoSession, f.ssoSession
	}
	return f.ssoStartURL, f.ssoStartURL
}

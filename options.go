package awsauth

import (
	"context"
	"crypto/tls"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// DefaultRole is the role that WithAccount jumps into unless WithRole names
// another one.
const DefaultRole = "manage-role"

// Option sets up a Session; New accepts it.
//
// An option that is given its empty value counts as not given, so a script
// passes its flags straight through: with WithProfile("") New goes on to the
// next source. What would name nobody, such as a nil provider, is an error
// instead.
//
// Of an option that is given twice the last one counts: after WithRegion("a"),
// WithRegion("b") the region is b. Tags, policy ARNs and load options add up.
type Option interface{ applyTo(*settings) }

// RoleOption describes the role to become; New, Session.Assume and
// Session.ForEachAccount accept it.
type RoleOption interface {
	Option
	FleetOption
	applyToRole(*roleSettings)
}

// FleetOption shapes a walk over many accounts; Session.ForEachAccount accepts it.
type FleetOption interface{ applyToFleet(*fleetSettings) }

type option func(*settings)

func (o option) applyTo(s *settings) { o(s) }

type roleOption func(*roleSettings)

func (o roleOption) applyTo(s *settings)           { o(&s.role) }
func (o roleOption) applyToRole(r *roleSettings)   { o(r) }
func (o roleOption) applyToFleet(f *fleetSettings) { o(&f.role) }

// WithProfile starts from the named profile of the shared config and
// credentials files, whatever the environment holds. A profile beats
// WithStaticCredentials and WithCredentialsProvider when they are given too.
// New fails with ProfileNotFound if neither file has it.
func WithProfile(name string) Option {
	return option(func(s *settings) { s.profile = name })
}

// WithStaticCredentials starts from an access key; sessionToken is empty for
// the long-lived key of an IAM user. A key without its secret, or a secret
// without its key, is InvalidOption: it never falls through to another identity.
func WithStaticCredentials(accessKeyID, secretAccessKey, sessionToken string) Option {
	return option(func(s *settings) { s.keys = keyOption{accessKeyID, secretAccessKey, sessionToken} })
}

// WithCredentialsProvider starts from keys that p hands out: kept in a
// database, Redis, Secrets Manager, or another Session. p must be safe for
// concurrent use. What it returns is cached until it expires, or until a service
// refuses it; then p is asked again. Keys without an expiry are cached until a
// service refuses them.
//
// A nil provider is InvalidOption, and so is one that gives no keys on purpose
// (aws.AnonymousCredentials): neither may fall through to the machine's identity.
func WithCredentialsProvider(p aws.CredentialsProvider) Option {
	return option(func(s *settings) { s.provider = providerOption{true, "WithCredentialsProvider", p} })
}

// WithWebIdentity starts as the role with this ARN, which a token of an OpenID
// Connect provider opens: that of a CI job, of a Kubernetes pod. The token is
// asked for anew at each refresh, and never kept:
//
//	awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", stscreds.IdentityTokenFile("/run/token"))
//
// Without WithAccount and WithRoleARN the role options WithSessionName,
// WithDuration, WithPolicy and WithPolicyARNs apply to this role, and the others
// are InvalidOption: AssumeRoleWithWebIdentity has no place for them. With
// WithAccount or WithRoleARN all role options are those of that next role. The
// role lasts up to 12 hours, as far as its own maximum allows. An empty ARN or a
// nil token is InvalidOption.
//
// A token that has expired or was issued by somebody whom the role does not
// trust is an error of Retrieve, Expired or InvalidKey, with STS's own words.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func WithWebIdentity(roleARN string, token stscreds.IdentityTokenRetriever) Option {
	return option(func(s *settings) { s.web = webOption{true, roleARN, token} })
}

// WithRolesAnywhere signs in with a certificate, on a machine outside AWS: at IAM
// Roles Anywhere, by a trust anchor and a profile, as a role. It needs no helper
// program:
//
//	awsauth.WithRolesAnywhere(anchor, profile, role, awsauth.CertificateFiles("client.pem", "client.key"))
//
// cert is called for each refresh, so that a renewed certificate is used from the next
// one on; see CertificateFiles. Its private key may be in a TPM, a smart card or an
// agent: any crypto.Signer with an RSA or ECDSA key will do.
//
// Partition and, unless WithRegion says another, region are those of the trust
// anchor. Without WithAccount and WithRoleARN the options WithSessionName (where the
// profile accepts one) and WithDuration are those of this role, and the other role
// options are InvalidOption. The role lasts as long as the profile says, unless
// WithDuration does. A role assumed from there lasts at most an hour.
//
// ARNs that are swapped or do not belong together are InvalidOption or WrongPartition.
// A certificate that has expired, does not fit its key, or is a CA's is refused by
// Retrieve before any call: Expired or InvalidOption, with the name of the file.
//
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html
func WithRolesAnywhere(trustAnchorARN, profileARN, roleARN string, cert func(context.Context) (tls.Certificate, error)) Option {
	return option(func(s *settings) { s.anywhere = anywhereOption{true, trustAnchorARN, profileARN, roleARN, cert} })
}

// WithMFA signs the user in with a code of their MFA device. serial is the
// device's: the ARN of a virtual device, arn:aws:iam::123456789012:mfa/ana, or the
// number on a hardware one; "" is the mfa_serial of the profile. code returns the
// six digits that the device shows now, for example PromptMFA:
//
//	s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithMFA("", awsauth.PromptMFA))
//
// The code belongs to who one is, not to which role one takes. It is asked for
// once, and opens a session of 12 hours (GetSessionToken). Every role of at most
// an hour, in any account, is assumed from that session without another code,
// also where its profile has an mfa_serial. Without a role, the session hands out
// the keys of the MFA session itself.
//
// AWS lets a role of more than an hour be assumed with the user's long-lived keys
// only. Such a role takes a code of its own, each time it is renewed. Where the
// user's keys are temporary, GetSessionToken cannot be called: then a code goes
// with each role, which lasts at most an hour.
//
// code is called only while somebody waits for the credentials, never in the
// background. Its context ends when nobody waits any more. A func that does not
// return then may run a second time beside itself, for the next caller.
//
// A code that STS has seen is never sent again, and one that is not six digits is
// not sent at all: both are MFARequired, as is a code that STS refuses. Two sessions
// of New know nothing of each other's codes, unless WithDiskCache lets them share
// the MFA session.
//
// InvalidOption are: a nil code; an empty serial where no profile has one; another
// serial than that of the profile; the serial of a security key or passkey, which
// has no codes; a base that is a role (SSO, web identity, container, EC2), which
// has no device.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
func WithMFA(serial string, code func(context.Context) (string, error)) Option {
	return option(func(s *settings) { s.mfa = mfaOption{true, serial, code} })
}

// WithDiskCache shares credentials with the other processes of the user, through
// files in dir: a script that cron starts a hundred times makes one call to STS, and
// a person types one code a day. "" is the directory awsauth in os.UserCacheDir.
//
// What is dear to get is kept: assumed roles, MFA sessions, and the credentials of an
// SSO role, of a web identity's token file and of Roles Anywhere. Long-lived keys are
// never written, and neither are the answers of a credential_process, of a container
// or instance, and of WithCredentialsProvider: what these answer depends on more than
// this package sees. The roles that are assumed with them are kept all the same.
//
// An entry belongs to who asks as much as to what is asked for: two callers of one
// role never share one. The files have mode 0600 in a directory of mode 0700, so
// whoever can read the user's files can read them, as it is with the AWS CLI's
// cache; WithDiskCacheKey encrypts them. A directory that others can write is not
// used. What keeps the cache from working (a full disk, a read-only home) is a
// warning in the log, and the session goes on without it.
//
// The tokens of SSO and of aws login are refreshed by one process at a time even
// without this option.
func WithDiskCache(dir string) Option {
	return option(func(s *settings) { s.disk.given, s.disk.dir = true, dir })
}

// WithDiskCacheKey encrypts what WithDiskCache keeps. key returns 32 bytes, from a
// keychain for example; it is called when the cache is first used, and not
// again once it has succeeded. While it fails there is a warning and no disk cache: nothing is ever
// written in plain text. A plain entry of an earlier run is removed when the encrypted
// one is written. Without WithDiskCache, or with a nil func, it is InvalidOption.
func WithDiskCacheKey(key func(context.Context) ([]byte, error)) Option {
	return option(func(s *settings) { s.disk.keyed, s.disk.key = true, key })
}

// WithAllowedAccounts refuses credentials of any other account than those with
// these ids: WrongAccount. It guards a script against the wrong profile or the wrong
// keys in the environment. Ids of several calls add up.
//
// It holds for all that the session and the sessions assumed from it hand out. For a
// role the account stands in its ARN, so that New, Assume and ForEachAccount refuse
// it before any call. Credentials of a base are held against the account that came
// with them, else GetCallerIdentity is asked, once for each key; where that fails,
// nothing is handed out. The base that a role is assumed from may be of any account.
// A bearer token of one service in the environment (AWS_BEARER_TOKEN_BEDROCK) is no
// credential of the session, and is not held against the ids: see Session.Config.
//
// Without an id, or with one that is empty or not 12 digits, it is InvalidOption.
func WithAllowedAccounts(ids ...string) Option {
	return option(func(s *settings) {
		if len(ids) == 0 {
			ids = []string{""}
		}
		s.allowed.ids = append(slices.Clip(s.allowed.ids), ids...)
	})
}

// WithTemporaryOnly refuses to hand out long-lived keys: a session without a
// role whose keys carry no session token fails with LongTermCredentials, in
// New where the keys are known by then, else in Retrieve. With a role the
// long-lived keys only serve to assume it, which is allowed.
func WithTemporaryOnly() Option {
	return option(func(s *settings) { s.temporaryOnly = true })
}

// WithRegion sets the region of the session and with it the STS endpoint and,
// unless WithPartition or a role ARN says so first, the partition.
func WithRegion(region string) Option {
	return option(func(s *settings) { s.region = region })
}

// WithPartition says which AWS the credentials belong to. It must agree with
// WithRegion and WithRoleARN (else WrongPartition, offline); a region that only
// the environment or a profile names gives way to it.
func WithPartition(p Partition) Option {
	return option(func(s *settings) { s.partition = p })
}

// WithSTSEndpoint sends every STS call of the session, and of those assumed
// from it, to url: a VPC endpoint or a local STS.
//
// The URL must be https. Plain http is allowed to a host that is not on the
// internet: a loopback or private address, a name without a dot, a name that
// ends in .localhost, .internal or .local. Requests are signed for the region
// that the host names (sts.eu-west-1.amazonaws.com), else for the session's. The
// endpoint wins over AWS_USE_FIPS_ENDPOINT and over dual stack, with a warning.
func WithSTSEndpoint(url string) Option {
	return option(func(s *settings) { s.stsEndpoint = url })
}

// WithLoadOptions passes on everything else that the SDK's
// config.LoadDefaultConfig accepts: an HTTP client, the retry mode, the paths of
// the shared files, API options. The functions run once, in New.
//
// Options of this package come before those of the SDK. For example,
// config.WithRegion("eu-west-1") sets the region, unless WithRegion is given as
// well; config.WithSharedConfigProfile and config.WithCredentialsProvider do the
// same for the profile and the provider.
//
// The options for a profile's roles (config.WithAssumeRoleCredentialOptions) run
// once for each role and win over what the profile says. The role itself and its
// client are this package's: setting RoleARN or Client there is InvalidOption.
// config.WithCredentialsCacheOptions does nothing, because the SDK's own cache
// of credentials is not used.
func WithLoadOptions(fns ...func(*config.LoadOptions) error) Option {
	return option(func(s *settings) {
		for _, fn := range fns {
			if fn != nil {
				s.load = append(s.load, fn)
			}
		}
	})
}

// WithLogger sends the session's log records to l. The default discards them.
// No record holds a secret. Messages, levels and attributes are listed in
// docs/logging.md of the repository.
func WithLogger(l *slog.Logger) Option {
	return option(func(s *settings) { s.logger = l })
}

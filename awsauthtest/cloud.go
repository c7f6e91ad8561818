// Package awsauthtest is an AWS in memory, for testing code that signs in to
// AWS and moves between accounts: STS in every partition, EC2 instance
// metadata, the container credential endpoint, SSO with its device authorization,
// the sign-in service of `aws login` and of the console, and IAM Roles Anywhere.
//
//	cloud := awsauthtest.New(t)
//	keys := cloud.AddUser(awsauthtest.User{ARN: "arn:aws:iam::111111111111:user/ci"})
//	cloud.AddRole(awsauthtest.Role{
//		ARN:   "arn:aws:iam::222222222222:role/manage-role",
//		Trust: []string{"111111111111"},
//	})
//	cfg, err := config.LoadDefaultConfig(ctx, cloud.LoadOptions(),
//		config.WithRegion("us-east-1"), config.WithCredentialsProvider(keys.Provider()))
//
// It stands at the wire, below the SDK: what is tested is the host, the
// credential scope, the signature and the form that really leave the program.
// Signatures are recomputed with the secret that was issued, and what AWS
// refuses is refused with AWS's code and status: a key of another partition, a
// scope that is not the host's, a clock 15 minutes off, a role that does not
// trust the caller, a second use of an MFA code, a duration out of bounds.
//
// [Cloud.Client] opens no socket and starts no goroutine, so it works inside
// [testing/synctest] bubbles: keys expire when the bubble's clock says so.
// [Cloud.Serve] puts the same AWS on a loopback socket, for the AWS CLI, boto3
// and other programs. [Cloud.Inject] makes it fail in the ways AWS fails, and
// [Cloud.Calls] says what was asked of it.
//
// # Modelled, and not
//
// It models who may become whom. It does not model what an identity may then do.
//
//	modelled                                        not modelled
//	AssumeRole, AssumeRoleWithWebIdentity,          GetFederationToken, AssumeRoleWithSAML, AssumeRoot,
//	GetSessionToken, GetCallerIdentity,             DecodeAuthorizationMessage, GetWebIdentityToken,
//	GetAccessKeyInfo                                GetDelegatedAccessToken: 501 NotImplemented
//	trust: principals, external id, MFA, source     other conditions, Deny, service control policies
//	identity, tags, subject and audience
//	User.MayAssume                                  what roles may assume; permission policies
//	session policies: form, size, account           what they allow
//	sizes of policies and tags                      AWS's packing: a limit of characters stands for it
//	MFA codes (TOTP), used once                     passkeys, MFA age
//	SigV4 in header and query                       SigV4a, the chunks of S3 uploads
//	eight partitions, their regions, FIPS and       other services' hosts: Cloud.Handle puts one there
//	dual-stack hosts, VPC endpoints, opt-in         endpoint policies
//	regions and the global endpoint
//	instance metadata: tokens, role, region,        user data, tags, network
//	identity document
//	container credentials (ECS, EKS Pod Identity)   tokens that are tied to a pod
//	SSO portal: GetRoleCredentials, ListAccounts,   permission sets, groups; the page where a person
//	ListAccountRoles, Logout                        approves: ApproveDevice, DenyDevice stand for it
//	SSO tokens: RegisterClient, CreateToken,        the grants authorization_code, JWT bearer and
//	StartDeviceAuthorization; refresh tokens,       token exchange: 501 NotImplemented
//	used once
//	aws login: CreateOAuth2Token with a refresh     the page of the login, its authorization code:
//	token, used once, and its DPoP proof            Login stands for them; the service's other actions
//	console: getSigninToken, login URLs             the console itself; keys of GetFederationToken
//	Roles Anywhere: CreateSession, certificates,    its other actions, revocation, attribute mappings,
//	chains and signatures                           conditions on attributes, session policies, Private CA
//	web identity tokens of any issuer               keys and discovery of a provider (JWKS)
//	LimitSTS: calls a second of an account          the quotas themselves
//
// A host of AWS whose service the Cloud does not have fails with an error that
// says so; a host that AWS does not have fails as a look-up does.
//
// # A machine with a certificate
//
// [Cloud.AddTrustAnchor] and [Cloud.AddAnywhereProfile] let what a CA issued take a role:
//
//	anchor := cloud.AddTrustAnchor(awsauthtest.TrustAnchor{Account: "222222222222", Region: "us-east-1"})
//	profile := cloud.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: "222222222222", Region: "us-east-1", RoleARNs: []string{role}})
//	cloud.AddRole(awsauthtest.Role{ARN: role, Trust: []string{"rolesanywhere.amazonaws.com"}})
//	certificate := cloud.Certificate(anchor, "host-7", 0) // or of a CA of one's own
//
// # Another service
//
// [Cloud.Handle] puts one at its host, behind the same check of signatures:
//
//	cloud.Handle("*.s3.us-east-1.amazonaws.com", http.HandlerFunc(fakeS3))
//
// # Who called what
//
//	cloud.AssertCalled(t, "arn:aws:iam::111111111111:user/ci", "AssumeRole", "arn:aws:iam::222222222222:role/manage-role")
//
// # People
//
// A person who signs in is a method: [Cloud.MFACode] reads the device,
// [Cloud.ApproveDevice] allows a device authorization, [Cloud.Login] and
// [Cloud.LoginSSO] leave the token files of `aws login` and `aws sso login` behind,
// and [Cloud.SignedIn] opens a login URL of the console.
package awsauthtest

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// Cloud is one AWS: users, roles, keys, an instance, and a record of what was
// asked. Clouds share nothing: the keys of one are unknown to another. All
// methods may be called at any time from any goroutine. Make one with [New] or
// [Start]; the zero Cloud is of no use.
type Cloud struct{ *state }

// state is what is in a Cloud. It stands behind a pointer, so that nothing that
// prints a Cloud prints it.
type state struct {
	secret  []byte // all that the Cloud makes up comes from it; another for every Cloud
	calls   recorder
	faults  faultList
	limits  limiter
	socket  socket
	regions atlas
	clock   atomic.Pointer[func() time.Time] // nil: the machine's
	pending pending

	handlers handlers

	mu       sync.Mutex // guards what follows; held for look-ups only, never while anything waits
	serial   int        // of the last id given out
	users    map[string]*user
	devices  map[string]*device
	roles    map[string]Role
	names    map[string]string     // ARNs of users and roles, by what must be unique in an account
	creds    map[string]credential // by access key id
	disabled map[string]bool       // regions
	oidc     map[oidcProvider]bool // those of AddOIDC
	sso      map[string]*ssoToken  // by bearer token
	center   identityCenter
	logins   map[string]*loginState     // by refresh token, those used included
	signins  map[string]signinToken     // by token
	anchors  map[string]trustAnchor     // of Roles Anywhere, by ARN
	profiles map[string]AnywhereProfile // likewise
	instance *instance
	task     *task
}

// New returns an empty Cloud for a test. It calls [Isolate], so the test must
// not be parallel (nor a subtest of a parallel one): use [Start] in those. When
// the test ends, the Cloud is closed, what waits for an answer is let go, and no
// request is answered any more.
//
// In a [testing/synctest] bubble, call New inside of it. It then also lets two
// minutes pass at the end, so that what still runs in the background (a refresh
// between two tries) comes to its end: a goroutine that is left makes the bubble
// panic. With Start, that is for the test to do: cancel the contexts of its
// requests, and sleep for as long as its own retries take.
func New(t testing.TB) *Cloud {
	t.Helper()
	Isolate(t)
	c := Start()
	t.Cleanup(c.finish)
	return c
}

// String says what a Cloud is, and nothing of what is in it.
func (c Cloud) String() string { return "awsauthtest.Cloud" }

// GoString is String.
func (c Cloud) GoString() string { return c.String() }

// Format prints String for every verb.
func (c Cloud) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// SetClock sets what time it is in the Cloud: for keys, codes, tokens and
// signatures. It is for [Cloud.Serve], whose clients are other programs; a test
// in memory has [testing/synctest]. As at AWS, a client whose clock is more than
// 15 minutes from the Cloud's is refused, but many, the Go SDK among them, read
// the time from the refusal and try again. now may be called at any time and from
// any goroutine, and must not call the Cloud. nil is the machine's clock.
func (c *Cloud) SetClock(now func() time.Time) {
	if now == nil {
		c.clock.Store(nil)
		return
	}
	c.clock.Store(&now)
}

// Start returns an empty Cloud for a program, or for a parallel test. It reads
// and changes nothing of the environment. Close it if [Cloud.Serve] is used.
func Start() *Cloud {
	return &Cloud{&state{
		secret:   newSecret(),
		users:    map[string]*user{},
		devices:  map[string]*device{},
		roles:    map[string]Role{},
		names:    map[string]string{},
		creds:    map[string]credential{},
		disabled: map[string]bool{},
		oidc:     map[oidcProvider]bool{},
		sso:      map[string]*ssoToken{},
		center:   newIdentityCenter(),
		logins:   map[string]*loginState{},
		signins:  map[string]signinToken{},
		anchors:  map[string]trustAnchor{},
		profiles: map[string]AnywhereProfile{},
	}}
}

// Client returns an HTTP client whose every request ends in the Cloud, found by
// AWS's real host names; no other host exists. Requests are answered in the
// goroutine that sends them, and no socket is opened.
//
// A host that AWS does not have fails as a look-up would ("no such host"); so
// does STS in a region that does not exist ([Cloud.AddRegion] adds one), and a
// FIPS host where STS has none. The metadata addresses refuse connections until
// [Cloud.SetInstance] or [Cloud.SetContainer] puts something there, and then hear
// plain http on port 80 only; STS hears https on port 443 only. The address that
// [Cloud.Serve] returned is known, too, and so is a loopback address to which
// AWS_ENDPOINT_URL_STS sends STS: a request that was to go there ends in the Cloud.
func (c *Cloud) Client() *http.Client {
	openWay()
	return &http.Client{Transport: memory{c}}
}

// LoadOptions returns an option for [config.LoadDefaultConfig] (or for whatever
// takes the SDK's load options) that sends all its requests to the Cloud. The
// container credential provider is included, which config.WithHTTPClient alone
// leaves out. If an instance is set when the option is applied, instance
// metadata is switched on, whatever AWS_EC2_METADATA_DISABLED says. (The SDK's
// config.WithEC2IMDSRegion makes a client of its own that knows neither, unless
// it is given one: config.UseEC2IMDSRegion.Client.)
func (c *Cloud) LoadOptions() func(*config.LoadOptions) error {
	return func(o *config.LoadOptions) error {
		openWay()
		o.HTTPClient = c.Client()
		before := o.EndpointCredentialOptions
		o.EndpointCredentialOptions = func(e *endpointcreds.Options) {
			if before != nil {
				before(e)
			}
			e.HTTPClient = c.Client()
		}
		if c.hasInstance() {
			o.EC2IMDSClientEnableState = imds.ClientEnabled
		}
		return nil
	}
}

// Close stops [Cloud.Serve], if it runs, and waits for the requests it was
// answering; what hangs or waits there is let go. A Cloud in memory needs no
// Close and outlives it. Close may be called again.
func (c *Cloud) Close() error { return c.socket.close() }

// DisableRegion makes STS of that region refuse everybody with
// RegionDisabledException, as for a region that an account has not activated.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
func (c *Cloud) DisableRegion(region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disabled[region] = true
}

// now is the wall clock alone: the monotonic one means nothing between a Cloud
// made outside a synctest bubble and a request made inside. The caller does not
// hold c.mu, for the clock of SetClock is foreign code.
func (c *Cloud) now() time.Time {
	if clock := c.clock.Load(); clock != nil {
		return (*clock)().Round(0).UTC()
	}
	return time.Now().Round(0).UTC()
}

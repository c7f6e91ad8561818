package awsauthtest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	stsVersion   = "2011-06-15"
	stsNamespace = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
)

// serveSTS answers the AWS Query protocol. The order of the checks is AWS's:
// what is asked, who asks, whether they may ask so often, and only then
// whether the question makes sense.
func (c *Cloud) serveSTS(in *request) reply {
	result, p := c.sts(in)
	if p != nil {
		return in.stsFailure(p)
	}
	return in.stsSuccess(result)
}

func (c *Cloud) sts(in *request) (any, *problem) {
	if in.path != "/" && !in.at.anyPath {
		return nil, refuse(http.StatusNotFound, "UnknownOperationException", "STS has no path but /")
	}
	action := in.form.Get("Action")
	version := in.form.Get("Version")
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	do := map[string]func(*request, caller) (any, *problem){
		"AssumeRole":        c.assumeRole,
		"GetCallerIdentity": c.getCallerIdentity,
		"GetSessionToken":   c.getSessionToken,
		"GetAccessKeyInfo":  c.getAccessKeyInfo,
	}[action]
	unsigned := action == "AssumeRoleWithWebIdentity"
	if version == stsVersion && slices.Contains(notModelled, action) {
		return nil, notImplemented("%s. Inject a Fault of kind Refuse for the answer that you want to test", action)
	}
	if do == nil && !unsigned || version != stsVersion {
		return nil, refuse(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", action, version)
	}
	if unsigned {
		return c.assumeRoleWithWebIdentity(in)
	}
	who, p := c.authenticate(in)
	if p != nil {
		return nil, p
	}
	c.calls.prove(in.call, who.arn)
	if !c.limits.allow(who.account, in.now) {
		return nil, throttled()
	}
	if who.revoked && action != "GetCallerIdentity" {
		return nil, who.denied(in)
	}
	return do(in, who)
}

// denied is what a revoked session hears.
func (who caller) denied(in *request) *problem {
	resource := in.form.Get("RoleArn")
	if resource == "" {
		resource = "*"
	}
	return refuse(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: %s:%s on resource: %s with an explicit deny in an identity-based policy",
		who.arn, in.auth.service, in.action(), resource)
}

// notModelled are the actions that STS has and the Cloud does not answer.
var notModelled = []string{
	"AssumeRoleWithSAML", "AssumeRoot", "DecodeAuthorizationMessage", "GetDelegatedAccessToken", "GetFederationToken", "GetWebIdentityToken",
}

// notImplemented is for what AWS does and the Cloud does not.
func notImplemented(format string, args ...any) *problem {
	return refuse(http.StatusNotImplemented, "NotImplemented", "awsauthtest does not model "+format+".", args...)
}

// caller is who made a request, proven.
type caller struct {
	principal
	keyID     string
	partition string // of the request; the caller's own
	revoked   bool   // everything is denied that can be
}

// authenticate proves who asks, or refuses in the order in which AWS does.
func (c *Cloud) authenticate(in *request) (caller, *problem) {
	if in.authErr != nil {
		return caller{}, in.authErr
	}
	if in.auth.keyID == "" {
		return caller{}, refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	if p := in.checkScope(&c.regions); p != nil {
		return caller{}, p
	}
	where, _ := c.regions.partitionOf(in.auth.region)
	t := in.now
	k, known := c.credential(in.auth.keyID)
	if !known || k.inactive || k.who.partition != where.id {
		return caller{}, invalidToken()
	}
	if p := in.checkSignature(k.keys.SecretAccessKey, t); p != nil {
		return caller{}, p
	}
	if in.auth.token != k.keys.SessionToken || k.global && c.regions.optIn(in.auth.region) {
		return caller{}, invalidToken()
	}
	if k.expired || !k.keys.Expires.IsZero() && !t.Before(k.keys.Expires) && !c.honoured(k) {
		return caller{}, refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	if in.at.service == serviceSTS && c.isDisabled(in.auth.region) {
		return caller{}, regionDisabled(k.who.account)
	}
	return caller{principal: k.who, keyID: in.auth.keyID, partition: where.id, revoked: k.revoked}, nil
}

func invalidToken() *problem {
	return refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func regionDisabled(account string) *problem {
	return refuse(http.StatusForbidden, "RegionDisabledException",
		"STS is not activated in this region for account:%s. "+
			"Your account administrator can activate STS in this region using the IAM Console.", account)
}

func (c *Cloud) isDisabled(region string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.disabled[region]
}

type identityResult struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

func (c *Cloud) getCallerIdentity(_ *request, who caller) (any, *problem) {
	return identityResult{Arn: who.arn, UserID: who.userID, Account: who.account}, nil
}

type keyInfoResult struct {
	XMLName xml.Name `xml:"GetAccessKeyInfoResult"`
	Account string
}

// getAccessKeyInfo reads the account from the id: AWS answers for any key, also
// for one that it has never issued or that belongs to others.
func (c *Cloud) getAccessKeyInfo(in *request, _ caller) (any, *problem) {
	var v validator
	id := v.required(in.form, "AccessKeyId", limitKeyID)
	if p := v.problem(); p != nil {
		return nil, p
	}
	account, ok := accountOf(id)
	if !ok {
		return nil, notImplemented("access key ids that do not hold their account, as those from before 2019")
	}
	return keyInfoResult{Account: account}, nil
}

type sessionTokenResult struct {
	XMLName     xml.Name `xml:"GetSessionTokenResult"`
	Credentials xmlKeys
}

// Limits of GetSessionToken.
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	minSession          = 15 * time.Minute
	maxSessionToken     = 36 * time.Hour
	defaultSessionToken = 12 * time.Hour
	maxRole             = 12 * time.Hour
	defaultRole         = time.Hour
	maxChainedRole      = time.Hour
)

func (c *Cloud) getSessionToken(in *request, who caller) (any, *problem) {
	if who.temporary {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	var v validator
	lifetime := v.duration(in.form.Get("DurationSeconds"), defaultSessionToken, maxSessionToken)
	v.mfa(in)
	if p := v.problem(); p != nil {
		return nil, p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mfa, p := redeemMFA(in, who)
	if p != nil {
		return nil, p
	}
	session := who.principal
	session.temporary, session.mfa = true, mfa
	return sessionTokenResult{Credentials: c.answerKeys(in, session, lifetime).xml()}, nil
}

// redeemMFA checks the code in a request, if there is one. The caller holds
// Cloud.mu.
func redeemMFA(in *request, who caller) (bool, *problem) {
	serial, code := in.form.Get("SerialNumber"), in.form.Get("TokenCode")
	denied := func(why string) (bool, *problem) {
		return false, refuse(http.StatusForbidden, "AccessDenied", "MultiFactorAuthentication failed%s", why)
	}
	switch {
	case serial == "" && code == "":
		return who.mfa, nil
	case serial == "" || code == "":
		return denied(", must provide both MFA serial number and one time pass code.")
	case who.user == nil || who.user.device == nil || who.user.device.serial != serial:
		return denied(", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	case !who.user.device.redeem(code, in.now):
		return denied(" with invalid MFA one time pass code. ")
	}
	return true, nil
}

// xmlKeys are credentials as STS spells them.
type xmlKeys struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func (k Keys) xml() xmlKeys {
	return xmlKeys{k.AccessKeyID, k.SecretAccessKey, k.SessionToken, k.Expires.UTC().Format(time.RFC3339)}
}

// stsSuccess wraps a result as the Query protocol has it.
func (in *request) stsSuccess(result any) reply {
	type metadata struct {
		RequestID string `xml:"RequestId"`
	}
	envelope := struct {
		XMLName  xml.Name
		NS       string `xml:"xmlns,attr"`
		Result   any
		Metadata metadata `xml:"ResponseMetadata"`
	}{
		XMLName: xml.Name{Local: in.form.Get("Action") + "Response"}, NS: stsNamespace,
		Result: result, Metadata: metadata{in.requestID()},
	}
	return in.xml(http.StatusOK, "", envelope)
}

// stsFailure is a refusal as the Query protocol has it.
func (in *request) stsFailure(p *problem) reply {
	type failure struct{ Type, Code, Message string }
	kind := "Sender"
	if p.status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	return in.xml(p.status, p.code, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		NS        string   `xml:"xmlns,attr"`
		Error     failure
		RequestID string `xml:"RequestId"`
	}{NS: stsNamespace, Error: failure{kind, p.code, p.message}, RequestID: in.requestID()})
}

func (in *request) xml(status int, code string, v any) reply {
	body, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("awsauthtest: " + err.Error()) // the types above marshal
	}
	return reply{status: status, code: code, body: append(body, '\n'), header: http.Header{
		"Content-Type":     {"text/xml"},
		"X-Amzn-Requestid": {in.requestID()},
		"Date":             {in.now.Format(http.TimeFormat)},
	}}
}

// requestID is the same in header and body, and another for every request.
func (in *request) requestID() string {
	return uuid(derive("awsauthtest", "request", strconv.Itoa(in.number), 16))
}

// uuid writes 16 bytes in the form of a random UUID.
func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := fmt.Sprintf("%x", b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

package awsauthtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4, from the side of the one who checks.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	maxSkew    = 15 * time.Minute
	maxPresign = 7 * 24 * time.Hour
)

// authorization is what a request says of its signature.
type authorization struct {
	algorithm                         string
	keyID, date, region, service, end string // the credential scope
	signed                            []string
	signature                         string
	token                             string
	time                              string        // as sent
	presigned                         bool          // the signature is in the query
	expires                           time.Duration // of a presigned one
}

// authorization reads header or query. An empty keyID without a problem is a
// request that is not signed.
func (in *request) authorization() (authorization, *problem) {
	header := in.header.Get("Authorization")
	switch {
	case in.at.service != serviceSTS && in.at.service != serviceHandled && in.at.service != serviceAnywhere: // theirs are bearer tokens, and nobody's business
		return authorization{}, nil
	case in.at.service == serviceHandled && header != "" && !strings.HasPrefix(header, "AWS4-"):
		return authorization{}, nil // whatever it is, it is for the handler
	case header == "" && in.form.Has("X-Amz-Algorithm") && in.at.service != serviceAnywhere:
		return in.presigned()
	case header == "":
		return authorization{}, nil
	}
	a, p := parseAuthorization(header, in.algorithms())
	if p != nil {
		return a, p
	}
	a.token = in.header.Get("X-Amz-Security-Token")
	if a.time = in.header.Get("X-Amz-Date"); a.time == "" {
		if t, err := http.ParseTime(in.header.Get("Date")); err == nil {
			a.time = t.UTC().Format(timeFormat)
		}
	}
	if a.time == "" {
		return a, incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return a, nil
}

// presigned reads a signature from the query.
func (in *request) presigned() (authorization, *problem) {
	q, _ := url.ParseQuery(in.rawQuery)
	a := authorization{
		algorithm: algorithm, presigned: true, signature: q.Get("X-Amz-Signature"), token: q.Get("X-Amz-Security-Token"),
		time: q.Get("X-Amz-Date"), expires: maxSkew,
	}
	if q.Get("X-Amz-Algorithm") != algorithm {
		return a, incomplete("Unsupported AWS 'algorithm' in the query string.")
	}
	if s := q.Get("X-Amz-Expires"); s != "" && in.at.service != serviceSTS {
		seconds, err := strconv.Atoi(s)
		if err != nil || seconds < 0 || time.Duration(seconds) > maxPresign/time.Second {
			return a, incomplete("X-Amz-Expires must be a number of seconds up to 604800.")
		}
		a.expires = time.Duration(seconds) * time.Second
	}
	return a, a.complete(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), "query string")
}

// algorithms are those that the service of a request knows.
func (in *request) algorithms() []string {
	if in.at.service == serviceAnywhere {
		return []string{algorithmRSA, algorithmECDSA}
	}
	return []string{algorithm}
}

// parseAuthorization reads the value of an Authorization header.
func parseAuthorization(header string, algorithms []string) (authorization, *problem) {
	name, rest, _ := strings.Cut(header, " ")
	if !slices.Contains(algorithms, name) {
		return authorization{}, incomplete("Unsupported AWS 'algorithm' in the Authorization header.")
	}
	fields := map[string]string{}
	for _, field := range strings.Split(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || fields[name] != "" {
			return authorization{}, incomplete("Authorization header is not a list of distinct key=value pairs.")
		}
		fields[name] = value
	}
	a := authorization{algorithm: name, signature: fields["Signature"]}
	return a, a.complete(fields["Credential"], fields["SignedHeaders"], "Authorization header")
}

// complete fills in credential and signed headers, and says what is missing.
func (a *authorization) complete(credential, signed, where string) *problem {
	var missing []string
	for _, part := range []struct{ name, value string }{
		{"Credential", credential}, {"Signature", a.signature}, {"SignedHeaders", signed},
	} {
		if part.value == "" {
			missing = append(missing, fmt.Sprintf("%s requires '%s' parameter.", where, part.name))
		}
	}
	if missing != nil {
		return incomplete("%s", strings.Join(missing, " "))
	}
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || slices.Contains(scope, "") {
		return incomplete("Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/term.")
	}
	a.keyID, a.date, a.region, a.service, a.end = scope[0], scope[1], scope[2], scope[3], scope[4]
	a.signed = strings.Split(signed, ";")
	for i, name := range a.signed {
		if name == "" || name != strings.ToLower(name) || i > 0 && a.signed[i-1] >= name {
			return incomplete("SignedHeaders must be lower-case names in order.")
		}
	}
	if a.algorithm == algorithm && len(a.signature) != 2*sha256.Size || strings.Trim(a.signature, "0123456789abcdef") != "" {
		return incomplete("Signature must be 64 lower-case hexadecimal digits.")
	}
	return nil
}

func incomplete(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "IncompleteSignature", format, args...)
}

func mismatch(format string, args ...any) *problem {
	return refuse(http.StatusForbidden, "SignatureDoesNotMatch", format, args...)
}

// checkScope holds the credential scope against the place. A handled host may be
// any service's.
func (in *request) checkScope(regions *atlas) *problem {
	a := in.auth
	switch {
	case in.at.region != "" && a.region != in.at.region:
		return mismatch("Credential should be scoped to a valid region.")
	case in.at.region == "" && !regions.known(a.region):
		return mismatch("Credential should be scoped to a valid region.")
	case in.at.service != serviceHandled && a.service != in.at.service:
		return mismatch("Credential should be scoped to correct service: '%s'.", in.at.service)
	case a.end != terminator:
		return mismatch("Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return nil
}

// checkSignature recomputes the signature with the secret that was issued.
func (in *request) checkSignature(secret string, t time.Time) *problem {
	return in.checkProof(t, func(canonical string) bool {
		return hmac.Equal([]byte(in.auth.sign(secret, canonical)), []byte(in.auth.signature))
	})
}

// wrongSignature is what AWS says of a signature that does not fit.
const wrongSignature = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method."

// checkProof holds what was signed against the request, and asks proves whether the
// signature is one of this text. The date comes after: a signature that is wrong
// proves nothing about a clock.
func (in *request) checkProof(t time.Time, proves func(canonical string) bool) *problem {
	a := in.auth
	signedAt, err := time.Parse(timeFormat, a.time)
	if err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'.", a.time)
	}
	if !slices.Contains(a.signed, "host") {
		return mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if name := in.unsigned(); name != "" {
		return mismatch("There were headers present in the request which were not signed: %s.", name)
	}
	canonical, ok := in.canonical()
	if !ok || !proves(canonical) {
		return mismatch(wrongSignature)
	}
	if day := signedAt.Format("20060102"); day != a.date {
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.",
			a.date, day)
	}
	limit := maxSkew
	if a.presigned && a.service != serviceSTS { // STS does not look at X-Amz-Expires
		limit = a.expires
	}
	if t.Sub(signedAt) > limit {
		return mismatch("Signature expired: %s is now earlier than %s (%s - %d min.)",
			a.time, t.Add(-limit).Format(timeFormat), t.Format(timeFormat), int(limit.Minutes()))
	}
	if signedAt.Sub(t) > maxSkew {
		return mismatch("Signature not yet current: %s is still later than %s (%s + 15 min.)",
			a.time, t.Add(maxSkew).Format(timeFormat), t.Format(timeFormat))
	}
	return nil
}

// unsigned names a header that should have been signed: all that begin with
// x-amz- must be, or they could be changed on the way.
func (in *request) unsigned() string {
	for name := range in.header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(in.auth.signed, name) {
			return name
		}
	}
	return ""
}

// sign computes the signature of a canonical request.
func (a authorization) sign(secret, canonical string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, a.end} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, a.stringToSign(canonical)))
}

// stringToSign is what is signed in the end.
func (a authorization) stringToSign(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{a.date, a.region, a.service, a.end}, "/")
	return strings.Join([]string{a.algorithm, a.time, scope, hex.EncodeToString(sum[:])}, "\n")
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// canonical is the text that is signed; false: a signed header is not there, or
// the body is not the one that was hashed.
func (in *request) canonical() (string, bool) {
	hash, ok := in.payloadHash()
	if !ok {
		return "", false
	}
	var headers strings.Builder
	for _, name := range in.auth.signed {
		value, ok := in.headerValue(name)
		if !ok {
			return "", false
		}
		headers.WriteString(name + ":" + value + "\n")
	}
	query, ok := in.canonicalQuery()
	return strings.Join([]string{
		in.method, in.canonicalPath(), query, headers.String(), strings.Join(in.auth.signed, ";"), hash,
	}, "\n"), ok
}

// payloadHash is the hash of the body as it is signed; false: the request says
// another. S3 may leave the body unsigned, or sign it in chunks of its own, which
// are not looked at here.
func (in *request) payloadHash() (string, bool) {
	sum := sha256.Sum256(in.body)
	hash := hex.EncodeToString(sum[:])
	declared := in.header.Get("X-Amz-Content-Sha256")
	if in.at.service == serviceHandled {
		if declared == "UNSIGNED-PAYLOAD" || strings.HasPrefix(declared, "STREAMING-") {
			return declared, true
		}
		if in.auth.presigned && in.auth.service == "s3" {
			return "UNSIGNED-PAYLOAD", true
		}
	}
	return hash, declared == "" || declared == hash
}

// canonicalPath is the path, escaped once more for all services but S3.
func (in *request) canonicalPath() string {
	if in.at.service == serviceHandled && strings.HasPrefix(in.auth.service, "s3") {
		return in.path
	}
	return escape(in.path, true)
}

// headerValue is a header as it is signed: values joined, runs of spaces one.
func (in *request) headerValue(name string) (string, bool) {
	switch name {
	case "host":
		return in.host, true
	case "content-length": // net/http keeps it outside of the headers
		return strconv.Itoa(len(in.body)), true
	}
	values := in.header.Values(name)
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ","), len(values) > 0
}

// canonicalQuery sorts the query and escapes it anew, without the signature of
// a presigned one.
func (in *request) canonicalQuery() (string, bool) {
	q, err := url.ParseQuery(in.rawQuery)
	if in.auth.presigned {
		q.Del("X-Amz-Signature")
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, v := range slices.Sorted(slices.Values(q[name])) {
			pairs = append(pairs, escape(name, false)+"="+escape(v, false))
		}
	}
	return strings.Join(pairs, "&"), err == nil
}

// escape is AWS's UriEncode: everything but RFC 3986's unreserved characters,
// and the slash if it is to be kept.
func escape(s string, keepSlash bool) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

package awsauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

// CertificateFiles returns a func for WithRolesAnywhere that reads a certificate and
// its private key from PEM files, anew at each call: a renewed certificate is used from
// the next refresh on.
//
// cert holds the machine's certificate, first, and perhaps the intermediates behind it;
// key holds the private key, RSA or ECDSA, not encrypted; chain are files of
// intermediates. One file may be both cert and key. Errors of the func name the file:
// Expired for a certificate whose time is over, else InvalidOption.
func CertificateFiles(cert, key string, chain ...string) func(context.Context) (tls.Certificate, error) {
	read := rolesanywhere.Files(cert, key, chain...)
	return func(ctx context.Context) (tls.Certificate, error) {
		certificate, err := read(ctx)
		if err != nil {
			return tls.Certificate{}, certificateError(err)
		}
		return certificate, nil
	}
}

// anywhereSource is a role that a certificate opens.
func (l *look) anywhereSource() (*source, error) {
	o := l.settings.anywhere
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	if p, _ := PartitionOf(target.Region); string(p) != target.Partition {
		return nil, invalid("WithRolesAnywhere", "the trust anchor names region %s of partition %s, and there is none of that name", redact.Clip(target.Region), target.Partition).
			mend("check the ARN of the trust anchor")
	}
	if !slices.Contains([]Partition{AWS, China, GovCloud}, Partition(target.Partition)) {
		return nil, invalid("WithRolesAnywhere", "partition %s has no Roles Anywhere", target.Partition).mend("sign in another way there")
	}
	at, faults := l.serviceEndpoint("rolesanywhere")
	if err := faults.err(); err != nil {
		return nil, err
	}
	if at.url == "" {
		at = endpoint{rolesanywhere.Endpoint(target.Region, anywhereSuffix(Partition(target.Partition)), l.wantsFIPS()), "default"}
	}
	arn, err := parseRoleARN(target.RoleARN)
	if err != nil {
		return nil, invalid("WithRolesAnywhere", "%v", err)
	}
	spec := &roleSpec{arn: arn, durationName: "WithDuration"}
	if role := &l.settings.role; !role.targeted() {
		spec.roleSettings = *role
	}
	s := &source{kind: sourceAnywhere, option: true, asks: true, chained: true, dear: true, opens: spec, account: arn.account, region: target.Region}
	s.host, s.detail = at.host(), "trust anchor "+target.TrustAnchorARN
	s.kinds = []aws.CredentialSource{aws.CredentialSourceHTTP}
	s.claims = []claim{{partition: arn.partition, what: "role " + arn.String() + " of WithRolesAnywhere", role: true}}
	s.lasting = func(ctx context.Context, _ *kit) ([]string, error) {
		certificate, err := once(ctx, o.certificate)
		if err != nil {
			return nil, err
		}
		leaf, err := rolesanywhere.Leaf(certificate)
		if err != nil {
			return nil, err
		}
		return []string{target.TrustAnchorARN, target.ProfileARN, spec.key().String(), at.url, hex.EncodeToString(leaf.RawSubject), hex.EncodeToString(leaf.RawIssuer), alternativeNames(leaf)}, nil
	}
	request := rolesanywhere.Request{Target: target, Endpoint: at.url, Name: spec.sessionName, Duration: spec.duration}
	s.open = func(k *kit) (fetch, error) {
		return (&certified{kit: k, source: s, certificate: o.certificate, request: request}).fetch, nil
	}
	return s, nil
}

// alternativeNames are a certificate's other names, as they are written there. They
// are in the session's tags, and SPIFFE tells workloads apart by them alone.
//
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
func alternativeNames(leaf *x509.Certificate) string {
	for _, e := range leaf.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			return hex.EncodeToString(e.Value)
		}
	}
	return ""
}

// anywhereSuffix ends the service's hosts in a partition.
func anywhereSuffix(p Partition) string {
	if p == China {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// certified signs in with a certificate.
type certified struct {
	kit         *kit
	source      *source
	certificate func(context.Context) (tls.Certificate, error)
	request     rolesanywhere.Request
	pacer       pace.Pacer
}

// fetch signs in anew. What is wrong with the certificate is found before any call.
func (c *certified) fetch(ctx context.Context) (refresh.Issued, error) {
	certificate, err := once(ctx, c.certificate)
	if err == nil {
		err = rolesanywhere.Check(certificate, time.Now())
	}
	if err != nil {
		return refresh.Issued{}, certificateError(err)
	}
	call := stsCall{op: "assume role", target: c.request.RoleARN, host: c.source.host, region: c.request.Region, service: "Roles Anywhere", by: c.kit.by, started: time.Now()}
	client := rolesanywhere.Client{HTTP: c.kit.cfg.HTTPClient, UserAgent: "awsauth", Retryer: func() aws.Retryer {
		return c.pacer.Of(c.kit.wire.newRetryer(), c.kit.wire.paced(ctx, call))
	}}
	keys, who, err := client.CreateSession(ctx, c.request, certificate)
	if err == nil {
		err = c.source.checkKeys(keys)
	}
	if err != nil {
		return refresh.Issued{}, anywhereError(err, call)
	}
	became, err := readAnywhere(who, c.source.opens.arn, c.source.host)
	if err != nil {
		return refresh.Issued{}, err
	}
	return became.keys(keys), nil
}

// readAnywhere holds whom the service names against the role that was asked for.
func readAnywhere(who rolesanywhere.Session, asked roleARN, host string) (assumed, error) {
	if who.ARN == "" {
		return assumed{}, nil
	}
	known, err := isRole(who.ARN, asked, host)
	if e := deepest(err); e != nil {
		return assumed{}, e.notSTS()
	}
	if !known {
		return assumed{}, nil
	}
	return assumed{who.ARN, redact.OneLine(who.UserID)}, nil
}

// certificateError is what is wrong with a certificate, or why there is none.
func certificateError(err error) error {
	if e := deepest(err); e != nil {
		return e
	}
	var bad *rolesanywhere.CertificateError
	e := &Error{Kind: InvalidOption, Op: "WithRolesAnywhere", Err: redact.Error(err)}
	if !errors.As(err, &bad) {
		err = withoutKeys(err)
		e.Kind, e.what, e.Err = NoCredentials, "there is no certificate: "+cmp.Or(redact.OneLine(err.Error()), noWords), redact.Error(err)
		return e
	}
	if bad.File != "" {
		e.Op = redact.OneLine(bad.File)
	}
	e.what, e.Hint = bad.What, bad.Mend
	if bad.Expired {
		e.Kind = Expired
	}
	return e
}

// withoutKeys hides what the error of a caller's func quotes of a PEM file.
func withoutKeys(err error) error {
	text, _, found := strings.Cut(err.Error(), "-----BEGIN")
	if !found {
		return err
	}
	return &quiet{text + "…", func(target error) bool { return errors.Is(err, target) }}
}

// anywhereError makes an *Error of what the service or the way there answered.
func anywhereError(err error, call stsCall) error {
	if e := deepest(err); e != nil {
		return e
	}
	e := &Error{Op: call.op, Target: call.target, Err: redact.Error(err)}
	e.tries = effort(err, call.started)
	var key *rolesanywhere.CertificateError
	if errors.As(err, &key) {
		return certificateError(err)
	}
	var refused *rolesanywhere.ServiceError
	if !errors.As(err, &refused) {
		e.noAnswer(refusal{}, call)
		return e.notSTS()
	}
	said := fmt.Sprintf("%s (%s)", redact.Message(refused.Message), redact.OneLine(refused.Code))
	e.RequestID, e.Hint = redact.OneLine(refused.RequestID), refused.Mend()
	switch {
	case refused.Status == http.StatusTooManyRequests || isThrottle(refused.Code):
		e.Kind, e.what = Throttled, "throttled by Roles Anywhere in "+call.region
	case refused.Status >= http.StatusInternalServerError:
		e.Kind, e.what = Unreachable, "Roles Anywhere in "+call.region+" fails: "+said
	case refused.Status == http.StatusForbidden:
		e.Kind, e.what = AccessDenied, "access denied: "+said
	default:
		e.Kind, e.what = InvalidOption, said
	}
	return e
}

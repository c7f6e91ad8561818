package awsauthtest

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// dialect is how one protocol of AWS's services says what all of them refuse.
type dialect struct {
	status map[string]int    // by code, where it is not that of STS
	code   map[string]string // likewise
}

// The codes that differ. STS's are the ones of the Query protocol.
var (
	dialectS3 = dialect{
		status: map[string]int{"ExpiredToken": http.StatusBadRequest},
		code:   map[string]string{"InvalidClientTokenId": "InvalidAccessKeyId", "IncompleteSignature": "AuthorizationHeaderMalformed"},
	}
	dialectEC2 = dialect{
		status: map[string]int{"AuthFailure": http.StatusUnauthorized, "RequestExpired": http.StatusBadRequest},
		code:   map[string]string{"InvalidClientTokenId": "AuthFailure", "SignatureDoesNotMatch": "AuthFailure", "ExpiredToken": "RequestExpired", "AccessDenied": "UnauthorizedOperation"},
	}
	dialectAnywhere = dialect{
		status: map[string]int{"ThrottlingException": http.StatusTooManyRequests},
		code: map[string]string{
			"SignatureDoesNotMatch": "AccessDeniedException", "AccessDenied": "AccessDeniedException",
			"MissingAuthenticationToken": "AccessDeniedException", "IncompleteSignature": "ValidationException",
			"ValidationError": "ValidationException", "Throttling": "ThrottlingException",
		},
	}
	dialectJSON = dialect{
		code: map[string]string{
			"InvalidClientTokenId": "UnrecognizedClientException", "SignatureDoesNotMatch": "InvalidSignatureException",
			"ExpiredToken": "ExpiredTokenException", "AccessDenied": "AccessDeniedException", "Throttling": "ThrottlingException",
			"IncompleteSignature": "IncompleteSignatureException", "MissingAuthenticationToken": "MissingAuthenticationTokenException",
		},
	}
)

// of translates a refusal. One that a Fault words itself stays as it is.
func (d dialect) of(p *problem) *problem {
	out := *p
	if code := d.code[p.code]; code != "" {
		out.code = code
	}
	if status := d.status[out.code]; status != 0 {
		out.status = status
	}
	return &out
}

// serviceFailure is a refusal in the protocol of the service that was asked, told
// by the scope of the signature and the form of the request.
func (in *request) serviceFailure(p *problem) reply {
	form := strings.HasPrefix(in.header.Get("Content-Type"), "application/x-www-form-urlencoded")
	target := in.header.Get("X-Amz-Target") != ""
	switch {
	case strings.HasPrefix(in.auth.service, "s3"):
		p = dialectS3.of(p)
		return in.xml(p.status, p.code, struct {
			XMLName   xml.Name `xml:"Error"`
			Code      string
			Message   string
			RequestID string `xml:"RequestId"`
		}{Code: p.code, Message: p.message, RequestID: in.requestID()})
	case in.auth.service == "ec2":
		p = dialectEC2.of(p)
		type failure struct{ Code, Message string }
		return in.xml(p.status, p.code, struct {
			XMLName   xml.Name `xml:"Response"`
			Error     failure  `xml:"Errors>Error"`
			RequestID string
		}{Error: failure{p.code, p.message}, RequestID: in.requestID()})
	case target || !form:
		p = dialectJSON.of(p)
		if target && p.status < http.StatusInternalServerError {
			p.status = http.StatusBadRequest // AWS JSON has one status for the caller's faults
		}
		out := jsonReply(p.status, map[string]string{"__type": p.code, "message": p.message})
		out.code = p.code
		out.header.Set("X-Amzn-Errortype", p.code)
		out.header.Set("X-Amzn-Requestid", in.requestID())
		return out
	}
	return in.stsFailure(p)
}

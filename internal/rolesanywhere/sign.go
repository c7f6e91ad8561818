package rolesanywhere

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// What is signed is that of Signature Version 4; how it is signed is not: with the
// certificate's key, over a digest by SHA-256 whatever the key's size.
// See https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
const (
	path        = "/sessions"
	contentType = "application/json"
	timeForm    = "20060102T150405Z"
)

// body is the request in JSON.
func (r Request) body() ([]byte, error) {
	return json.Marshal(struct {
		Seconds     int64  `json:"durationSeconds,omitempty"`
		Profile     string `json:"profileArn"`
		Role        string `json:"roleArn"`
		TrustAnchor string `json:"trustAnchorArn"`
		Name        string `json:"roleSessionName,omitempty"`
	}{int64(r.Duration / time.Second), r.ProfileARN, r.RoleARN, r.TrustAnchorARN, r.Name})
}

// signed makes the request of one attempt, signed at a time.
func (r Request) signed(ctx context.Context, id identity, body []byte, now time.Time) (*http.Request, error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(r.Endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	at := now.UTC().Format(timeForm)
	headers := []struct{ name, value string }{ // in the order of their names
		{"content-type", contentType},
		{"host", out.URL.Host},
		{"x-amz-date", at},
		{"x-amz-x509", encode(id.leaf)},
		{"x-amz-x509-chain", encode(id.chain...)},
	}
	if len(id.chain) == 0 {
		headers = headers[:len(headers)-1]
	}
	var lines, list []string
	for _, h := range headers {
		lines, list = append(lines, h.name+":"+h.value), append(list, h.name)
		if h.name != "host" {
			out.Header.Set(h.name, h.value)
		}
	}
	names := strings.Join(list, ";")
	canonical := strings.Join([]string{
		out.Method, out.URL.EscapedPath(), "", strings.Join(lines, "\n") + "\n", names, hash(body),
	}, "\n")
	scope := strings.Join([]string{at[:8], r.Region, "rolesanywhere", "aws4_request"}, "/")
	signature, err := id.sign(strings.Join([]string{algorithm(id.leaf), at, scope, hash([]byte(canonical))}, "\n"))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Authorization", algorithm(id.leaf)+" Credential="+id.leaf.SerialNumber.String()+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(signature))
	return out, nil
}

// sign signs a text: PKCS #1 v1.5 with RSA, ASN.1 with ECDSA.
func (id identity) sign(text string) ([]byte, error) {
	digest := sha256.Sum256([]byte(text))
	signature, err := id.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		err = redact.Error(err)
		return nil, &CertificateError{
			What: "the private key of " + subject(id.leaf) + " did not sign: " + redact.OneLine(err.Error()),
			Mend: "check the device or agent that holds the key", Err: err,
		}
	}
	return signature, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// encode writes certificates as a header has them.
func encode(all ...*x509.Certificate) string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = base64.StdEncoding.EncodeToString(c.Raw)
	}
	return strings.Join(out, ",")
}

package awsauthtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

var errProof = errors.New("no valid proof of possession")

// proof checks that whoever sent a request holds the key that a login is tied to,
// and returns the id of the proof, which is good once.
// See https://datatracker.ietf.org/doc/html/rfc9449
func (in *request) proof(key *ecdsa.PublicKey) (id string, err error) {
	parts := strings.Split(in.header.Get("Dpop"), ".")
	if len(parts) != 3 {
		return "", errProof
	}
	var header struct {
		Typ, Alg string
		Jwk      struct{ Kty, Crv, X, Y string }
	}
	var claims struct {
		Jti, Htm, Htu string
		Iat           int64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 || decodePart(parts[0], &header) != nil || decodePart(parts[1], &claims) != nil {
		return "", errProof
	}
	public, err := publicKey(header.Jwk.X, header.Jwk.Y)
	if err != nil || !public.Equal(key) || header.Jwk.Kty != "EC" || header.Jwk.Crv != "P-256" || header.Typ != "dpop+jwt" || header.Alg != "ES256" {
		return "", errProof
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(public, sum[:], r, s) {
		return "", errProof
	}
	to, err := url.Parse(claims.Htu)
	age := in.now.Sub(time.Unix(claims.Iat, 0)).Abs()
	if err != nil || !strings.EqualFold(to.Host, in.host) || to.EscapedPath() != in.path ||
		claims.Htm != http.MethodPost || claims.Jti == "" || age > maxSkew {
		return "", errProof
	}
	return claims.Jti, nil
}

// decodePart reads one of the JSON parts of a token.
func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// publicKey is the point (x, y) of P-256. The SDK leaves out leading zeros.
func publicKey(x, y string) (*ecdsa.PublicKey, error) {
	const size = 32
	point := make([]byte, 1+2*size)
	point[0] = 4 // uncompressed
	for i, coordinate := range []string{x, y} {
		raw, err := base64.RawURLEncoding.DecodeString(coordinate)
		if err != nil || len(raw) > size {
			return nil, errProof
		}
		copy(point[1+size*(i+1)-len(raw):], raw)
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

package awsauth

import (
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/auth/bearer"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// tokenWait is how long a process waits for another one that is refreshing the same
// token file, before it goes on by itself.
const tokenWait = 8 * time.Second

// tokenFile is the file in which a login keeps its token. All processes of a user
// share it, and a refresh token works once: so it is refreshed by one of them at a
// time, under a lock, and the others read what that one wrote.
type tokenFile struct {
	path   string
	margin time.Duration // with less left, a token counts as expired
	expiry func([]byte) time.Time
}

// refreshMargin covers the time between our look at a token and the SDK's, which
// refreshes it once it has expired.
const refreshMargin = 10 * time.Second

// ssoTokenFile is that of `aws sso login`.
func ssoTokenFile(path string) tokenFile {
	return tokenFile{path, refreshMargin, func(text []byte) time.Time {
		var token struct {
			ExpiresAt time.Time `json:"expiresAt"`
		}
		_ = json.Unmarshal(text, &token)
		return token.ExpiresAt
	}}
}

// loginTokenFile is that of `aws login`.
func loginTokenFile(path string) tokenFile {
	return tokenFile{path, refreshMargin, func(text []byte) time.Time {
		var token struct {
			AccessToken struct {
				ExpiresAt time.Time `json:"expiresAt"`
			} `json:"accessToken"`
		}
		_ = json.Unmarshal(text, &token)
		return token.AccessToken.ExpiresAt
	}}
}

// errIrregular is why a file is not read: a pipe, for one, might never end.
var errIrregular = errors.New("is not a regular file")

// checkRegular refuses what is there and is no regular file. Of a file that is not
// there, or cannot be looked at, it says nothing.
func checkRegular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &tokenFileError{path, errIrregular}
	}
	return nil
}

// readRegular is os.ReadFile that waits for no pipe.
func readRegular(path string) ([]byte, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// due reports whether the token is to be refreshed. Of a file that cannot be read
// the SDK says what is wrong, for which no lock is needed.
func (f tokenFile) due() bool {
	text, err := readRegular(f.path)
	if err != nil {
		return false
	}
	expiry := f.expiry(text)
	return !expiry.IsZero() && time.Until(expiry) <= f.margin
}

// locked runs do while no other process refreshes the token, if it is due. It does not
// run do where the SDK would wait for ever to read the file.
func (l *look) locked(ctx context.Context, f tokenFile, do func(context.Context) error) error {
	if err := checkRegular(f.path); err != nil {
		return err
	}
	if !f.due() {
		return do(ctx)
	}
	return diskcache.WithLock(ctx, f.path, tokenWait, func(ctx context.Context, msg string, err error) {
		l.settings.logger.WarnContext(ctx, "awsauth: "+msg, "err", err)
	}, do)
}

// oneAtATime gets credentials with a token that the SDK refreshes in place: it writes
// another file and renames it.
func (l *look) oneAtATime(f tokenFile, get func(context.Context) (aws.Credentials, error)) func(context.Context) (aws.Credentials, error) {
	return func(ctx context.Context) (creds aws.Credentials, err error) {
		err = l.locked(ctx, f, func(ctx context.Context) (err error) {
			creds, err = get(ctx)
			return err
		})
		return creds, err
	}
}

// oneToken is oneAtATime for the token itself.
func (l *look) oneToken(f tokenFile, provider bearer.TokenProvider) bearer.TokenProvider {
	return bearer.TokenProviderFunc(func(ctx context.Context) (token bearer.Token, err error) {
		err = l.locked(ctx, f, func(ctx context.Context) (err error) {
			token, err = provider.RetrieveBearerToken(ctx)
			return err
		})
		return token, err
	})
}

// renewedLogin gets the credentials of `aws login`. The SDK writes the refreshed
// token over the old one, where a reader could meet half of it: so it is given a
// copy, which is then renamed into place. wide is AWS_RESTRICT_FILE_PERMISSIONS, which
// may let the file keep a wider mode than 0600.
func (l *look) renewedLogin(f tokenFile, wide bool, get func(ctx context.Context, path string) (aws.Credentials, error)) func(context.Context) (aws.Credentials, error) {
	return func(ctx context.Context) (creds aws.Credentials, err error) {
		err = l.locked(ctx, f, func(ctx context.Context) (err error) {
			if !f.due() { // another process has refreshed it
				creds, err = get(ctx, f.path)
				return err
			}
			err = diskcache.Rewrite(f.path, wide, func(path string) (err error) {
				creds, err = get(ctx, path)
				return err
			})
			return err
		})
		return creds, err
	}
}

// errBrokenLogin is the error of a login's file over which the SDK would panic.
var errBrokenLogin = errors.New("the file of the login is broken")

// checkLogin looks, in the file of `aws login`, for what the SDK takes for granted: an
// object, and the key that signs the request for a new token if one is due. Of all
// else that is missing the SDK says it.
func checkLogin(path string) error {
	f := loginTokenFile(path)
	text, err := readRegular(f.path)
	if err != nil {
		return nil // which the SDK meets too
	}
	var token *struct {
		Key string `json:"dpopKey"`
	}
	if err := json.Unmarshal(text, &token); err != nil || token == nil {
		return errBrokenLogin
	}
	if !f.due() {
		return nil
	}
	block, _ := pem.Decode([]byte(token.Key))
	if block == nil {
		return errBrokenLogin
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err != nil || key.Curve != elliptic.P256() {
		return errBrokenLogin
	}
	return nil
}

// loginDigest stands for the login whose token a file holds.
func loginDigest(path string) (string, error) {
	text, err := readRegular(path)
	if err != nil {
		return "", err
	}
	var token struct {
		AccessToken string `json:"accessToken"`
	}
	if err := json.Unmarshal(text, &token); err != nil {
		return "", err
	}
	if token.AccessToken == "" {
		return "", errors.New("it holds no token")
	}
	digest := sha256.Sum256([]byte(token.AccessToken))
	return hex.EncodeToString(digest[:]), nil
}

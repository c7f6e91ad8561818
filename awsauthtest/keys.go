package awsauthtest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Keys are credentials that the Cloud issued. They print without their
// secrets, whatever the verb, in logs and as JSON.
type Keys struct {
	AccessKeyID     string    // AKIA… for a user, ASIA… for a session; 20 characters
	SecretAccessKey string    // 40 characters
	SessionToken    string    // empty for a user's own keys
	Expires         time.Time // zero for keys that live until Deactivate
}

// Provider returns a provider that always hands out these keys, also after
// they have expired.
func (k Keys) Provider() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken,
			CanExpire: !k.Expires.IsZero(), Expires: k.Expires, Source: "awsauthtest",
		}, nil
	})
}

// String names the keys by a shortened id and their expiry.
func (k Keys) String() string {
	if k.Expires.IsZero() {
		return "keys " + shortID(k.AccessKeyID)
	}
	return "keys " + shortID(k.AccessKeyID) + " until " + k.Expires.UTC().Format(time.RFC3339)
}

// GoString is String: %#v must not show what %v hides.
func (k Keys) GoString() string { return k.String() }

// Format prints String for every verb, %x and %d included.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// LogValue is what log/slog shows of the keys.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON encodes the shortened id and the expiry, never the secrets.
func (k Keys) MarshalJSON() ([]byte, error) {
	out := struct {
		AccessKeyID string
		Expires     *time.Time `json:",omitempty"`
	}{AccessKeyID: shortID(k.AccessKeyID)}
	if !k.Expires.IsZero() {
		out.Expires = &k.Expires
	}
	return json.Marshal(out)
}

// shortID leaves enough of an access key id to tell it from others.
func shortID(id string) string {
	if len(id) < 12 {
		return "…"
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// credential is a key with the identity behind it.
type credential struct {
	keys     Keys
	who      principal
	inactive bool // unknown to AWS from now on
	expired  bool // by Expire, before its time
	revoked  bool // by Revoke: may do nothing any more
	global   bool // issued by STS's global endpoint: not for opt-in regions
}

// principal is who a caller is.
type principal struct {
	arn       string // as GetCallerIdentity shows it
	userID    string
	partition string
	account   string
	user      *user  // nil for a role session
	role      string // ARN of the role; empty for a user
	temporary bool   // a session: of a role, or of GetSessionToken
	mfa       bool   // the session was made with an MFA code
	chained   bool   // the role was assumed with temporary keys

	sourceIdentity string
	tags           map[string]string // of the session
	transitive     map[string]string // those of them that travel along a chain
}

// issue makes keys for an identity and remembers them. A zero expiry makes
// long-lived ones. The caller holds c.mu.
func (c *Cloud) issue(who principal, expires time.Time) Keys {
	c.serial++
	prefix := "AKIA"
	if !expires.IsZero() {
		prefix = "ASIA"
	}
	seed := who.arn + "\n" + strconv.Itoa(c.serial)
	k := Keys{
		AccessKeyID:     prefix + keyID(c.derive("id", seed, 12), who.account),
		SecretAccessKey: base64.StdEncoding.EncodeToString(c.derive("secret", seed, 30)),
		Expires:         expires,
	}
	if !expires.IsZero() {
		// The prefix is what real tokens begin with; the length is usual, too.
		k.SessionToken = "IQoJb3JpZ2luX2Vj" + base64.StdEncoding.EncodeToString(c.derive("token", seed, 300))
	}
	c.creds[k.AccessKeyID] = credential{keys: k, who: who}
	return k
}

// answerKeys issues the keys that STS answers a request with. The caller holds c.mu.
func (c *Cloud) answerKeys(in *request, who principal, lifetime time.Duration) Keys {
	keys := c.issue(who, in.now.Add(lifetime).Truncate(time.Second))
	k := c.creds[keys.AccessKeyID]
	k.global = in.at.global
	c.creds[keys.AccessKeyID] = k
	return keys
}

// keyID makes the 16 characters after the prefix of an access key id. As in
// AWS's, the account can be read from them: 40 bits after the first, so tools
// that decode ids work.
func keyID(raw []byte, account string) string {
	n, _ := strconv.ParseUint(account, 10, 64)
	low := uint64(raw[0] & 0x7f)
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], 1<<47|n<<7|low)
	return base32.StdEncoding.EncodeToString(append(head[2:], raw[1:5]...))
}

// accountOf reads the account from an access key id, as keyID wrote it. Ids from
// before 2019 do not hold it.
func accountOf(id string) (string, bool) {
	if len(id) != 20 || id[:4] != "AKIA" && id[:4] != "ASIA" {
		return "", false
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil {
		return "", false
	}
	bits := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...))
	account := bits & (1<<47 - 1) >> 7
	return fmt.Sprintf("%012d", account), bits>>47 == 1 && account < 1e12
}

// uniqueID is the fixed id of a user (AIDA…), a role (AROA…): 21 characters.
func uniqueID(prefix, arn string) string {
	return prefix + base32.StdEncoding.EncodeToString(derive("awsauthtest", prefix, arn, 15))[:17]
}

// newSecret is where all keys and codes of a Cloud come from, so that no two
// Clouds have one in common.
func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// derive makes n bytes that only this Cloud makes, the same for the same seed.
func (c *Cloud) derive(label, seed string, n int) []byte {
	return derive(string(c.secret), label, seed, n)
}

// derive stretches a seed to n bytes.
func derive(secret, label, seed string, n int) []byte {
	var out []byte
	for i := byte(0); len(out) < n; i++ {
		mac := hmac.New(sha256.New, []byte(secret+" "+label))
		mac.Write([]byte{i})
		mac.Write([]byte(seed))
		out = mac.Sum(out)
	}
	return out[:n]
}

// Deactivate makes a key unknown: AWS refuses it with InvalidClientTokenId, as
// it does a key that was deleted or set inactive. An id that is not known
// already is left so.
func (c *Cloud) Deactivate(accessKeyID string) {
	c.change(accessKeyID, func(k *credential) { k.inactive = true })
}

// Expire ends a session before its time: AWS refuses its keys with
// ExpiredToken, everywhere. Long-lived keys have no token that could expire;
// they, and an id that is not known, are left as they are.
func (c *Cloud) Expire(accessKeyID string) {
	c.change(accessKeyID, func(k *credential) { k.expired = !k.keys.Expires.IsZero() })
}

// Revoke does to one session what the button "Revoke active sessions" of the
// IAM console does to all of a role: the keys stay valid, but everything they
// are used for is denied (AccessDenied, "with an explicit deny in an
// identity-based policy"). Only GetCallerIdentity, which no policy can deny,
// goes on answering. Sessions that were assumed from it live on. Long-lived
// keys, and an id that is not known, are left as they are. [Cloud.Expire] ends a
// token, [Cloud.Deactivate] makes a key unknown.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func (c *Cloud) Revoke(accessKeyID string) {
	c.change(accessKeyID, func(k *credential) { k.revoked = !k.keys.Expires.IsZero() })
}

// SessionTags returns the tags of the session that a key belongs to, those
// inherited along a chain included. It is nil for a session without tags, for
// long-lived keys and for an unknown id.
func (c *Cloud) SessionTags(accessKeyID string) map[string]string {
	k, _ := c.credential(accessKeyID)
	if len(k.who.tags) == 0 {
		return nil
	}
	out := make(map[string]string, len(k.who.tags))
	for name, value := range k.who.tags {
		out[name] = value
	}
	return out
}

func (c *Cloud) change(id string, do func(*credential)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.creds[id]; ok {
		do(&k)
		c.creds[id] = k
	}
}

// credential looks a key up. What it returns is a copy; the maps in it are
// never changed once made.
func (c *Cloud) credential(id string) (credential, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.creds[id]
	return k, ok
}

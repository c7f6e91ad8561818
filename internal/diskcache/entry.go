package diskcache

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Entry is a set of temporary credentials and what belongs to them. However it is
// printed, logged or marshaled, it shows no secret.
type Entry struct {
	aws.Credentials

	ARN, UserID string    // who the credentials are
	Fetched     time.Time // when, by the clock of this machine
	What, From  string    // for a listing: the role or "MFA session", and the source in words
}

// keepable reports whether an entry may be written: it holds a key pair that
// expires, and has not expired. Keys without an expiry are long-lived, and those
// are never written.
func (e Entry) keepable(now time.Time) bool {
	return e.HasKeys() && e.CanExpire && e.Expires.After(now)
}

// String names the entry without its secrets.
func (e Entry) String() string {
	text := "credentials " + redact.Key(e.AccessKeyID)
	if e.ARN != "" {
		text += " of " + e.ARN
	}
	if e.CanExpire {
		text += " until " + e.Expires.UTC().Format(time.RFC3339)
	}
	return text
}

// Format prints String under every verb: %#v must not show what %v hides.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue is what log/slog shows of the entry.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText is String: JSON and the like must not show what %v hides. Files
// hold another type.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

package diskcache

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// formatVersion is written into every entry. Entries of another version are
	// not read.
	formatVersion = 1

	// maxSize limits an entry's file. A session token has up to 4 KiB today; what
	// is far larger is none of ours.
	maxSize = 256 << 10
)

// What is wrong with an entry. No text quotes the entry, as those of a parser would.
var (
	errExpired = errors.New("the entry has expired")
	errSyntax  = errors.New("the entry is cut or damaged: it is not the JSON of an entry")
	errVersion = errors.New("the entry is of another version of this package")
	errForeign = errors.New("the entry is the copy of another one")
	errText    = errors.New("the keys are not UTF-8 text, as JSON needs it")
	errLarge   = fmt.Errorf("the entry has more than %d KiB", maxSize>>10)
)

// record is an entry as it stands in a file.
type record struct {
	Version         int
	Key             string // the entry's own: a copy under another name is noticed
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `json:",omitempty"`
	Expires         time.Time
	AccountID       string `json:"AccountId,omitempty"`
	Source          string `json:",omitempty"`
	ARN             string `json:"Arn,omitempty"`
	UserID          string `json:"UserId,omitempty"`
	Fetched         time.Time
	What            string `json:",omitempty"`
	From            string `json:",omitempty"`
}

// encode returns the bytes of an entry's file; box nil: plain.
func encode(e Entry, k Key, b *box) ([]byte, error) {
	if !utf8.ValidString(e.AccessKeyID + e.SecretAccessKey + e.SessionToken) {
		return nil, errText
	}
	data, err := json.Marshal(record{
		Version: formatVersion, Key: k.String(),
		AccessKeyID: e.AccessKeyID, SecretAccessKey: e.SecretAccessKey, SessionToken: e.SessionToken,
		Expires: e.Expires.UTC(), AccountID: e.AccountID, Source: e.Source,
		ARN: e.ARN, UserID: e.UserID, Fetched: e.Fetched.UTC(), What: e.What, From: e.From,
	})
	if err != nil {
		return nil, errors.New("the entry has an expiry after the year 9999") // all else can be marshaled
	}
	if b != nil {
		data = b.seal(data, k)
	}
	if len(data) > maxSize {
		return nil, errLarge
	}
	return data, nil
}

// decode reads the bytes of the file of k. What it returns without an error has
// keys, is the entry of k, and has not expired.
func decode(data []byte, k Key, b *box, now time.Time) (Entry, error) {
	e, err := decodeAny(data, k, b)
	if err == nil && !e.Expires.After(now) {
		return Entry{}, errExpired
	}
	return e, err
}

// decodeAny is decode that also reads expired entries.
func decodeAny(data []byte, k Key, b *box) (Entry, error) {
	if b != nil {
		var err error
		if data, err = b.open(data, k); err != nil {
			return Entry{}, err
		}
	}
	var r record
	if json.Unmarshal(data, &r) != nil {
		return Entry{}, errSyntax
	}
	switch {
	case r.Version != formatVersion:
		return Entry{}, errVersion
	case r.Key != k.String():
		return Entry{}, errForeign
	case r.AccessKeyID == "" || r.SecretAccessKey == "" || r.Expires.IsZero():
		return Entry{}, errSyntax
	}
	return Entry{
		Credentials: aws.Credentials{
			AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey, SessionToken: r.SessionToken,
			Source: r.Source, CanExpire: true, Expires: r.Expires, AccountID: r.AccountID,
		},
		ARN: r.ARN, UserID: r.UserID, Fetched: r.Fetched, What: r.What, From: r.From,
	}, nil
}

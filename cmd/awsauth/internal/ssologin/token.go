package ssologin

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
)

// Token is the file's content, by the names that the AWS CLI and the SDKs know. All
// of the tokens and the secret are secrets: it prints without them.
type Token struct {
	StartURL              string `json:"startUrl"`
	Region                string `json:"region"`
	AccessToken           string `json:"accessToken"`
	ExpiresAt             string `json:"expiresAt"`
	ClientID              string `json:"clientId,omitempty"`
	ClientSecret          string `json:"clientSecret,omitempty"`
	RegistrationExpiresAt string `json:"registrationExpiresAt,omitempty"`
	RefreshToken          string `json:"refreshToken,omitempty"`
}

// String says whose token it is, and until when.
func (t Token) String() string { return fmt.Sprintf("token of %s until %s", t.StartURL, t.ExpiresAt) }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// Format prints String for every verb.
func (t Token) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, t.String()) }

// File is where the token of a place is kept: the name comes from the session's
// name, or, without a session, from the address.
func (p Place) File() (string, error) {
	key := p.Session
	if key == "" {
		key = p.StartURL
	}
	return ssocreds.StandardCachedTokenFilepath(key)
}

// MakeDirectory makes the directory of the token's file, if it is missing.
func (p Place) MakeDirectory() error {
	path, err := p.File()
	if err != nil {
		return err
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// Read reads the token of a place. Where there is none, the error is fs.ErrNotExist.
func (p Place) Read() (Token, error) {
	path, err := p.File()
	if err != nil {
		return Token{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Token{}, err
	}
	var t Token
	if json.Unmarshal(text, &t) != nil {
		return Token{}, fmt.Errorf("%s: not a token file", path) // without its text
	}
	return t, nil
}

// Write keeps a token, and returns the one that is kept: another login at the same place
// may have written one meanwhile that lasts longer, which then stays. before is what was
// there when this login began. The caller holds the lock of the file.
func (p Place) Write(t, before Token) (kept Token, err error) {
	if there, err := p.Read(); err == nil && there != before && there.sameSite(t) && there.outlasts(t) {
		return there, nil
	}
	return t, p.write(t)
}

// sameSite reports whether two tokens are of one address. The file is named after the
// session: another config file may have another address for the same name.
func (t Token) sameSite(other Token) bool {
	return t.StartURL == other.StartURL && t.Region == other.Region
}

// outlasts reports whether t ends later than other, as far as both say when.
func (t Token) outlasts(other Token) bool {
	mine, err := time.Parse(time.RFC3339, t.ExpiresAt)
	theirs, bad := time.Parse(time.RFC3339, other.ExpiresAt)
	return err == nil && bad == nil && mine.After(theirs)
}

// write replaces the file. A reader sees the old one or the new one, never a part: the
// AWS CLI does not get over a file that was cut off.
func (p Place) write(t Token) (err error) {
	path, err := p.File()
	if err != nil {
		return err
	}
	if err := p.MakeDirectory(); err != nil {
		return err
	}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".awsauth-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Remove takes the token's file away.
func (p Place) Remove() error {
	path, err := p.File()
	if err != nil {
		return err
	}
	return os.Remove(path)
}

package awsauth

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// Retrieve returns credentials that are good now. Those in memory are returned at
// once, and renewed in the background; in their last two minutes Retrieve gives the
// new ones up to 5 seconds to come. Where there are none, it waits as long as ctx
// allows. Callers at the same time share one request, which goes on when one of them
// leaves. Expires is what AWS said. Ask again whenever keys are needed: a copy is not
// renewed.
//
// Errors are *Error. Where ctx ended, errors.Is finds its error.
func (s *Session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := s.issued(ctx)
	if err == nil {
		err = s.admit(ctx, keys)
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	return keys.Credentials, nil
}

// admit holds keys that are to be handed out against WithAllowedAccounts. Those of a
// role are of the account in its ARN, which was checked when the session was made.
func (s *Session) admit(ctx context.Context, keys *refresh.Issued) error {
	allowed := s.family.allowed
	if len(allowed) == 0 || s.role != nil {
		return nil
	}
	account := s.accountOf(keys)
	if account == "" {
		id, err := s.identityOf(ctx, keys) // of these very keys: others may have come meanwhile
		if err != nil {
			return err
		}
		account = id.Account
	}
	return allowed.check(account, s.path())
}

// accountOf is the account that came with keys of a base, "" if none did. What stands
// beside keys in a file or the environment is somebody's note, not AWS's word; another
// Session may pass such a note on.
func (s *Session) accountOf(keys *refresh.Issued) string {
	if parts := strings.SplitN(keys.ARN, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	if s.gate != nil && s.cache.Held() != keys { // passed through
		return s.parent.accountOf(keys)
	}
	if s.gate == nil && (s.source().keyID != "" || s.source().session || s.source().noted != "") {
		return ""
	}
	return keys.AccountID
}

// checkAllowed holds a session that is to be handed out against WithAllowedAccounts,
// as far as its account is known before any call.
func (s *Session) checkAllowed() error {
	allowed := s.family.allowed
	switch {
	case s.role != nil:
		return allowed.check(s.role.arn.account, "role "+s.role.arn.String())
	case s.gate != nil && accountOfSerial(s.gate.serial) != "":
		return allowed.check(accountOfSerial(s.gate.serial), s.path())
	case s.gate == nil && s.source().account != "":
		return allowed.check(s.source().account, s.path())
	}
	return nil
}

// barred is why the keys at hand are not handed out, as far as their account is known
// without a call; nil if they are.
func (s *Session) barred() *Error {
	cache := s.cache
	if !cache.Usable() && s.passesThrough() {
		cache = s.parent.cache
	}
	keys := cache.Held()
	if keys == nil || !cache.Usable() {
		return nil
	}
	account := s.accountOf(keys)
	if answer := s.caller.answer.Load(); account == "" && answer != nil && answer.keyID == keys.AccessKeyID {
		account = newIdentity(answer.who).Account
	}
	if account == "" {
		return nil
	}
	return deepest(s.family.allowed.check(account, s.path()))
}

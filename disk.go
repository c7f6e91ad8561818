package awsauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// How long a process waits for another one that is getting the same credentials.
// Then it goes on by itself: whoever holds the lock may hang.
const (
	diskWait      = 20 * time.Second // for a role; a refresh has 30 s
	diskWaitBase  = 8 * time.Second  // for a base, which may wait for a token file as well
	diskWaitTyped = 4 * time.Minute  // where a person may be typing a code
)

// openDisk opens the disk cache that the options ask for, nil if they do not.
func (s *settings) openDisk() *diskcache.Store {
	if !s.disk.given {
		return nil
	}
	return diskcache.Open(diskcache.Config{Dir: s.disk.dir, Key: s.disk.key, Warn: func(ctx context.Context, msg string, err error) {
		s.logger.WarnContext(ctx, "awsauth: disk cache: "+msg, "err", redact.Error(err))
	}})
}

// entry is where a session's credentials are kept on disk: those of a role, of an
// MFA session, or of a base that is dear to ask.
type entry struct {
	family *family
	at     *place
	parent *Session   // that gets them; nil for a base
	role   *roleSpec  // nil for an MFA session and for a base
	gate   *mfaDevice // of an MFA session
}

// through makes get ask the disk first, where there is a disk cache. Where it cannot
// be said who asks, the disk is not used.
func (e *entry) through(get fetch) fetch {
	return func(ctx context.Context) (refresh.Issued, error) {
		store := e.family.disk
		if store == nil {
			return get(ctx)
		}
		ctx = withOnce(ctx)
		key, ok, err := e.key(ctx)
		if err != nil {
			return refresh.Issued{}, err
		}
		if !ok {
			return get(ctx)
		}
		fetched := false
		var moved refresh.Issued
		found, err := store.Through(ctx, diskcache.Request{Key: key, Good: e.good(ctx), Wait: e.wait(ctx), Waiting: e.waiting(ctx)}, func(ctx context.Context) (diskcache.Entry, error) {
			fetched = true
			keys, err := get(ctx)
			if now, same, _ := e.key(ctx); err == nil && (!same || now != key) {
				moved = keys
				return diskcache.Entry{}, errMoved // they may be somebody else's: of no use to other processes
			}
			return diskcache.Entry{
				Credentials: keys.Credentials, ARN: keys.ARN, UserID: keys.UserID,
				Fetched: time.Now().Round(0), What: e.what(), From: e.from(),
			}, err
		})
		if err == errMoved {
			return moved, nil
		}
		return refresh.Issued{Credentials: found.Credentials, ARN: found.ARN, UserID: found.UserID, FromDisk: !fetched, Age: age(found), Owner: key.String()}, err
	}
}

// age is how long ago an entry was fetched, 0 if it does not say.
func age(e diskcache.Entry) time.Duration {
	if e.Fetched.IsZero() {
		return 0
	}
	return max(0, time.Since(e.Fetched))
}

// errMoved says that who asks has changed while credentials were got.
var errMoved = errors.New("who asks has changed meanwhile")

// typed reports whether a person types a code for the credentials.
func (e *entry) typed() bool { return e.gate != nil || e.role != nil && e.role.mfa.serial != "" }

// wait is how long to wait for another process. It is longer where that one may have
// to ask a person whom this one would ask too, and next to nothing where an earlier try
// of this very session hangs.
func (e *entry) wait(ctx context.Context) time.Duration {
	switch {
	case !refresh.Alone(ctx):
		return time.Millisecond
	case refresh.Background(ctx):
	case e.typed(), e.parent != nil && e.parent.asks():
		return diskWaitTyped
	}
	if e.parent == nil {
		return diskWaitBase
	}
	return diskWait
}

// waiting is called where another process has the lock: the time of the refresh stands
// still meanwhile, and a caller who leaves is told what he waited for.
func (e *entry) waiting(ctx context.Context) func() func() {
	return func() func() {
		busy := &Error{Kind: Unreachable, Op: e.op(), what: "another process is getting these credentials, and has not finished", elsewhere: true}
		refresh.Note(ctx, busy)
		release := refresh.Hold(ctx)
		return func() {
			release()
			refresh.Note(ctx, nil)
		}
	}
}

// op is what getting the credentials is called in errors.
func (e *entry) op() string {
	switch {
	case e.role != nil:
		return "assume role " + e.role.arn.String()
	case e.gate != nil:
		return startMFA
	}
	return e.from()
}

// from is who asks for the credentials, for a listing.
func (e *entry) from() string {
	if e.parent == nil {
		return e.family.decision.source.String()
	}
	return e.parent.path()
}

// what the credentials are, for a listing.
func (e *entry) what() string {
	switch {
	case e.role != nil:
		return "role " + e.role.arn.String()
	case e.gate != nil:
		return "MFA session of " + e.gate.serial
	}
	return e.family.decision.source.detail
}

// lifetime is how long the credentials last when they are new: what is asked for with
// those of a role or an MFA session. How long a base's last is the source's to say, and
// this is what is taken for it.
func (e *entry) lifetime() time.Duration {
	switch {
	case e.gate != nil:
		return mfaLifetime
	case e.role != nil:
		return e.role.duration
	}
	if opens := e.family.decision.source.opens; opens != nil && opens.duration > 0 {
		return opens.duration
	}
	return defaultDuration
}

// good decides whether what is on disk will do: it lives longer than what a caller
// would wait for its successor with, or as long as the caller asks for, it was not
// refused, and it is better than what the session has.
func (e *entry) good(ctx context.Context) func(diskcache.Entry) bool {
	held, gone := refresh.Replacing(ctx)
	least := min(2*time.Minute, e.lifetime()/10)
	if asked, ok := diskcache.AtLeast(ctx); ok {
		least = min(asked, e.lifetime()/3)
	}
	return func(found diskcache.Entry) bool {
		switch {
		case slices.Contains(gone, found.AccessKeyID), time.Until(found.Expires) <= least:
			return false
		case e.parent != nil && e.lifetime()-age(found) <= least: // by a clock that is behind it looks alive
			return false
		case held != nil:
			return found.AccessKeyID != held.AccessKeyID && found.Expires.After(held.Expires)
		}
		return true
	}
}

// drop removes credentials that STS does not know any more. It reports false, as
// they are alive no longer.
func (e *entry) drop(ctx context.Context, keys *refresh.Issued) bool {
	if store := e.family.disk; store != nil {
		if key, ok, _ := e.key(ctx); ok {
			store.Drop(ctx, key, keys.AccessKeyID)
		}
	}
	return false
}

// key stands for all that decides what the credentials are: who asks, whom and
// where, and what for. ok is false where who asks cannot be told, and beside each err.
func (e *entry) key(ctx context.Context) (key diskcache.Key, ok bool, err error) {
	b := diskcache.NewKey()
	w := e.family.wire
	b.Add("sts", string(e.at.partition), w.endpoint.url, w.host(e.at), w.signedFor(e.at))
	switch {
	case e.role != nil:
		ok, err = e.parent.identify(ctx, b)
		e.role.identify(b)
	case e.gate != nil:
		ok, err = e.parent.identify(ctx, b)
		b.Add("mfa", e.gate.serial)
	default:
		ok = e.family.decision.source.identify(ctx, e.family.kit, b)
	}
	return b.Sum(), ok && err == nil, err
}

// owner stands for the user for whom an MFA session was opened. The user's source may
// hold another user's keys by now, while the session is still the first one's.
func (s *Session) owner(ctx context.Context) (owner string, ok bool, err error) {
	if keys := s.cache.Held(); keys != nil && keys.Owner != "" && s.cache.Usable() {
		return keys.Owner, true, nil
	}
	key, ok, err := (&entry{family: s.family, at: s.place, parent: s.parent, gate: s.gate}).key(ctx)
	return key.String(), ok, err
}

// identify adds who a session is. A base without a lasting name of its own is told
// by its keys, which are asked for.
func (s *Session) identify(ctx context.Context, b *diskcache.KeyBuilder) (bool, error) {
	switch {
	case s.role != nil:
		ok, err := s.parent.identify(ctx, b)
		s.role.identify(b)
		return ok, err
	case s.gate != nil:
		owner, ok, err := s.owner(ctx)
		b.Add("mfa session", owner)
		return ok, err
	}
	if s.source().identify(ctx, s.family.kit, b) {
		return true, nil
	}
	keys, err := s.issued(ctx)
	if err != nil {
		return false, err
	}
	b.Add("keys", keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken)
	return true, nil
}

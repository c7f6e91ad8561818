package diskcache

import (
	"os"
	"time"

	"github.com/gofrs/flock"
)

// What black-box tests need to see or to let fail.

var RetryWhile = retryWhile

func (s *Store) FailSync(err error) { s.sys.sync = func(*os.File) error { return err } }

func (s *Store) FailRename(err error) { s.sys.rename = func(string, string) error { return err } }

func (s *Store) FailLock(err error) {
	s.sys.tryLock = func(*flock.Flock) (bool, error) { return false, err }
}

// HoldLock makes the lock one that another process holds all the time. look is called at
// each look at it.
func (s *Store) HoldLock(look func()) {
	s.sys.tryLock = func(*flock.Flock) (bool, error) { look(); return false, nil }
}

func Sweep(dir string, now time.Time) { realSystem().sweep(dir, now) }

// Decode reads the bytes of an entry's file; secret nil: a plain one.
func Decode(data []byte, k Key, secret []byte, now time.Time) (Entry, error) {
	if secret == nil {
		return decode(data, k, nil, now)
	}
	b, err := newBox(secret)
	if err != nil {
		return Entry{}, err
	}
	return decode(data, k, b, now)
}

// Seal encrypts any bytes as an entry is encrypted.
func Seal(plain []byte, k Key, secret []byte) []byte {
	b, err := newBox(secret)
	if err != nil {
		panic(err)
	}
	return b.seal(plain, k)
}

// RaceLock calls functions with the lock file's path before and after the first try
// to lock, in place of another process.
func (s *Store) RaceLock(before, after func(path string)) {
	first := true
	s.sys.tryLock = func(l *flock.Flock) (bool, error) {
		if !first {
			return l.TryLock()
		}
		first = false
		before(l.Path())
		defer after(l.Path())
		return l.TryLock()
	}
}

var NarrowDir = narrowDir

func RemoveLock(path string) { realSystem().removeLock(path) }

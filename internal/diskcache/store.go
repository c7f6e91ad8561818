package diskcache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says where a [Store] keeps its entries, and how.
type Config struct {
	// Dir is the directory. Empty means awsauth in [os.UserCacheDir]. It is made
	// at first use, and narrowed to mode 0700.
	Dir string

	// Key returns the 32 bytes from which entries are encrypted. Without it they
	// are plain. It is called when the store is first used; calls are shared, and
	// after a success there is no other. While it fails, nothing is read or
	// written.
	Key func(context.Context) ([]byte, error)

	// Warn is told of what keeps the store from working, once per kind of
	// trouble. Neither msg nor err holds a secret. It may be nil.
	Warn func(ctx context.Context, msg string, err error)
}

// Store is a directory of entries. It is safe for concurrent use.
type Store struct {
	dir    string
	dirErr error // why there is no directory
	key    *keyring
	warn   *warner
	sys    system
	swept  once // old files were removed
	tagged once // the directory's tag was looked after
}

// Open returns the store of a directory. It does no I/O: whatever is wrong with
// the directory is told at first use, as a warning.
func Open(c Config) *Store {
	s := &Store{dir: c.Dir, warn: &warner{tell: c.Warn}, sys: realSystem()}
	if c.Key != nil {
		s.key = &keyring{ask: c.Key}
	}
	if s.dir == "" {
		s.dir, s.dirErr = os.UserCacheDir()
		if s.dirErr == nil && !filepath.IsAbs(s.dir) {
			s.dirErr = errors.New("the home directory is not an absolute path")
		}
		s.dir = filepath.Join(s.dir, "awsauth")
	}
	if abs, err := filepath.Abs(s.dir); err == nil {
		s.dir = abs // the program may change its working directory
	}
	return s
}

// Request says which entry is wanted.
type Request struct {
	Key Key

	// Good reports whether an entry will do: that it lives long enough, say, or
	// is not one that a service refused. It is asked of every entry that is read,
	// also of one that another process has just written. Expired entries are
	// never shown to it. It must not use the store. Nil: every entry will do.
	Good func(Entry) bool

	// Wait limits how long to wait for another process that is fetching the
	// entry. After it, the entry is fetched without the lock, with a warning.
	// Zero: until ctx ends.
	Wait time.Duration

	// Waiting is called when another process holds the lock, and what it returns when
	// the waiting has ended. It may be nil.
	Waiting func() (done func())
}

// Through returns the entry of the request: the one on disk if it is good, else
// what fetch returns, which is then written. At any time one caller fetches an
// entry, over all goroutines and processes; the others wait for it.
//
// An error of fetch is returned as it is. It is not written: the next in the queue
// fetches in its turn. When ctx ends while waiting, Through returns its error. An
// entry that never expires, or has expired, is returned and not written.
func (s *Store) Through(ctx context.Context, r Request, fetch func(context.Context) (Entry, error)) (Entry, error) {
	f, err := s.open(ctx, r.Key)
	if ctx.Err() != nil && err != nil {
		return Entry{}, ctx.Err()
	}
	if err != nil {
		return fetch(ctx) // open has warned
	}
	if e, ok := f.good(ctx, r); ok {
		return e, nil
	}
	s.tag(ctx)
	release, err := s.sys.acquire(ctx, s.path(r.Key, lockSuffix), r.Wait, r.Waiting)
	if ctx.Err() != nil && err != nil {
		return Entry{}, ctx.Err()
	}
	if err != nil {
		s.warn.say(ctx, troubleLock, err)
	} else {
		release = sync.OnceFunc(release)
		defer release()
		defer context.AfterFunc(ctx, release)() // a fetch that does not end with ctx holds up nobody
	}
	if e, ok := f.good(ctx, r); ok {
		return e, nil
	}
	e, err := fetch(ctx)
	if err == nil {
		f.write(ctx, e)
	}
	return e, err
}

// open makes the store ready for one entry: the directory is there and safe, the
// encryption key is known. It warns of what is not so.
func (s *Store) open(ctx context.Context, k Key) (*entryFile, error) {
	if err := s.ready(); err != nil {
		s.warn.say(ctx, troubleDir, err)
		return nil, err
	}
	return s.entry(ctx, k)
}

// ready makes the directory if it is missing, and checks it.
func (s *Store) ready() error {
	if s.dirErr != nil {
		return s.dirErr
	}
	return prepareDir(s.dir)
}

// entry returns the file of an entry, in the form that the store's key decides.
func (s *Store) entry(ctx context.Context, k Key) (*entryFile, error) {
	if s.key == nil {
		return &entryFile{s: s, key: k, path: s.path(k, plainSuffix)}, nil
	}
	box, err := s.key.box(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.warn.say(ctx, troubleKey, err)
		}
		return nil, err
	}
	return &entryFile{s: s, key: k, path: s.path(k, sealedSuffix), box: box}, nil
}

func (s *Store) path(k Key, suffix string) string { return filepath.Join(s.dir, k.String()+suffix) }

// tag looks after CACHEDIR.TAG, once. A directory that also holds files of others
// has none: backup programs would pass those over.
func (s *Store) tag(ctx context.Context) {
	if s.tagged.first() && !hasTag(s.dir) && onlyOurs(s.dir) {
		if err := writeTag(s.dir); err != nil {
			s.warn.say(ctx, troubleWrite, err)
		}
	}
}

// entryFile is the file of one entry.
type entryFile struct {
	s    *Store
	key  Key
	path string
	box  *box // nil: plain
}

// good reads the entry and reports whether it will do.
func (f *entryFile) good(ctx context.Context, r Request) (Entry, bool) {
	e, err := f.read()
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, errExpired):
		return Entry{}, false
	case err != nil:
		f.s.warn.say(ctx, troubleEntry, err)
		return Entry{}, false
	}
	if r.Good != nil && !r.Good(e) {
		return Entry{}, false
	}
	return e, true
}

func (f *entryFile) read() (Entry, error) {
	data, err := readFile(f.path)
	if err != nil {
		return Entry{}, err
	}
	return decode(data, f.key, f.box, time.Now())
}

// write keeps an entry. It does not look at whether ctx has ended: what a person
// typed a code for is not thrown away because a caller has gone.
func (f *entryFile) write(ctx context.Context, e Entry) {
	if !e.keepable(time.Now()) {
		return
	}
	data, err := encode(e, f.key, f.box)
	if err == nil {
		err = f.s.sys.writeFile(f.path, data)
	}
	if err != nil {
		f.s.warn.say(ctx, troubleWrite, err)
		return
	}
	if f.box != nil {
		_ = os.Remove(f.s.path(f.key, plainSuffix)) // of a time before there was a key
	}
	if f.s.swept.first() {
		f.s.sys.sweep(f.s.dir, time.Now())
	}
}

type atLeastKey struct{}

// WithAtLeast returns a context in which an entry is good only if it lives for at
// least d. The store itself does not look at it: who makes a Request does. With 0 nothing
// is asked for any more.
func WithAtLeast(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, atLeastKey{}, d)
}

// AtLeast is what WithAtLeast put into ctx.
func AtLeast(ctx context.Context) (d time.Duration, ok bool) {
	d, ok = ctx.Value(atLeastKey{}).(time.Duration)
	return d, ok && d > 0
}

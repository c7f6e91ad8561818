package diskcache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Item describes a file of the store, without its secrets.
type Item struct {
	File      string // its path
	Encrypted bool

	// The rest is known of entries that this store can read, and zero for others:
	// those that are damaged, encrypted with another key, or plain in a store
	// with a key. Expired entries are listed too.
	What, From   string
	Account, ARN string
	Expires      time.Time
}

// List describes all entries, in the order of their file names. A directory that is
// missing has none.
func (s *Store) List(ctx context.Context) ([]Item, error) {
	names, err := s.entries()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var box *box
	if s.key != nil {
		if box, err = s.key.box(ctx); err != nil && ctx.Err() == nil {
			s.warn.say(ctx, troubleKey, err) // their files can be listed all the same
		}
	}
	var items []Item
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		items = append(items, s.item(name, box))
	}
	return items, nil
}

func (s *Store) item(name string, b *box) Item {
	k, suffix, _ := split(name)
	item := Item{File: filepath.Join(s.dir, name), Encrypted: suffix == sealedSuffix}
	if item.Encrypted != (s.key != nil) || item.Encrypted && b == nil {
		return item
	}
	data, err := readFile(item.File)
	if err != nil {
		return item
	}
	e, err := decodeAny(data, k, b)
	if err != nil {
		return item
	}
	item.What, item.From, item.Account, item.ARN, item.Expires = e.What, e.From, e.AccountID, e.ARN, e.Expires
	return item
}

// Clear removes all entries, plain and encrypted, and what else the package has left
// in the directory. It returns how many entries it removed. Locks that are held stay.
func (s *Store) Clear(ctx context.Context) (removed int, err error) {
	names, err := s.files()
	for _, name := range names {
		if ctx.Err() != nil {
			return removed, errors.Join(err, ctx.Err())
		}
		path := filepath.Join(s.dir, name)
		switch _, suffix, ok := split(name); {
		case suffix == lockSuffix:
			s.sys.removeLock(path)
		case ok:
			failure := remove(path)
			err = errors.Join(err, failure)
			if failure == nil {
				removed++
			}
		case isTemp(name):
			err = errors.Join(err, remove(path))
		}
	}
	return removed, err
}

// Drop removes the entry of k if it still holds the access key accessKeyID, which a
// service has refused. A newer entry stays.
func (s *Store) Drop(ctx context.Context, k Key, accessKeyID string) {
	if s.dirErr != nil {
		return
	}
	if _, err := checkDir(s.dir); err != nil {
		return // Through warns of it
	}
	f, err := s.entry(ctx, k)
	if err != nil || !f.holds(accessKeyID) {
		return
	}
	// Whoever holds the lock is about to write a newer entry. It is not waited
	// for longer than a moment: the worst that can happen is one more fetch.
	if release, err := s.sys.acquire(ctx, s.path(k, lockSuffix), 100*time.Millisecond, nil); err == nil {
		defer release()
	}
	if !f.holds(accessKeyID) {
		return
	}
	if err := remove(f.path); err != nil {
		s.warn.say(ctx, troubleWrite, err)
	}
}

func (f *entryFile) holds(accessKeyID string) bool {
	e, err := f.read()
	return err == nil && e.AccessKeyID == accessKeyID
}

// remove removes a file; one that is gone is no error.
func remove(path string) error {
	err := retry(func() error { return os.Remove(path) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// entries returns the names of the files that hold entries.
func (s *Store) entries() (names []string, err error) {
	all, err := s.files()
	for _, name := range all {
		if _, suffix, ok := split(name); ok && suffix != lockSuffix {
			names = append(names, name)
		}
	}
	return names, err
}

// files returns the names of all files of ours, sorted. A directory that is not safe
// is an error.
func (s *Store) files() (names []string, err error) {
	if s.dirErr != nil {
		return nil, s.dirErr
	}
	if _, err := checkDir(s.dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	all, err := os.ReadDir(s.dir)
	for _, f := range all {
		if isOurs(f.Name()) {
			names = append(names, f.Name())
		}
	}
	return names, err
}

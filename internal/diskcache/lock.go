package diskcache

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// errBusy is the error of a lock that another process held all the time.
var errBusy = errors.New("another process has held it for too long")

// WithLock calls do while it holds the lock of a file, and returns what do returns.
// It is for files that others define, as the tokens of SSO and of `aws login`. The
// lock is a file beside it, path + ".lock": so it is the same for all who see the
// file, also through a mount in a container, and tools that look for *.json pass it
// over. It stays there.
//
// It waits for the lock until ctx ends, and returns the error of ctx then; or for at
// most wait, if that is not zero. Where the lock cannot be had, do is called without
// it, after a call of warn (which may be nil). A missing directory is no reason to
// warn: then there is no file to protect, and do says so.
func WithLock(ctx context.Context, path string, wait time.Duration,
	warn func(ctx context.Context, msg string, err error), do func(context.Context) error) error {
	return realSystem().withLock(ctx, path, wait, warn, do)
}

func (y system) withLock(ctx context.Context, path string, wait time.Duration,
	warn func(ctx context.Context, msg string, err error), do func(context.Context) error) error {
	release, err := y.acquire(ctx, path+lockSuffix, wait, nil)
	switch {
	case err == nil:
		defer release()
	case ctx.Err() != nil:
		return ctx.Err()
	case warn != nil && !errors.Is(err, fs.ErrNotExist):
		warn(ctx, "the lock of a token file cannot be had: it is refreshed without, perhaps by several processes at once", err)
	}
	return do(ctx)
}

// acquire takes the lock of a lock file, which it makes if it is missing. It waits
// until ctx ends, or for at most wait if that is not zero; then its error is
// errBusy.
//
// waiting, if it is given, is called when the lock is held by somebody else, and what
// it returns when the waiting ends.
//
// It asks again and again, because a call that blocks in the kernel would not end
// with ctx. The pauses are random, so that the processes of a crowd do not keep
// meeting.
func (y system) acquire(ctx context.Context, path string, wait time.Duration, waiting func() (done func())) (release func(), err error) {
	if wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, wait, errBusy)
		defer cancel()
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR|noFollow|nonBlock))
	for begun := time.Now(); ctx.Err() == nil; {
		ok, err := y.try(lock)
		if err != nil {
			return nil, err
		}
		if ok {
			return func() { _ = lock.Unlock() }, nil // it fails only for a descriptor that is closed
		}
		if waiting != nil {
			defer waiting()()
			waiting = nil
		}
		pause := time.NewTimer(pauseAfter(time.Since(begun)))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return nil, context.Cause(ctx)
}

// pauseAfter is the pause before the next look at a lock that is held: short at first,
// longer for one that a person may keep for minutes.
func pauseAfter(waited time.Duration) time.Duration {
	pause := min(max(10*time.Millisecond, waited/16), 200*time.Millisecond)
	return pause/2 + rand.N(pause)
}

// try takes the lock if nobody holds it. It holds only if the file that was locked
// still has the name: a file that was removed meanwhile may already have a successor,
// which another process locks.
func (y system) try(lock *flock.Flock) (bool, error) {
	if err := makeLockFile(lock.Path()); err != nil {
		return false, err
	}
	ok, err := y.tryLock(lock)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // removed since; it is made again
	}
	if !ok || err != nil {
		return false, err
	}
	locked, err := lock.Stat()
	if err == nil {
		var named fs.FileInfo
		if named, err = os.Lstat(lock.Path()); err == nil && os.SameFile(locked, named) {
			return true, nil
		}
	}
	_ = lock.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return false, err
}

// makeLockFile makes the lock file if it is missing, and sets its mode: the umask
// may have taken bits of the user away, and others who can open it could hold the
// lock.
func makeLockFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow|nonBlock, fileMode)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := checkOwn(path, info); err != nil {
		return err
	}
	if hasModes && info.Mode().Perm() != fileMode {
		return f.Chmod(fileMode)
	}
	return nil
}

package diskcache

import (
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	// tempAge is how old a temporary file is before it is removed: nobody writes
	// for an hour.
	tempAge = time.Hour

	// entryAge is how old an entry or a lock is before it is removed. Credentials
	// that are kept live for 36 hours at most.
	entryAge = 48 * time.Hour
)

// sweep removes files of ours that are old. What cannot be removed is left.
func (y system) sweep(dir string, now time.Time) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue
		}
		path, age := filepath.Join(dir, f.Name()), now.Sub(info.ModTime())
		_, suffix, ok := split(f.Name())
		switch {
		case isTemp(f.Name()) && age > tempAge, ok && suffix != lockSuffix && age > entryAge:
			_ = os.Remove(path)
		case ok && suffix == lockSuffix && age > entryAge:
			y.removeLock(path)
		}
	}
}

// removeLock removes a lock file that nobody holds. It holds the lock meanwhile: who
// waits for it finds that the name is gone, and makes the file again.
func (y system) removeLock(path string) {
	lock := flock.New(path, flock.SetFlag(os.O_RDWR|noFollow|nonBlock))
	if ok, err := y.try(lock); ok && err == nil {
		_ = os.Remove(path)
		_ = lock.Unlock()
	}
}

package diskcache

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Modes of all that the package makes, whatever the umask.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// What is wrong with a file.
var (
	errIrregular = errors.New("it is not a regular file")
	errFileOwner = errors.New("it belongs to another user")
	errFileMode  = errors.New("others can read or write it")
)

// system holds the calls that tests let fail, as a full disk or a mount without
// locks would.
type system struct {
	sync    func(*os.File) error
	rename  func(from, to string) error
	tryLock func(*flock.Flock) (bool, error)
}

func realSystem() system {
	return system{sync: (*os.File).Sync, rename: os.Rename, tryLock: (*flock.Flock).TryLock}
}

// readFile returns what a file holds, if the user alone can have written it.
//
// A symbolic link is not followed, and a pipe is opened without waiting for its
// writer. All checks are of the opened file: what happens to its name afterwards
// does not matter.
func readFile(path string) ([]byte, error) {
	var f *os.File
	err := retry(func() (err error) {
		f, err = os.OpenFile(path, os.O_RDONLY|noFollow|nonBlock, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := checkFile(path, f)
	if err != nil {
		return nil, err
	}
	if size > maxSize {
		return nil, errLarge
	}
	data := make([]byte, size)
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // what is cut does not decode
	}
	return data[:n], err
}

// checkFile reports an error unless the opened file is regular, ours, and closed to
// others.
func checkFile(path string, f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err == nil {
		err = checkOwn(path, info)
	}
	if err != nil {
		return 0, err
	}
	if hasModes && info.Mode().Perm()&0o077 != 0 {
		return 0, &fs.PathError{Op: "use", Path: path, Err: errFileMode}
	}
	return info.Size(), nil
}

// checkOwn reports an error unless the file is a regular one of the user.
func checkOwn(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "use", Path: path, Err: errIrregular}
	case !IsOwn(info):
		return &fs.PathError{Op: "use", Path: path, Err: errFileOwner}
	}
	return nil
}

// writeFile replaces a file as a whole: readers see the old one or the new one. It
// is synced before it gets its name, so that a crash of the machine leaves no
// empty file behind the name. The directory is not synced: an entry that a crash
// loses is fetched again.
func (y system) writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*"+tempSuffix)
	if err != nil {
		return err
	}
	err = y.fill(f, data)
	if err == nil {
		err = y.replace(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // else sweep removes it
	}
	return err
}

// fill writes and closes the file. The mode is set again because the umask may
// have taken bits of the user away.
func (y system) fill(f *os.File, data []byte) error {
	err := f.Chmod(fileMode)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = y.sync(f)
	}
	return errors.Join(err, f.Close())
}

// replace renames a file to a path, whatever is there. An empty directory, which
// rename does not replace, is removed first; one that holds something is left.
func (y system) replace(from, path string) error {
	err := retry(func() error { return y.rename(from, path) })
	if err == nil {
		return nil
	}
	if info, statErr := os.Lstat(path); statErr != nil || !info.IsDir() {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return y.rename(from, path)
}

// retryLimit is the longest pause between two tries of retry. With the shorter ones
// before it, that is a quarter of a second.
const retryLimit = 128 * time.Millisecond

// retry tries again what fails because another process has the file open. That
// happens on Windows only.
func retry(do func() error) error {
	return retryWhile(blocked, do)
}

func retryWhile(blocked func(error) bool, do func() error) error {
	for pause := time.Millisecond; ; pause *= 2 {
		err := do()
		if err == nil || !blocked(err) || pause > retryLimit {
			return err
		}
		time.Sleep(pause)
	}
}

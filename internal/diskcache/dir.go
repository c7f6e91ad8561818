package diskcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// What is wrong with a directory.
var (
	errNotDir   = errors.New("it is not a directory")
	errDirOwner = errors.New("it belongs to another user")
	errDirWrite = errors.New("others can write to it; chmod 700 it, or give another directory")
	errDirOpen  = errors.New("others can look into it, and it holds files that are not the cache's; give the cache a directory of its own")
)

// prepareDir makes the directory if it is missing, and reports an error unless it
// is safe. One of our own that others can read is narrowed. One that others can
// write, or that holds other files too, is refused and left as it is: it is meant to
// be shared, as / and /var/lib are.
func prepareDir(dir string) error {
	wide, err := checkDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDirs(dir); err != nil {
			return err
		}
		wide, err = checkDir(dir)
	}
	if err != nil || !wide {
		return err
	}
	return narrowDir(dir)
}

// checkDir reports an error unless the directory is there, ours, and closed to the
// writing of others; wide tells that others can look into it, and see none but our
// files. A symbolic link to
// a directory is as good as the directory.
func checkDir(dir string) (wide bool, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	wide, err = checkDirInfo(dir, info)
	if wide && !onlyOurs(dir) {
		err = &fs.PathError{Op: "use", Path: dir, Err: errDirOpen}
	}
	return wide, err
}

func checkDirInfo(dir string, info fs.FileInfo) (wide bool, err error) {
	mode := info.Mode()
	switch {
	case !mode.IsDir():
		err = errNotDir
	case !IsOwn(info):
		err = errDirOwner
	case hasModes && mode.Perm()&0o022 != 0:
		err = errDirWrite
	}
	if err != nil {
		return false, &fs.PathError{Op: "use", Path: dir, Err: err}
	}
	return hasModes && mode.Perm()&0o077 != 0, nil
}

// narrowDir takes the access of others away. The directory is opened and checked
// again, so that the mode of nothing else can be changed.
func narrowDir(dir string) error {
	f, err := os.OpenFile(dir, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := checkDirInfo(dir, info); err != nil {
		return err
	}
	return f.Chmod(info.Mode().Perm() & dirMode)
}

// makeDirs makes the directory and its missing parents. The mode is set again
// because the umask may have taken bits of the user away. A directory that
// another process makes at the same time is as good.
func makeDirs(dir string) error {
	err := os.Mkdir(dir, dirMode)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, dirMode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil // the caller checks what it is
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, dirMode)
}

// onlyOurs reports whether the directory holds nothing but files of this package, and
// what every new volume has.
func onlyOurs(dir string) bool {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if !isOurs(f.Name()) && f.Name() != "lost+found" {
			return false
		}
	}
	return err == nil
}

// tagText is what https://bford.info/cachedir/ asks for: the first line exactly.
const tagText = `Signature: 8a477f597d28d172789f06886806bc55
# This directory holds AWS credentials that awsauth keeps for a while.
# The file tells backup programs to pass the directory over.
`

func hasTag(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, tagName))
	return err == nil
}

func writeTag(dir string) error {
	return realSystem().writeFile(filepath.Join(dir, tagName), []byte(tagText))
}

package diskcache

import (
	"errors"
	"os"
	"path/filepath"
)

// Rewrite lets change change a copy of a file, and then puts the copy in the file's
// place, so that a reader sees the old file or the new one, and a process that is
// killed leaves the old one. The copy is a file of mode 0600 beside the original, and
// stays so unless wide is true: then the file keeps the mode that it had, as it does
// for who writes in place. If change fails the original stays as it is.
func Rewrite(path string, wide bool, change func(copied string) error) error {
	return realSystem().rewrite(path, wide, change)
}

func (y system) rewrite(path string, wide bool, change func(copied string) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays one
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*"+tempSuffix)
	if err != nil {
		return err
	}
	copied := f.Name()
	err = y.fill(f, data)
	if err == nil {
		err = change(copied)
	}
	if err == nil {
		err = y.syncFile(copied)
	}
	if err == nil && wide {
		err = copyMode(path, copied)
	}
	if err == nil {
		if err = y.replace(copied, path); err != nil {
			err = overwrite(path, copied, err)
		}
	}
	if err != nil {
		_ = os.Remove(copied)
	}
	return err
}

// overwrite writes what a copy holds over a file that cannot be replaced, as one that
// is mounted by itself. What is in the copy may exist nowhere else by now.
func overwrite(path, copied string, cause error) error {
	data, err := os.ReadFile(copied)
	if err == nil {
		err = os.WriteFile(path, data, fileMode)
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	return os.Remove(copied)
}

// copyMode gives a file the mode of another one, or of a new file where there is
// none any more.
func copyMode(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDONLY|os.O_CREATE|nonBlock, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return os.Chmod(to, info.Mode().Perm())
}

// syncFile makes what was written to a file outlast a crash of the machine.
func (y system) syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return y.sync(f)
}

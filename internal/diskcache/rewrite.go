package diskcache

import (
	"os"
	"path/filepath"
)

// Rewrite lets change change a copy of a file, and then puts the copy in the file's
// place, so that a reader sees the old file or the new one, and a process that is
// killed leaves the old one. The copy is a file of mode 0600 beside the original. If
// change fails the original stays as it is.
func Rewrite(path string, change func(copied string) error) error {
	return realSystem().rewrite(path, change)
}

func (y system) rewrite(path string, change func(copied string) error) error {
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
	if err == nil {
		err = y.replace(copied, path)
	}
	if err != nil {
		_ = os.Remove(copied)
	}
	return err
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

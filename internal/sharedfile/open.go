package sharedfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// maxSize is far more than a thousand profiles need. A larger file is none of
// ours, and would only cost memory.
const maxSize = 16 << 20

// load reads a file's text. A file that is not there has none, and so has the
// null device. What cannot be read becomes a problem.
func (f *file) load() (text string, ok bool) {
	switch {
	case errors.Is(f.err, fs.ErrNotExist) || errors.Is(f.err, syscall.ENOTDIR):
		return "", false // ENOTDIR: HOME is /dev/null, as some services set it
	case f.err != nil:
		f.unreadable(f.err)
		return "", false
	case isNull(f.path, f.info):
		return "", false
	case !f.info.Mode().IsRegular():
		// It is not opened: opening a pipe waits for its writer, and what is
		// read from it once is gone when the SDK reads it.
		mend := "write what it holds to a file, and name that in " + f.variable()
		if f.info.IsDir() { // Docker makes one
			mend = "remove it (Docker makes a directory where the file to mount is missing), or name a file in " + f.variable()
		}
		f.whole(NotRegular, "is "+redact.FileType(f.info.Mode())+", not a regular file", mend)
		return "", false
	case f.info.Size() > maxSize:
		f.whole(Unreadable, "has more than 16 MiB, too much for a file of settings", "correct the path in "+f.variable())
		return "", false
	}
	data, err := read(f.path)
	if err != nil {
		f.unreadable(err)
		return "", false
	}
	return f.decode(data)
}

// read reads a file that was found regular. It may have been replaced since: a pipe
// is opened without waiting for its writer, and what has changed is not believed.
func read(path string) ([]byte, error) {
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if info, err := r.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errReplaced)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if len(data) > maxSize {
		return nil, errReplaced
	}
	return data, err
}

// errReplaced is the error of a file that is another by the time it is read.
var errReplaced = errors.New("it was replaced while it was read")

func isNull(path string, info fs.FileInfo) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(path, os.DevNull)
	}
	if info.Mode()&fs.ModeDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// decode checks that the data is UTF-8 without a byte order mark, or names the
// encoding. Where it has been named, the lines are not read: each of them would
// be wrong for the same reason.
func (f *file) decode(data []byte) (string, bool) {
	encoding := ""
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE, 0, 0}), bytes.HasPrefix(data, []byte{0, 0, 0xFE, 0xFF}):
		encoding = "UTF-32"
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}), isUTF16(data):
		encoding = "UTF-16"
	case bytes.HasPrefix(data, []byte("\ufeff")):
		f.line(Encoding, 1, "the file begins with a byte order mark, which hides its first line", "save it as UTF-8 without a byte order mark")
		return string(data[len("\ufeff"):]), true
	case bytes.IndexByte(data, 0) >= 0:
		line := 1 + bytes.Count(data[:bytes.IndexByte(data, 0)], []byte("\n"))
		f.line(Encoding, line, "the file is not text: it has a NUL character (U+0000)", "correct the path in "+f.variable()+", or write the file anew")
		return "", false
	default:
		return string(data), true
	}
	f.line(Encoding, 1, "the file is written in "+encoding, "save it as UTF-8 without a byte order mark")
	return "", false
}

// isUTF16 reports whether every second byte of the first characters is NUL, as
// in ASCII text written in UTF-16 without a byte order mark.
func isUTF16(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	return data[0] == 0 && data[1] != 0 && data[2] == 0 || data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0
}

// readableByOthers reports whether the group or everybody may read the file.
// Windows keeps that elsewhere.
func (f *file) readableByOthers() bool {
	return runtime.GOOS != "windows" && f.info.Mode()&0o044 != 0
}

func (f *file) unreadable(err error) {
	reason := err
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		reason = pathErr.Err // the path stands before it already
	}
	f.whole(Unreadable, "cannot be read: "+clean(reason.Error()), "make it readable for this user, or point "+f.variable()+" elsewhere")
	f.problems[len(f.problems)-1].Err = err
}

// variable is the environment variable that names another such file.
func (f *file) variable() string {
	if f.credentials {
		return "AWS_SHARED_CREDENTIALS_FILE"
	}
	return "AWS_CONFIG_FILE"
}

// whole notes a problem of the file as a whole.
func (f *file) whole(kind Kind, what, mend string) { f.line(kind, 0, what, mend) }

// line notes a problem of a line that makes the whole reading untrustworthy.
func (f *file) line(kind Kind, number int, what, mend string) {
	f.problems = append(f.problems, Problem{Path: f.path, Line: number, Kind: kind, What: what, Mend: mend})
}

// isText reports whether a line is UTF-8.
func isText(line string) bool { return utf8.ValidString(line) }

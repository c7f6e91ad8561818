package sharedfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// TestGet: which file wins, and that each value knows its place.
func TestGet(t *testing.T) {
	files, config, credentials := write(t,
		"[profile ops]\nregion = us-east-1\noutput = json\nca_bundle = /a # b\ns3 =\n  max = 1\n  x = 'y'\nmfa_serial = m\n",
		"[ops]\noutput = text\nregion =\nca_bundle =\nmfa_serial =\n")
	for key, want := range map[string]sharedfile.Value{
		"output":     {Text: "text", Path: credentials, Line: 2, Credentials: true},
		"region":     {Text: "us-east-1", Path: config, Line: 2},
		"mfa_serial": {Text: "m", Path: config, Line: 8},
		"ca_bundle":  {Path: credentials, Line: 4, Credentials: true},
	} {
		v, ok := files.Get("ops", key)
		assert.True(t, ok, key)
		assert.True(t, want == v, "%s: %v", key, v)
	}
	s3, ok := files.Get("ops", "s3")
	assert.True(t, ok)
	assert.Equal(t, []sharedfile.Setting{{Key: "max", Text: "1"}, {Key: "x", Text: "y"}}, s3.Nested())
	v, ok := files.In("ops", "output", false)
	assert.Equal(t, "json", v.Text)
	assert.True(t, ok)
	_, ok = files.In("ops", "s3", true)
	assert.False(t, ok)
	_, ok = files.Get("nobody", "output")
	assert.False(t, ok)
	assert.Equal(t, []string{"ops"}, files.Names())
	path, line, ok := files.Where("ops")
	assert.Equal(t, []any{config, 1, true}, []any{path, line, ok})
	_, _, ok = files.Where("nobody")
	assert.False(t, ok)
	assert.Equal(t, []string{config, credentials}, files.Paths())
}

// TestSeveralFiles: later files of a kind win; a pair is of one file.
func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	configs := []string{path("c1", "[default]\nregion = a\noutput = a\n"+pair+"aws_session_token = t\n"), path("c2", "[profile default]\nregion = b\n")}
	credentials := []string{path("k1", "[default]\naws_access_key_id = ONE\naws_secret_access_key = s1\naws_session_token = t1\n"),
		path("k2", "[default]\naws_access_key_id = TWO\naws_secret_access_key = s2\naws_account_id = 1\n"), path("k3", "[default]\naws_session_token =\n")}
	files := sharedfile.Read(configs, credentials)
	v, _ := files.Get("default", "region")
	assert.Equal(t, "b", v.Text)
	_, ok := files.Get("default", "output")
	assert.False(t, ok, "a bare [default] does not count beside [profile default]")
	_, ok = files.Keys("default", false)
	assert.False(t, ok)
	keys, ok := files.Keys("default", true)
	assert.True(t, ok)
	assert.True(t, keys.Complete())
	assert.Equal(t, []string{"TWO", "s2", "", "1"}, []string{keys.AccessKeyID.Text, keys.SecretAccessKey.Text, keys.SessionToken.Text, keys.AccountID.Text})
	assert.Equal(t, credentials[1], keys.AccessKeyID.Path)
}

// TestTwoDefaults: [profile default] counts alone; what [default] says of who
// one is must not differ.
func TestTwoDefaults(t *testing.T) {
	files, _, _ := write(t, "[default]\n"+pair+"[profile default]\nregion = x\n", "")
	assert.Equal(t, []string{"duplicate config:2: aws_access_key_id of [default] does not count beside [profile default] at config:4; keep one of the two sections"},
		texts(files.Problems("default")))
	files, _, _ = write(t, "[profile default]\n"+pair+"[default]\n"+pair+"region = x\n", "")
	assert.Empty(t, files.Problems("default"))
}

// TestSections of sso-session and services.
func TestSections(t *testing.T) {
	files, config, _ := write(t, "[sso-session 'my corp']\nsso_region = a\n[services local]\ns3 =\n  endpoint_url = http://h:1\n[profile ops]\nsso_session = my corp\n", "")
	s, ok := files.SSOSession("my corp")
	assert.True(t, ok)
	v, ok := s.Get("sso_region")
	assert.True(t, ok)
	assert.Equal(t, "a", v.Text)
	assert.Equal(t, []any{"my corp", config, 1, []string{"sso_region"}}, []any{s.Name, s.Path, s.Line, s.Keys()})
	s, ok = files.Services("local")
	assert.True(t, ok)
	v, _ = s.Get("s3")
	assert.Equal(t, []sharedfile.Setting{{Key: "endpoint_url", Text: "http://h:1"}}, v.Nested())
	_, ok = files.SSOSession("local")
	assert.False(t, ok)
	assert.True(t, files.Quoted("ops"), "the SDK does not find its session")
	assert.Equal(t, []string{"ops"}, files.Names())
}

// TestQuoted: the headings that the SDK reads otherwise.
func TestQuoted(t *testing.T) {
	for text, want := range map[string]bool{
		"[profile Foo Bar]\n": false, "[profile 'Foo Bar']\n": true, "[profile \"Foo Bar\"]\n": true,
		"[ profile\tFoo Bar ] # x\n": false, "[profile Foo Bar]\ns3 =\n  a = b\n": false, "[profile Foo Bar]\noutput = 'a # b'\n": true,
		"[profile Foo Bar]\n region =\n output = x\n": true, "[profile Foo Bar]\n[profile a#b]\n": true,
	} {
		files, _, _ := write(t, text, "")
		assert.True(t, files.Has("Foo Bar"), text)
		assert.Equal(t, want, files.Quoted("Foo Bar"), text)
	}
}

// TestNotRegular: S1. What is no file is named and not opened: a pipe without a
// writer would hold the test up.
func TestNotRegular(t *testing.T) {
	dir := t.TempDir()
	tests := map[string]string{dir: "a directory"}
	if runtime.GOOS != "windows" {
		pipe := filepath.Join(dir, "pipe")
		makePipe(t, pipe)
		link := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink(pipe, link))
		tests[pipe], tests[link], tests["/dev/zero"] = "a pipe", "a pipe", "a device"
		if l, err := net.Listen("unix", filepath.Join(dir, "s")); err == nil { // the path may be too long
			defer l.Close()
			tests[filepath.Join(dir, "s")] = "a socket"
		}
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		defer w.Close()
		if fd := fmt.Sprintf("/dev/fd/%d", r.Fd()); exists(fd) {
			tests[fd] = "a pipe"
		}
	}
	for path, what := range tests {
		for _, credentials := range []bool{false, true} {
			files, variable := sharedfile.Read([]string{path}, nil), "AWS_CONFIG_FILE"
			if credentials {
				files, variable = sharedfile.Read(nil, []string{path}), "AWS_SHARED_CREDENTIALS_FILE"
			}
			problems := files.Problems("anybody")
			require.Len(t, problems, 1, path)
			assert.Equal(t, sharedfile.NotRegular, problems[0].Kind)
			mend := "write what it holds to a file, and name that in " + variable
			if what == "a directory" {
				mend = "remove it (Docker makes a directory where the file to mount is missing), or name a file in " + variable
			}
			assert.Equal(t, path+": is "+what+", not a regular file; "+mend, problems[0].String())
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestMissing: what is not there is no problem, and neither is the null device.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "no", "dir"), filepath.Join(file, ".aws", "config"), os.DevNull, file} {
		files := sharedfile.Read([]string{path}, []string{path})
		assert.Empty(t, files.Problems("default"), path)
		assert.Empty(t, files.Others("default"), path)
		assert.False(t, files.Has("default"))
	}
}

// TestUnreadable: the system's error is kept, and a huge file is not read.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge")
	require.NoError(t, os.WriteFile(huge, nil, 0o600))
	require.NoError(t, os.Truncate(huge, 16<<20+1))
	problems := sharedfile.Read(nil, []string{huge}).Problems("default")
	require.Len(t, problems, 1)
	assert.Equal(t, huge+": has more than 16 MiB, too much for a file of settings; correct the path in AWS_SHARED_CREDENTIALS_FILE", problems[0].String())

	locked := filepath.Join(dir, "locked")
	require.NoError(t, os.WriteFile(locked, []byte("[default]\n"+pair), 0o000))
	if f, err := os.Open(locked); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	problems = sharedfile.Read([]string{locked}, nil).Problems("default")
	require.Len(t, problems, 1)
	assert.Equal(t, sharedfile.Unreadable, problems[0].Kind)
	assert.True(t, errors.Is(problems[0].Err, fs.ErrPermission))
	assert.Equal(t, locked+": cannot be read: permission denied; make it readable for this user, or point AWS_CONFIG_FILE elsewhere", problems[0].String())
}

// TestLoop: an error of the system that root meets, too.
func TestLoop(t *testing.T) {
	loop := filepath.Join(t.TempDir(), "loop\x1b[2J")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip(err)
	}
	problems := sharedfile.Read([]string{loop}, nil).Problems("default")
	require.Len(t, problems, 1)
	assert.Equal(t, sharedfile.Unreadable, problems[0].Kind)
	assert.Error(t, problems[0].Err)
	assert.NotContains(t, problems[0].String(), "\x1b")
}

// TestPermissions: S27, a warning and never an error.
func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps permissions elsewhere")
	}
	for mode, warned := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o644: true, 0o620: false} {
		for _, kind := range []string{"credentials", "config", "config without keys"} {
			text := "[default]\n" + pair
			if kind == "config without keys" {
				text = "[default]\nregion = us-east-1\n"
			}
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			require.NoError(t, os.Chmod(path, mode))
			files := sharedfile.Read([]string{path}, nil)
			if kind == "credentials" {
				files = sharedfile.Read(nil, []string{path})
			}
			assert.Empty(t, files.Problems("default"))
			want := []string{}
			if warned && kind != "config without keys" {
				want = []string{"permissions file: others on this machine can read its secrets; run: chmod 600 file"}
			}
			assert.Equal(t, want, texts(files.Others("default")), "%v %s", mode, kind)
		}
	}
}

// TestNoSecretIsPrinted in whatever way values are printed.
func TestNoSecretIsPrinted(t *testing.T) {
	files, _, _ := write(t, "[sso-session corp]\nsso_start_url = secret/alpha\n", "[default]\n"+pair+"aws_session_token = secret/token\ncredential_process = p secret/x\n")
	id, _ := files.Get("default", "aws_secret_access_key")
	process, _ := files.Get("default", "credential_process")
	keys, _ := files.Keys("default", true)
	session, _ := files.SSOSession("corp")
	for _, v := range []any{id, process, &id, keys, &keys, session, files, []sharedfile.Value{id}} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		data, err := json.Marshal(v)
		assert.NoError(t, err)
		text := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v) + log.String() + string(data)
		assert.NotContains(t, text, "secret", "%T", v)
		assert.NotContains(t, text, "AKID", "%T", v)
		assert.False(t, strings.Contains(text, fmt.Sprintf("%x", "secret")), "%T", v)
	}
	assert.Contains(t, fmt.Sprint(keys), "credentials:2")
	assert.Equal(t, "no key pair", sharedfile.KeyPair{}.String())
}

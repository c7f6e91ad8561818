package sharedfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// write writes a config and a credentials file and reads both.
func write(t testing.TB, config, credentials string) (files *sharedfile.Files, configPath, credentialsPath string) {
	dir := t.TempDir()
	configPath, credentialsPath = filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	require.NoError(t, os.WriteFile(configPath, []byte(config), 0o600))
	require.NoError(t, os.WriteFile(credentialsPath, []byte(credentials), 0o600))
	return sharedfile.Read([]string{configPath}, []string{credentialsPath}), configPath, credentialsPath
}

// texts are the problems without the directory: "config:3 kind: what; mend".
func texts(problems []sharedfile.Problem) []string {
	list := []string{}
	for _, p := range problems {
		dir := filepath.Dir(p.Path) + string(filepath.Separator)
		list = append(list, string(p.Kind)+" "+strings.ReplaceAll(p.String(), dir, ""))
	}
	return list
}

func kinds(problems []sharedfile.Problem) (list []string) {
	for _, p := range problems {
		list = append(list, string(p.Kind))
	}
	return list
}

// readBoth reads one file as config and as credentials file.
func readBoth(path string) *sharedfile.Files {
	return sharedfile.Read([]string{path}, []string{path})
}

// trimRight lets the keys of a table of texts differ.
func trimRight(s string) string { return strings.TrimRight(s, " ") }

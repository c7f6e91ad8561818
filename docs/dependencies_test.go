package docs_test

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDependencies: the page lists each module that is linked or used by tests, once,
// with its version, and with the licences that lie beside the packages in use.
func TestDependencies(t *testing.T) {
	library := modulesOf(t, "..")
	command := modulesOf(t, "../cmd/awsauth")
	tests := modulesOf(t, "-test", "../...")
	for path := range library {
		delete(command, path)
	}
	for path := range tests {
		if library[path] != nil || command[path] != nil {
			delete(tests, path)
		}
	}
	for heading, modules := range map[string]map[string]*usedModule{
		"The library": library, "The command, beside that": command, "Tests only": tests,
	} {
		var want []string
		for path, m := range modules {
			want = append(want, path+" "+m.version+" "+m.licences())
		}
		slices.Sort(want)
		assert.NotEmpty(t, want)
		assert.Equal(t, want, listed(t, heading), heading)
	}
}

// checkModules: the modules that the program names are those of the page.
func checkModules(t *testing.T, program string) {
	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	var got, want []string
	for _, m := range info.Deps {
		got = append(got, m.Path+" "+m.Version)
	}
	for _, row := range append(listed(t, "The library"), listed(t, "The command, beside that")...) {
		want = append(want, strings.Join(strings.Fields(row)[:2], " "))
	}
	assert.ElementsMatch(t, want, got)
}

// listed are the rows below a heading of the page, less what the module is for.
func listed(t *testing.T, heading string) (rows []string) {
	_, text, found := strings.Cut(read(t, "dependencies.md"), "\n## "+heading+"\n")
	require.True(t, found, heading)
	text, _, _ = strings.Cut(text, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v\\S+) \\| ([^|]+) \\| [^|]{9,} \\|$").FindAllStringSubmatch(text, -1) {
		rows = append(rows, strings.Join(m[1:], " "))
	}
	slices.Sort(rows)
	return rows
}

// usedModule is one of which packages are in use.
type usedModule struct {
	version string
	found   []string // SPDX names
}

func (m *usedModule) licences() string {
	slices.Sort(m.found)
	return strings.Join(slices.Compact(m.found), " and ")
}

// modulesOf are those that packages need beside this one, on all three systems.
func modulesOf(t *testing.T, args ...string) map[string]*usedModule {
	all := map[string]*usedModule{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json=Dir,Module"}, args...)...)
		cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		require.NoError(t, err)
		for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
			var pkg struct {
				Dir    string
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			err := dec.Decode(&pkg)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if pkg.Module == nil || pkg.Module.Main {
				continue
			}
			m := all[pkg.Module.Path]
			if m == nil {
				m = &usedModule{version: pkg.Module.Version}
				all[pkg.Module.Path] = m
			}
			m.found = append(m.found, licencesFor(t, pkg.Dir, pkg.Module.Dir)...)
		}
	}
	return all
}

// licencesFor are those of the files between a package and the root of its module.
func licencesFor(t *testing.T, dir, root string) (names []string) {
	for {
		files, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
		require.NoError(t, err)
		for _, file := range files {
			names = append(names, spdx(t, file)...)
		}
		if dir == root {
			require.NotEmpty(t, names, "%s has no licence", root)
			return names
		}
		dir = filepath.Dir(dir)
	}
}

// spdx are the names of the licences whose words are in the file.
func spdx(t *testing.T, file string) (names []string) {
	text := oneLine(read(t, file))
	for name, words := range map[string][]string{
		"Apache-2.0":   {"Apache License", "Version 2.0"},
		"MIT":          {"Permission is hereby granted, free of charge", "THE SOFTWARE IS PROVIDED \"AS IS\""},
		"BSD-3-Clause": {"Redistribution and use in source and binary forms", "endorse or promote products"},
		"ISC":          {"Permission to use, copy, modify, and", "for any purpose with or without fee"},
	} {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names, "no known licence in %s", file)
	return names
}

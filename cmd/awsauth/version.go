package main

import (
	"fmt"
	"runtime/debug"
)

// version is what the Go toolchain recorded in the binary: the module's version
// for `go install …@v1.2.3`, the commit for a build in a clone.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if commit := set["vcs.revision"]; v == "(devel)" && commit != "" {
		v += " commit " + commit[:min(len(commit), 12)]
		if set["vcs.modified"] == "true" {
			v += ", modified"
		}
	}
	return fmt.Sprintf("%s (%s)", v, info.GoVersion)
}

package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVersionOf(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for want, info := range map[string]debug.BuildInfo{
		"v1.2.3 (go1.26.8)":                                {GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}},
		"(devel) (go1.26.8)":                               {GoVersion: "go1.26.8"},
		"(devel) commit 0123456789ab (go1.26.8)":           {GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{commit}},
		"(devel) commit 0123456789ab, modified (go1.26.8)": {GoVersion: "go1.26.8", Settings: []debug.BuildSetting{commit, modified}},
	} {
		assert.Equal(t, want, versionOf(&info))
	}
}

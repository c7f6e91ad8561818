package awsauth_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskRelativeHome: a HOME that is no whole path leads into the working directory,
// where nothing is kept: as without a home.
func TestDiskRelativeHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the directory does not come from HOME here")
	}
	w := lab.New(t, awsauth.AWS)
	t.Chdir(t.TempDir())
	w.Env("HOME=home", "XDG_CACHE_HOME=")
	lab.Get(t, w.Open(w.Static(), awsauth.WithDiskCache(""), awsauth.WithAccount(lab.Target)))
	kept, err := filepath.Glob("home/*")
	assert.NoError(t, err)
	hidden, err := filepath.Glob("home/.*")
	assert.NoError(t, err)
	assert.Empty(t, append(kept, hidden...))
}

package awsauth_test

import (
	"os"
	"testing"

	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestMain puts the examples on a laptop: a reader sees nothing of it in them, as
// pkg.go.dev shows examples alone. Tests have an AWS of their own.
func TestMain(m *testing.M) { os.Exit(lab.OnLaptop(m.Run)) }

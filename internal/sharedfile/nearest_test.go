package sharedfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

func TestNearest(t *testing.T) {
	names := []string{"default", "dev", "ops", "prod-admin", "PROD"}
	for name, want := range map[string]string{
		"prod-admn": "prod-admin", "prodadmin": "prod-admin", "prod_admim": "prod-admin", "OPS": "ops", "oops": "ops", "prod": "PROD",
		"ops": "", "x": "", "dve": "dev", "dex": "dev", "nothing": "", "": "", strings.Repeat("x", 300): "", "defualt": "default",
	} {
		assert.Equal(t, want, sharedfile.Nearest(name, names), name)
	}
}

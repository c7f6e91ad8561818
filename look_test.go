package awsauth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestUnreadableSharedFile uses a directory, which root cannot read as a file
// either.
func TestUnreadableSharedFile(t *testing.T) {
	for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		for name, opts := range map[string][]awsauth.Option{"default chain": nil, "profile": {awsauth.WithProfile("ops")}} {
			t.Run(variable+"/"+name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.OnInstance()
				w.Files("[profile ops]\n"+lab.SomePair, "")
				w.Env(variable + "=$DIR")
				_, err := w.Try(opts...)
				lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir, variable, "is a directory")
				assert.Empty(t, w.Said())
			})
		}
	}
	t.Run("not needed for credentials", func(t *testing.T) { // the SDK fails all the same, so the error must be clear
		w := lab.New(t, awsauth.AWS)
		w.Env("AWS_CONFIG_FILE=$DIR", "AWS_ACCESS_KEY_ID=$ID", "AWS_SECRET_ACCESS_KEY=$SECRET")
		_, err := w.Try()
		lab.RequireBad(t, err, awsauth.InvalidOption, w.Dir, "is a directory")
		assert.Empty(t, w.Said())
	})
}

// TestGoodSharedFiles: what is odd but right is not refused, and is read as the
// SDK reads it.
func TestGoodSharedFiles(t *testing.T) {
	for name, config := range map[string]string{
		"comments and blanks":   "# a comment\n; another\n\n[ profile   ops ] # here, too\n" + lab.KeyLines + "\n\n",
		"Windows line ends":     "[profile ops]\r\naws_access_key_id = $ID\r\naws_secret_access_key = $SECRET\r\n",
		"no blanks":             "[profile ops]\naws_access_key_id=$ID\naws_secret_access_key=$SECRET",
		"capitals in keys":      "[profile ops]\nAWS_Access_Key_ID = $ID\nAWS_SECRET_ACCESS_KEY = $SECRET\n",
		"nested settings":       "[profile ops]\ns3 =\n  max_concurrent_requests = 20\n  addressing_style = path\n" + lab.KeyLines,
		"unrelated bad profile": "[profile other]\naws_access_key_id = " + lab.SomeID + "\n[profile ops]\n" + lab.KeyLines,
		"services section":      "[profile ops]\nservices = local\n" + lab.KeyLines + "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n",
		"section twice":         "[profile ops]\naws_access_key_id = $ID\n[profile ops]\naws_secret_access_key = $SECRET\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(config, "")
			assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(w.Open(awsauth.WithProfile("ops"))))
		})
	}
}

// TestSharedFilesOfLoadOptions: the files that the options name are the ones
// that are looked over and named.
func TestSharedFilesOfLoadOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	path := filepath.Join(w.Dir, "elsewhere")
	require.NoError(t, os.WriteFile(path, []byte(w.Text("[profile ops]\n"+lab.KeyLines+"[profile half]\naws_access_key_id = $ID\n")), 0o600))
	files := awsauth.WithLoadOptions(lab.WithFiles(path))
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(w.Open(files, awsauth.WithProfile("ops"))))
	w.ResetCalls()
	_, err := w.Try(files, awsauth.WithProfile("half"))
	lab.RequireBad(t, err, awsauth.InvalidOption, path+":5")
	_, err = w.Try(files, awsauth.WithProfile("nobody"))
	lab.RequireBad(t, err, awsauth.ProfileNotFound, path)
	assert.Empty(t, w.Said())
}

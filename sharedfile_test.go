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

// TestHalfKeyPairs: one half never falls through to another identity, wherever
// it stands. An instance waits at the end of the chain, and good keys in the
// next source.
func TestHalfKeyPairs(t *testing.T) {
	good := []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret}
	ops := awsauth.WithProfile("ops")
	tests := []struct {
		name                string
		env                 []string
		config, credentials string
		opts                []awsauth.Option
		text                []string
	}{
		{"id in the environment", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"}},
		{"secret in the environment", []string{"AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not"}},
		{"token in the environment", []string{"AWS_SESSION_TOKEN=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SESSION_TOKEN is set but"}},
		{"id and token in the environment", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SESSION_TOKEN=" + lab.SomeSecret}, "", "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"old id", []string{"AWS_ACCESS_KEY=" + lab.SomeID}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_ACCESS_KEY is set but"}},
		{"old secret", []string{"AWS_SECRET_KEY=" + lab.SomeSecret}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_SECRET_KEY is set but"}},
		{"empty secret", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_SECRET_ACCESS_KEY="}, "", "", nil, []string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"id in the environment, beside a profile", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID}, "[profile ops]\n" + lab.SomePair, "", []awsauth.Option{ops},
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"secret in the environment, beside static keys", []string{"AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret}, "", "",
			[]awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")}, []string{"AWS_ACCESS_KEY_ID is not"}},
		{"id in the environment, beside AWS_PROFILE", []string{"AWS_ACCESS_KEY_ID=" + lab.SomeID, "AWS_PROFILE=ops"}, "[profile ops]\n" + lab.SomePair, "", nil,
			[]string{"AWS_SECRET_ACCESS_KEY is not"}},
		{"half an option beside a profile", nil, "[profile ops]\n" + lab.SomePair, "",
			[]awsauth.Option{ops, awsauth.WithStaticCredentials(lab.SomeID, "", "")}, []string{"WithStaticCredentials"}},
		{"half an option beside a good environment", good, "", "",
			[]awsauth.Option{awsauth.WithStaticCredentials("", lab.SomeSecret, "")}, []string{"WithStaticCredentials"}},
		{"id in the config file", nil, "[profile ops]\naws_access_key_id = " + lab.SomeID + "\n", "", []awsauth.Option{ops},
			[]string{"/config:2", "no aws_secret_access_key"}},
		{"secret in the config file", nil, "[profile ops]\n\naws_secret_access_key = " + lab.SomeSecret + "\n", "", []awsauth.Option{ops},
			[]string{"/config:3", "no aws_access_key_id"}},
		{"id in the credentials file", nil, "", "[default]\naws_access_key_id = " + lab.SomeID + "\n", nil, []string{"/credentials:2"}},
		{"id in the config file, masked by the credentials file", nil, "[default]\naws_access_key_id = " + lab.SomeID + "\n", "[default]\n" + lab.SomePair, nil,
			[]string{"/config:2"}},
		{"id in the credentials file, over a pair in the config file", nil, "[default]\n" + lab.SomePair, "[default]\naws_access_key_id = " + lab.SomeID + "\n", nil,
			[]string{"/credentials:2"}},
		{"id in one file, secret in the other", nil, "[default]\naws_access_key_id = " + lab.SomeID + "\n", "[default]\naws_secret_access_key = " + lab.SomeSecret + "\n", nil,
			[]string{"/config:2"}},
		{"empty secret in a file", nil, "", "[default]\naws_access_key_id = " + lab.SomeID + "\naws_secret_access_key =\n", nil, []string{"/credentials:"}},
		{"id in a source profile", nil, "[profile ops]\nrole_arn = " + lab.ManageRole + "\nsource_profile = keys\n[profile keys]\naws_access_key_id = " + lab.SomeID + "\n", "",
			[]awsauth.Option{ops}, []string{"/config:5", `"keys"`}},
		{"token alone in a file", nil, "", "[default]\naws_session_token = " + lab.SomeSecret + "\n", nil, []string{"/credentials:2"}},
		{"web identity without role", []string{"AWS_WEB_IDENTITY_TOKEN_FILE=/token"}, "[default]\n" + lab.SomePair, "", nil, []string{"AWS_ROLE_ARN is not"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Env(tt.env...)
			w.Files(tt.config, tt.credentials)
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, awsauth.InvalidOption, tt.text...)
			assert.Empty(t, w.Said())
		})
	}
}

// badSharedFile is a pair of shared files that New must refuse.
type badSharedFile struct {
	name                string
	config, credentials string
	opts                []awsauth.Option
	kind                awsauth.Kind // InvalidOption if empty
	text                []string
}

func badSharedFiles() []badSharedFile {
	ops := []awsauth.Option{awsauth.WithProfile("ops")}
	role := "[profile ops]\nrole_arn = " + lab.ManageRole + "\n"
	return []badSharedFile{
		{"no equals sign", "[profile ops]\n" + lab.SomePair + "region us-east-1\n", "", ops, "", []string{"/config:4"}},
		{"secret broken over two lines", "[profile ops]\naws_access_key_id = " + lab.SomeID + "\naws_secret_access_key =\n" + lab.SomeSecret + "\n", "", ops, "", []string{"/config:4"}},
		{"key over two lines", "[profile ops]\n" + lab.SomePair + "  " + lab.SomeSecret + "\n", "", ops, "", []string{"/config:4", "aws_secret_access_key"}},
		{"role_arn over two lines", role + "  x\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:2", "role_arn"}},
		{"lone quote", "[profile ops]\n" + lab.SomePair + "region = \"\n", "", ops, "", []string{"/config:4", "quote"}},
		{"no closing bracket", "[profile ops\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"no section", "region = us-east-1\n[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"empty section name", "[]\nregion = us-east-1\n[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1"}},
		{"byte order mark", "\ufeff[profile ops]\n" + lab.SomePair, "", ops, "", []string{"/config:1", "byte order mark"}},
		{"byte order mark, default profile", "", "\ufeff[default]\n" + lab.SomePair, nil, "", []string{"/credentials:1", "byte order mark"}},
		{"malformed default profile", "", "[default]\n" + lab.SomePair + "nonsense\n", nil, "", []string{"/credentials:4"}},
		{"unknown profile, near match", "[profile oops]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{`"ops"`, `did you mean "oops"?`}},
		{"unknown profile, other case", "[profile OPS]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{`did you mean "OPS"?`}},
		{"unknown profile, others there", "[profile alpha]\n[profile beta]\n[profile gamma]\n[default]\n", "[delta]\n" + lab.SomePair, ops, awsauth.ProfileNotFound,
			[]string{"alpha, beta", "and 2 more", "/config", "/credentials"}},
		{"unknown profile, nothing there", "", "", ops, awsauth.ProfileNotFound, []string{`aws configure --profile ops`}},
		{"profile without its prefix", "[ops]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound, []string{"/config:1", "[profile ops]"}},
		{"unknown source profile", role + "source_profile = keyz\n[profile keys]\n" + lab.SomePair, "", ops, awsauth.ProfileNotFound,
			[]string{"/config:3", `"keyz"`, `did you mean "keys"?`}},
		{"circle of two", role + "source_profile = b\n[profile b]\nrole_arn = " + lab.ManageRole + "\nsource_profile = ops\n", "", ops, "",
			[]string{"/config:6", "ops → b → ops"}},
		{"circle of three, entered from outside", role + "source_profile = a\n[profile a]\nrole_arn = " + lab.ManageRole + "\nsource_profile = b\n" +
			"[profile b]\nrole_arn = " + lab.ManageRole + "\nsource_profile = a\n", "", ops, "", []string{"/config:9", "a → b → a"}},
		{"itself, without keys", role + "source_profile = ops\n", "", ops, "", []string{"/config:3", "ops → ops"}},
		{"source without credentials", role + "source_profile = keys\n[profile keys]\nregion = us-east-1\n", "", ops, "", []string{`"ops"`, `"keys"`}},
		{"role_arn malformed", "[profile ops]\nrole_arn = arn:aws:iam::123:role/x\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:2", "role_arn", "12 digits"}},
		{"role_arn of a session", "[profile ops]\nrole_arn = arn:aws:sts::123456789012:assumed-role/x/y\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:2", "role/x"}},
		{"role_arn of a source malformed", role + "source_profile = b\n[profile b]\nrole_arn = nonsense\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{"/config:5", `"b"`}},
		{"role_arn alone", role, "", ops, "", []string{"/config:2", "source_profile"}},
		{"source_profile alone", "[profile ops]\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:2", "role_arn"}},
		{"credential_source alone", "[profile ops]\ncredential_source = Environment\n", "", ops, "", []string{"/config:2", "role_arn"}},
		{"credential_source unknown", role + "credential_source = Ec2\n", "", ops, "", []string{"/config:3", "Ec2InstanceMetadata"}},
		{"credential_source Environment, which is empty", role + "credential_source = Environment\n", "", ops, "", []string{"/config:3", "AWS_ACCESS_KEY_ID"}},
		{"two ways to the credentials", role + "source_profile = keys\ncredential_source = Ec2InstanceMetadata\n[profile keys]\n" + lab.SomePair, "", ops, "",
			[]string{`"ops"`, "credential"}},
		{"duration_seconds", role + "duration_seconds = 60\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3", "900"}},
		{"duration_seconds, no number", role + "duration_seconds = 1h\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3", "900"}},
		{"role_session_name", role + "role_session_name = a b\nsource_profile = keys\n[profile keys]\n" + lab.SomePair, "", ops, "", []string{"/config:3"}},
		{"SSO session that does not exist", "[profile ops]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = base\n", "", ops, "", []string{`"ops"`, "corp"}},
	}
}

// TestBadSharedFiles: the SDK passes most of these over in silence.
func TestBadSharedFiles(t *testing.T) {
	for _, tt := range badSharedFiles() {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			w.Files(tt.config, tt.credentials)
			kind := tt.kind
			if kind == "" {
				kind = awsauth.InvalidOption
			}
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, kind, tt.text...)
			assert.Empty(t, w.Said())
		})
	}
}

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

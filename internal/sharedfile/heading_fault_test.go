package sharedfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// TestDamagedHeadings: who asks for what a damaged heading means is told what to write.
func TestDamagedHeadings(t *testing.T) {
	for heading, mend := range map[string]struct{ profile, config, credentials string }{
		`["profile ops"]`:     {"ops", "[profile ops]", "[ops]"},
		"[[profile ops]]":     {"ops", "[profile ops]", "[ops]"},
		"[profile ops]]":      {"ops", "[profile ops]", "[ops]"},
		"[profile:ops]":       {"ops", "[profile ops]", ""},
		"[profile\vops]":      {"ops", "[profile ops]", "[ops]"},
		`[profile "ops]`:      {"ops", "[profile ops]", "[ops]"},
		`[profile a\ b]`:      {"a b", "[profile 'a b']", "[a b]"},
		"[profile ops # old]": {"ops", "[profile ops]", ""},
		"[ｄｅｆａｕｌｔ]":           {"default", "[default]", "[default]"},
		"[defualt]":           {"default", "[default]", "[default]"},
		"[“default”]":         {"default", "[default]", "[default]"},
		"[default:]":          {"default", "[default]", "[default]"},
		"[default][ops]":      {"ops", "each on a line of its own", "each on a line of its own"},
	} {
		for _, credentials := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, []byte(heading+"\nregion = us-east-1\n"), 0o600))
			files, want := sharedfile.Read([]string{path}, nil), mend.config
			if credentials {
				files, want = sharedfile.Read(nil, []string{path}), mend.credentials
			}
			if want == "" {
				continue
			}
			problems := files.Problems(mend.profile)
			require.Len(t, problems, 1, "%q", heading)
			assert.Equal(t, path+":1", problems[0].Place(), "%q", heading)
			assert.Equal(t, "write "+want, problems[0].Mend, "%q", heading)
		}
	}
	for _, heading := range []string{"[profile o'brien]", "[profile corp\\ana]", "[profile 'a b']", "[profile a b]", "[profile ops:x]", "[profile defaults]", "[default]"} {
		path := filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(path, []byte(heading+"\nregion = us-east-1\n"), 0o600))
		files := sharedfile.Read([]string{path}, nil)
		for _, name := range append(files.Names(), "default") {
			assert.Empty(t, files.Problems(name), "%q %s", heading, name)
		}
	}
}

// said is what is said of a heading.
type said struct{ problem, name string } // name is of the profile that the SDK sees; empty: none

// headingTexts are headings, the profile that each means, and what is said of it in either
// kind of file.
func headingTexts() []headingText {
	const stray, before, nothing, comment, other = " has a stray sign in its name; write ", " has a bracket or quote before its first word; write ",
		" counts for nothing in a KIND file; write ", " has a comment's sign in its name; write ", " is not the default profile; write [default]"
	return []headingText{
		{`["profile ops"]`, "ops", said{`["profile ops"]` + before + "[profile ops]", ""}, said{`["profile ops"]` + before + "[ops]", ""}},
		{"[[profile ops]]", "ops", said{"[[profile ops]]" + before + "[profile ops]", ""}, said{"[[profile ops]]" + before + "[ops]", ""}},
		{"[profile ops]]", "ops", said{"[profile ops]]" + stray + "[profile ops]", "ops]"}, said{"[profile ops]]" + nothing + "[ops]", ""}},
		{`[profile "ops]`, "ops", said{`[profile "ops]` + stray + "[profile ops]", `"ops`}, said{`[profile "ops]` + nothing + "[ops]", ""}},
		{`[profile a\ b]`, "a b", said{`[profile a\ b]` + stray + "[profile 'a b']", `a\ b`}, said{`[profile a\ b]` + nothing + "[a b]", ""}},
		{"[profile ops,]", "ops", said{"[profile ops,]" + stray + "[profile ops]", "ops,"}, said{"[profile ops,]" + nothing + "[ops]", ""}},
		{"[ops:]", "ops", said{"[ops:]" + nothing + "[profile ops:]", ""}, said{"[ops:]" + stray + "[ops]", "ops:"}},
		{"[ops x:]", "ops x", said{"[ops x:]" + nothing + "[profile 'ops x:']", ""}, said{"[ops x:]" + stray + "[ops x]", "ops x:"}},
		{"[profile ops # old]", "ops", said{"[profile ops # old]" + comment + "[profile ops]", "ops # old"}, said{"[profile ops # old]" + nothing + "[ops # old]", ""}},
		{"[ops # old]", "ops", said{"[ops # old]" + nothing + "[profile 'ops # old']", ""}, said{"[ops # old]" + comment + "[ops]", "ops # old"}},
		{"[default # old]", "default", said{"[default # old]" + comment + "[default]", ""}, said{"[default # old]" + comment + "[default]", "default # old"}},
		{"[defualt]", "default", said{"[defualt]" + other, ""}, said{"[defualt]" + other, "defualt"}},
		{"[default:]", "default", said{"[default:]" + stray + "[default]", ""}, said{"[default:]" + stray + "[default]", "default:"}},
		{"[defualt:]", "default", said{"[defualt:]" + stray + "[default]", ""}, said{"[defualt:]" + stray + "[default]", "defualt:"}},
		{"[default-]", "default", said{"[default-]" + nothing + "[profile default-]", ""}, said{"", "default-"}},
		{"[defaults]", "default", said{"[defaults]" + nothing + "[profile defaults]", ""}, said{"", "defaults"}},
		{`[profile ops"]`, "ops", said{`[profile ops"]` + stray + "[profile ops]", `ops"`}, said{`[profile ops"]` + nothing + "[ops]", ""}},
		{"[profile [ops]", "ops", said{"[profile [ops]" + stray + "[profile ops]", "[ops"}, said{"[profile [ops]" + nothing + "[ops]", ""}},
		{"[profile o'brien]", "o'brien", said{"", "o'brien"}, said{"[profile o'brien]" + nothing + "[o'brien]", ""}},
		{"[profile a b]", "a b", said{"", "a b"}, said{"[profile a b]" + nothing + "[a b]", ""}},
		{"['profile']", "profile", said{"['profile']" + nothing + "[profile profile]", ""}, said{"", "profile"}},
		{"['sso-session corp']", "ops", said{"['sso-session corp']" + before + "[sso-session corp]", ""}, said{"['sso-session corp']" + before + "[sso-session corp]", ""}},
		{"[profile :x]", ":x", said{"", ":x"}, said{"[profile :x]" + nothing + "[:x]", ""}},
		{"[profile default]", "default", said{"", "default"}, said{"[profile default]" + nothing + "[default]", ""}},
		{"[profile :default]", "default", said{"[profile :default]" + other, ":default"}, said{"[profile :default]" + nothing + "[:default]", ""}},
		{"[[default]]", "default", said{"[[default]]" + other, ""}, said{"[[default]]" + other, ""}},
		{"['default']", "default", said{"['default']" + other, ""}, said{"", "default"}},
		{"['profile default']", "default", said{"['profile default']" + before + "[profile default]", ""}, said{"['profile default']" + before + "[default]", ""}},
		{"['a b']", "a b", said{"['a b']" + nothing + "[profile 'a b']", ""}, said{"", "a b"}},
		{"[plugins]", "plugins", said{}, said{"", "plugins"}}, // of the AWS CLI
		{"[preview]", "preview", said{}, said{"", "preview"}},
		{"[profile :]", ":", said{"", ":"}, said{"[profile :]" + nothing + "[NAME]", ""}},
		{"[“default”]", "default", said{"the heading has a typographic quotation mark (U+201C); write [default]", ""}, said{"the heading has a typographic quotation mark (U+201C); write [default]", ""}},
		{"[profile ‘ops’]", "ops", said{"the heading has a typographic quotation mark (U+2018); write [profile ops]", ""}, said{"the heading has a typographic quotation mark (U+2018); write [ops]", ""}},
		{"[default][ops]", "ops", said{"two sections on one line; write each on a line of its own", ""}, said{"two sections on one line; write each on a line of its own", ""}},
	}
}

type headingText struct {
	heading, profile    string
	config, credentials said
}

// TestHeadingTexts: what is said of a heading that names nothing, or another profile than
// was meant, and which profile there is to the SDK. The lines below it are not those of
// the section above.
func TestHeadingTexts(t *testing.T) {
	for _, tt := range headingTexts() {
		for _, kind := range []string{"config", "credentials"} {
			t.Run(tt.heading+" "+kind, func(t *testing.T) {
				path, above, want := filepath.Join(t.TempDir(), kind), "[profile above]", tt.config
				if kind == "credentials" {
					above, want = "[above]", tt.credentials
				}
				require.NoError(t, os.WriteFile(path, []byte(above+"\nregion = us-east-1\n"+tt.heading+"\nregion = eu-west-1\n"), 0o600))
				files := sharedfile.Read([]string{path}, nil)
				if kind == "credentials" {
					files = sharedfile.Read(nil, []string{path})
				}
				var got []string
				for _, problem := range append(files.Problems(tt.profile), files.Others(tt.profile)...) {
					got = append(got, problem.String())
				}
				if want.problem == "" {
					assert.Empty(t, got)
				} else {
					assert.Equal(t, []string{path + ":3: " + strings.Replace(want.problem, "KIND", kind, 1)}, got)
				}
				everybody := strings.Contains(want.problem, "two sections") || strings.Contains(want.problem, "[NAME]")
				assert.Equal(t, everybody, len(files.Problems("elsewhere")) > 0, "whether it concerns all")
				names := []string{"above"}
				if want.name != "" {
					names = append(names, want.name)
				}
				assert.ElementsMatch(t, names, files.Names())
				region, _ := files.Get("above", "region")
				assert.Equal(t, "us-east-1", region.Text)
			})
		}
	}
}

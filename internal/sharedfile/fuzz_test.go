package sharedfile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile/corpus"
)

// planted stands for a secret. It is in values and in broken lines.
const planted = "Zq7Xw9Kv3"

// FuzzRead: no panic, no control character and no value in any text, and lines
// that the file has.
func FuzzRead(f *testing.F) {
	for _, e := range corpus.Entries() {
		f.Add(strings.ReplaceAll(e.Config, "secret", planted), strings.ReplaceAll(e.Credentials, "secret", planted), e.Profile)
	}
	f.Fuzz(checkTexts)
}

func checkTexts(t *testing.T, config, credentials, profile string) {
	files, configPath, _ := write(t, config, credentials)
	secret := !inNames(config+"\n"+credentials, profile)
	for _, p := range append(files.Problems(profile), files.Others(profile)...) {
		text := config
		if p.Path != configPath {
			text = credentials
		}
		assert.LessOrEqual(t, p.Line, 1+strings.Count(text, "\n"))
		assert.True(t, p.Line > 0 || p.Kind == sharedfile.NotRegular || p.Kind == sharedfile.Permissions)
		for _, said := range []string{p.String(), p.What, p.Mend, p.Place(), fmt.Sprintf("%#v %+v", p, p)} {
			assert.True(t, utf8.ValidString(said))
			assert.Negative(t, strings.IndexFunc(said, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }), "%q", said)
			assert.False(t, secret && strings.Contains(strings.ToLower(said), strings.ToLower(planted)), "%q", said)
		}
	}
	for _, name := range append(files.Names(), profile) {
		useAll(files, name)
	}
}

// inNames reports whether the planted secret is in a heading or a profile's
// name, which problems show.
func inNames(text, profile string) bool {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }) {
		if strings.Contains(line, "[") && strings.Contains(strings.ToLower(line), strings.ToLower(planted)) {
			return true
		}
	}
	return strings.Contains(profile, planted)
}

func useAll(files *sharedfile.Files, profile string) {
	section, _ := files.Profile(profile)
	for _, key := range section.Keys() {
		files.Get(profile, key)
		files.In(profile, key, true)
	}
	files.Keys(profile, true)
	files.Keys(profile, false)
	files.Quoted(profile)
	files.Where(profile)
	files.Extract(profile, "default", func(string) bool { return true })
	sharedfile.Nearest(profile, files.Names())
}

// FuzzSDK: what both the SDK and we understand, we read alike, but for the rows
// of the table; and the SDK panics on no file that we accept.
func FuzzSDK(f *testing.F) {
	for _, e := range corpus.Entries() {
		f.Add(e.Config, e.Credentials, e.Profile)
	}
	f.Fuzz(checkSDK)
}

func checkSDK(t *testing.T, config, credentials, profile string) {
	files, configPath, credentialsPath := write(t, config, credentials)
	differences, _ := compareWithSDK(files, configPath, credentialsPath, profile)
	for _, r := range differences {
		assert.NotEmpty(t, explained(r), "%s: ours %q, the SDK's %q in\n%q\n%q", r.key, r.ours, r.theirs, config, credentials)
	}
}

// TestMutated: the checks of the fuzz targets on files of the corpus into which
// a few signs of the grammar, look-alikes and lines have been put.
func TestMutated(t *testing.T) {
	entries := corpus.Entries()
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		e := entries[random.IntN(len(entries))]
		config := strings.ReplaceAll(mutate(random, e.Config), "secret", planted)
		credentials := strings.ReplaceAll(mutate(random, e.Credentials), "secret", planted)
		t.Run("", func(t *testing.T) {
			checkTexts(t, config, credentials, e.Profile)
			checkSDK(t, config, credentials, e.Profile)
		})
	}
}

func mutate(random *rand.Rand, text string) string {
	signs := []string{"\"", "'", "#", ";", "=", ":", " ", "\t", "\n", "[", "]", "\r", "\\", " #", " ;", "\n ", "\u00a0", "\u3000", "\u0085", "\v", "\u2028",
		"profile ", "[ops]\n", "[profile ops]\n", "= \"", "\"\"", "\x00", "\xff", "\u200b", "\x1b", "\n  a = b\n", "\n[profile 'ops']\n", "region =\n", "  region = x # y\n", "  secret\n"}
	for range 1 + random.IntN(4) {
		i := random.IntN(len(text) + 1)
		end := i
		if random.IntN(4) == 0 {
			end = min(len(text), i+random.IntN(8))
		}
		text = text[:i] + signs[random.IntN(len(signs))] + text[end:]
	}
	return text
}

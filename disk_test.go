package awsauth_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// disk is WithDiskCache in a directory of the test's. Each New below stands for a
// process of its own: sessions share nothing but the disk.
func disk(w *lab.Place) awsauth.Option { return awsauth.WithDiskCache(filepath.Join(w.Dir, "cache")) }

// TestDiskRole: processes that become one role make one call.
func TestDiskRole(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var log lab.Records
	open := func() *awsauth.Session {
		return w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target), log.Option())
	}
	assumed := open()
	first := lab.Get(t, assumed)
	who, err := assumed.Identity(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, who.UserID)
	assert.NotContains(t, w.Explain(assumed).String(), "from the disk cache")
	assert.False(t, log.Has("INFO", "awsauth: credentials read from the disk cache"), "%s", &log)
	for range 20 {
		s := open()
		assert.Equal(t, first, lab.Get(t, s))
		assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
		same, err := s.Identity(t.Context())
		require.NoError(t, err)
		assert.Equal(t, who, same)
		assert.Contains(t, w.Explain(s).String(), "from the disk cache")
	}
	assert.Len(t, w.Calls(), 1)
	assert.True(t, log.Has("INFO", "awsauth: credentials read from the disk cache"), "%s", &log)
}

// TestDiskUnasked: without the option nothing is kept on the disk.
func TestDiskUnasked(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Env("HOME=$DIR", "XDG_CACHE_HOME=", "LocalAppData=$DIR")
	where, err := os.UserCacheDir()
	require.NoError(t, err)
	lab.Get(t, w.InRole())
	assert.NoDirExists(t, where)
}

// TestDiskKey: whatever decides the answer is part of the key. Each case differs
// in one input from the first, and from all others.
func TestDiskKey(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	role := awsauth.WithAccount(lab.Target)
	other := w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/another")})
	second := w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/ci")})
	device := w.Device()
	again := func(k awsauthtest.Keys) awsauth.Option {
		return awsauth.WithStaticCredentials(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)
	}
	cases := map[string][]awsauth.Option{
		"first":            {w.Static(), role},
		"user":             {again(other), role},
		"key of the user":  {again(second), role},
		"account":          {w.Static(), awsauth.WithAccount(lab.Home), awsauth.WithRole("base")},
		"role":             {w.Static(), role, awsauth.WithRole("team/ops")},
		"session name":     {w.Static(), role, awsauth.WithSessionName("nightly")},
		"duration":         {w.Static(), role, awsauth.WithDuration(30 * time.Minute)},
		"external id":      {w.Static(), role, awsauth.WithExternalID("x-1")},
		"source identity":  {w.Static(), role, awsauth.WithSourceIdentity("ana")},
		"tag":              {w.Static(), role, awsauth.WithTags(map[string]string{"a": "b"})},
		"value of the tag": {w.Static(), role, awsauth.WithTags(map[string]string{"a": "c"})},
		"two tags":         {w.Static(), role, awsauth.WithTags(map[string]string{"a": "b", "c": "d"})},
		"transitive tag":   {w.Static(), role, awsauth.WithTransitiveTags(map[string]string{"a": "b"})},
		"policy":           {w.Static(), role, awsauth.WithPolicy(lab.Policy)},
		"policy ARN":       {w.Static(), role, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess")},
		"another one":      {w.Static(), role, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/SecurityAudit")},
		"region":           {w.Static(), role, awsauth.WithRegion("eu-west-1")},
		"address":          {w.Static(), role, awsauth.WithSTSEndpoint("https://sts.us-east-1.amazonaws.com")},
		"MFA":              {w.Static(), role, device.Option()},
	}
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		for range 2 {
			id := lab.Get(t, w.Open(append(cases[name], disk(w))...)).AccessKeyID
			if before, there := seen[id]; there {
				require.Equal(t, name, before, "an entry of somebody else")
			}
			seen[id] = name
		}
	}
	assert.Len(t, seen, len(cases))
	assert.Len(t, w.Calls("AssumeRole"), len(cases))
}

// TestDiskTwoWays: a role that is assumed from two others is two entries, also where the
// base has a lasting name.
func TestDiskTwoWays(t *testing.T) {
	for name, source := range map[string]func(*lab.Place) awsauth.Option{
		"keys": (*lab.Place).Static,
		"a web identity": func(w *lab.Place) awsauth.Option {
			w.WebToken()
			w.WebEnv()
			return awsauth.WithRegion("us-east-1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			from, ids := source(w), map[string]bool{}
			for range 2 {
				for _, first := range []string{"base", "middle"} {
					s := w.Open(from, disk(w), awsauth.WithAccount(lab.Home), awsauth.WithRole(first))
					child, err := s.Assume(awsauth.WithAccount(lab.Target))
					require.NoError(t, err)
					ids[lab.Get(t, child).AccessKeyID] = true
				}
			}
			assert.Len(t, ids, 2)
			assert.Len(t, w.Calls("AssumeRole"), 4)
		})
	}
}

// TestDiskMFA: a person types one code, whichever process comes first, and none at
// all while the role's own entry is good.
func TestDiskMFA(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device, accounts := w.Device(), w.Strict(3)
		for start := time.Now(); time.Since(start) < 11*time.Hour; time.Sleep(7 * time.Minute) {
			for _, account := range accounts {
				lab.Get(t, w.Open(w.Static(), disk(w), device.Option(), awsauth.WithAccount(account)))
			}
		}
		assert.Equal(t, 1, device.Asked())
		assert.Len(t, w.Calls("GetSessionToken"), 1)
		assert.LessOrEqual(t, len(w.Calls("AssumeRole")), 3*14)
		assert.GreaterOrEqual(t, len(w.Calls("AssumeRole")), 3*10)
	})
}

// TestDiskBases: of the bases, SSO and web identity are kept. Long-lived keys and
// what a process, a container, an instance or a provider answers never are, and
// nothing on the disk holds them. Roles assumed from all of them are kept.
func TestDiskBases(t *testing.T) {
	for _, src := range lab.EverySource() {
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			if src.Setup != nil {
				src.Setup(w)
			}
			w.Files(src.ProfileText(w, ""), src.Credentials)
			w.Env(src.Variables...)
			base := w.Open(append(src.Again(w), disk(w))...)
			own := lab.Get(t, base)
			dear := strings.Contains(src.Name, "SSO") || strings.Contains(own.Source, "WebIdentity") || strings.Contains(own.Source, "AssumeRole")
			assert.Equal(t, dear, onDisk(t, w, own), "%s: %s", src.Name, own.Source)
			role, err := base.Assume(awsauth.WithAccount(lab.Target))
			require.NoError(t, err)
			assert.True(t, onDisk(t, w, lab.Get(t, role)), "a role from there")
		})
	}
}

// onDisk reports whether a file of the cache holds the secret of keys.
func onDisk(t *testing.T, w *lab.Place, keys aws.Credentials) (found bool) {
	files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found = found || strings.Contains(string(text), keys.SecretAccessKey)
	}
	return found
}

// TestDiskRefused: keys that a service refused do not come back from the disk, to
// this process or to another one that hears the same.
func TestDiskRefused(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target))
		other := w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target))
		first := lab.Get(t, s)
		require.Equal(t, first.AccessKeyID, lab.Get(t, other).AccessKeyID)
		w.Expire(first.AccessKeyID)
		time.Sleep(time.Second)
		require.NoError(t, lab.Whoami(s))
		second := lab.Get(t, s)
		require.NotEqual(t, first.AccessKeyID, second.AccessKeyID)
		require.NoError(t, lab.Whoami(other))
		require.Equal(t, second.AccessKeyID, lab.Get(t, other).AccessKeyID, "what the first one got")
		require.Len(t, w.Calls("AssumeRole"), 2)
		require.Equal(t, second.AccessKeyID, lab.Get(t, w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target))).AccessKeyID)
	})
}

// TestDiskDeadMFA: an MFA session that STS does not know any more is dropped from
// the disk too, so that another process asks for a code at once.
func TestDiskDeadMFA(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		device := w.Device()
		s := w.Open(w.Static(), disk(w), device.Option())
		first := lab.Get(t, s)
		w.Expire(first.AccessKeyID)
		time.Sleep(time.Minute)
		require.Error(t, lab.Whoami(s))
		next := lab.Get(t, w.Open(w.Static(), disk(w), device.Option()))
		require.NotEqual(t, first.AccessKeyID, next.AccessKeyID)
		require.Equal(t, 2, device.Asked())
		require.Equal(t, next.AccessKeyID, lab.Get(t, s).AccessKeyID)
		require.Equal(t, 2, device.Asked())
	})
}

// TestDiskLongLived: two processes that live for days renew a role together.
func TestDiskLongLived(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		sessions := make([]*awsauth.Session, 10)
		for i := range sessions {
			sessions[i] = w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target))
			lab.Get(t, sessions[i])
		}
		const hours = 24
		for start := time.Now(); time.Since(start) < hours*time.Hour; time.Sleep(time.Minute) {
			for _, s := range sessions {
				o := lab.Ask(t.Context(), s)
				require.NoError(t, o.Err)
				require.Zero(t, o.Took)
			}
		}
		t.Logf("%.2f calls an hour for ten processes", float64(w.Assumed())/hours)
		require.Less(t, w.Assumed(), hours*5, "one alone makes about two an hour")
	})
}

// TestDiskKeyed: with a key nothing on the disk can be read, and without it nothing
// is found there. A key that cannot be had is a warning, and no disk cache.
func TestDiskKeyed(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var log lab.Records
	open := func(key string) *awsauth.Session {
		return w.Open(w.Static(), disk(w), awsauth.WithAccount(lab.Target), log.Option(), awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) {
			if key == "" {
				return nil, fmt.Errorf("the keychain is locked")
			}
			return []byte(strings.Repeat(key, 32)), nil
		}))
	}
	first := lab.Get(t, open("a"))
	assert.False(t, onDisk(t, w, first))
	assert.Equal(t, first.AccessKeyID, lab.Get(t, open("a")).AccessKeyID)
	assert.NotEqual(t, first.AccessKeyID, lab.Get(t, open("b")).AccessKeyID)
	files, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*"))
	require.NoError(t, err)
	third := lab.Get(t, open(""))
	assert.False(t, onDisk(t, w, third))
	after, err := filepath.Glob(filepath.Join(w.Dir, "cache", "*"))
	require.NoError(t, err)
	assert.Equal(t, files, after)
	assert.True(t, log.Has("WARN", "awsauth: disk cache: ", "the keychain is locked"), "%s", &log)
}

// TestDiskOptions: what would turn the encryption off, or name another directory
// than is meant, is refused.
func TestDiskOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	key := func(context.Context) ([]byte, error) { return make([]byte, 32), nil }
	for _, tt := range []struct {
		opts []awsauth.Option
		says string
	}{
		{[]awsauth.Option{awsauth.WithDiskCache(""), awsauth.WithDiskCacheKey(nil)}, "WithDiskCacheKey"},
		{[]awsauth.Option{awsauth.WithDiskCacheKey(key)}, "WithDiskCache"},
		{[]awsauth.Option{awsauth.WithDiskCache("~/cache")}, `WithDiskCache("~/cache")`},
	} {
		_, err := w.Try(append(tt.opts, w.Static())...)
		lab.RequireBad(t, err, awsauth.InvalidOption, tt.says)
	}
}

// TestDiskTrouble: a cache that cannot be used is a warning, and the credentials
// come as without it.
func TestDiskTrouble(t *testing.T) {
	for name, dir := range map[string]func(w *lab.Place) string{
		"a file":              func(w *lab.Place) string { w.Write("cache", ""); return filepath.Join(w.Dir, "cache") },
		"open to others":      func(w *lab.Place) string { return sharedDir(w) },
		"below a file":        func(w *lab.Place) string { w.Write("file", ""); return filepath.Join(w.Dir, "file", "cache") },
		"a dangling symlink":  func(w *lab.Place) string { return danglingLink(w) },
		"a name with a NUL":   func(w *lab.Place) string { return w.Dir + "/\x00" },
		"a very long segment": func(w *lab.Place) string { return filepath.Join(w.Dir, strings.Repeat("x", 300)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			var log lab.Records
			s := w.Open(w.Static(), awsauth.WithDiskCache(dir(w)), awsauth.WithAccount(lab.Target), log.Option())
			lab.Get(t, s)
			assert.True(t, log.Has("WARN", "awsauth: disk cache: "), "%s", &log)
			assert.Len(t, w.Calls(), 1)
		})
	}
}

func sharedDir(w *lab.Place) string {
	dir := filepath.Join(w.Dir, "shared")
	require.NoError(w.T, os.Mkdir(dir, 0o700))
	require.NoError(w.T, os.Chmod(dir, 0o777))
	return dir
}

func danglingLink(w *lab.Place) string {
	link := filepath.Join(w.Dir, "link")
	require.NoError(w.T, os.Symlink(filepath.Join(w.Dir, "nowhere", "at", "all"), link))
	return link
}

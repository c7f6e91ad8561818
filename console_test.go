package awsauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestConsoleURL: the address signs in as the role, in the console of its own
// partition and region. The keys go to the sign-in service in the body of a POST.
func TestConsoleURL(t *testing.T) {
	for p, hosts := range map[awsauth.Partition][2]string{
		awsauth.AWS:      {"eu-west-1.signin.aws.amazon.com", "eu-west-1.console.aws.amazon.com"},
		awsauth.China:    {"cn-northwest-1.signin.amazonaws.cn", "cn-northwest-1.console.amazonaws.cn"},
		awsauth.GovCloud: {"us-gov-east-1.signin.amazonaws-us-gov.com", "us-gov-east-1.console.amazonaws-us-gov.com"},
	} {
		t.Run(string(p), func(t *testing.T) {
			w := lab.New(t, p)
			region, _, _ := strings.Cut(hosts[0], ".")
			s := w.Open(w.Static(), awsauth.WithRegion(region), awsauth.WithAccount(lab.Target))
			login, err := s.ConsoleURL(t.Context(), "")
			require.NoError(t, err)
			who, ok := w.SignedIn(login)
			require.True(t, ok, "%s", login)
			assert.Contains(t, who.ARN, ":assumed-role/manage-role/")
			assert.Equal(t, lab.Target, who.Account)
			u, err := url.Parse(login)
			require.NoError(t, err)
			assert.Equal(t, hosts[0], u.Host)
			assert.True(t, strings.HasPrefix(u.Query().Get("Destination"), "https://"+hosts[1]+"/"), "%s", u.Query().Get("Destination"))
			calls := w.Calls("getSigninToken")
			require.Len(t, calls, 1)
			assert.Equal(t, "POST", calls[0].Method)
			assert.Equal(t, hosts[0], calls[0].Host)
			assert.NotContains(t, login, lab.Get(t, s).SecretAccessKey)
			assert.NotContains(t, login, url.QueryEscape(lab.Get(t, s).SessionToken))
		})
	}
}

// TestConsoleDuration: how long the console's session lasts is said only for a role
// that is assumed with a user's long-lived keys.
func TestConsoleDuration(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	role := awsauth.WithAccount(lab.Target)
	once := w.Open(w.Static(), role, awsauth.WithDuration(30*time.Minute))
	twice, err := once.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
	require.NoError(t, err)
	for _, tt := range []struct {
		s    *awsauth.Session
		want string
	}{{once, "1800"}, {twice, ""}, {w.Open(w.Static(), device.Option(), role), ""}} {
		w.ResetCalls()
		_, err := tt.s.ConsoleURL(t.Context(), "ec2")
		require.NoError(t, err)
		assert.Equal(t, tt.want, w.Calls("getSigninToken")[0].Params.Get("SessionDuration"), "%s", tt.s)
	}
}

// TestConsoleRefused: a user is not signed in, and is told so before any call. So are
// pages that are not the console's.
func TestConsoleRefused(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	for _, s := range []*awsauth.Session{w.Open(w.Static()), w.Open(w.Static(), device.Option())} {
		_, err := s.ConsoleURL(t.Context(), "")
		lab.RequireBad(t, err, awsauth.LongTermCredentials, "are a user's, and a user's keys sign nobody in", "assume a role first")
		require.ErrorIs(t, err, awsauth.InvalidOption, "it is mended by an option")
	}
	assert.Zero(t, device.Asked())
	_, err := w.Open(awsauth.WithCredentialsProvider(w.Keys.Provider())).ConsoleURL(t.Context(), "")
	lab.RequireBad(t, err, awsauth.LongTermCredentials, "assume a role first")
	assert.Empty(t, w.Said())
	s := w.InRole()
	for _, page := range []string{"https://evil.example.com/", "http://us-east-1.console.aws.amazon.com/", "https://cn-north-1.console.amazonaws.cn/", "//x", "https://console.aws.amazon.com.evil.example.com/"} {
		_, err := s.ConsoleURL(t.Context(), page)
		lab.RequireBad(t, err, awsauth.InvalidOption, "ConsoleURL(")
	}
	assert.Empty(t, w.Calls("getSigninToken"))
}

// TestConsoleFails: what went wrong has its kind, and shows neither keys nor token.
func TestConsoleFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fault awsauthtest.Fault
		kind  awsauth.Kind
	}{
		"refused":      {awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: 400}, awsauth.AccessDenied},
		"throttled":    {awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: 429}, awsauth.Throttled},
		"server error": {awsauthtest.Fault{Kind: awsauthtest.ServerError}, awsauth.Unreachable},
		"reset":        {awsauthtest.Fault{Kind: awsauthtest.Reset}, awsauth.Unreachable},
		"half":         {awsauthtest.Fault{Kind: awsauthtest.Malformed}, awsauth.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			s := w.InRole()
			keys := lab.Get(t, s)
			tt.fault.Action = "getSigninToken"
			w.Inject(tt.fault)
			_, err := s.ConsoleURL(t.Context(), "")
			require.ErrorIs(t, err, tt.kind)
			var paper lab.Paper
			paper.All(err)
			paper.Clean(t, map[string]string{keys.SecretAccessKey: "secret", keys.SessionToken: "token"})
		})
	}
}

// TestConsoleOfOthers: credentials that AWS gave to a role by another way sign in too.
func TestConsoleOfOthers(t *testing.T) {
	for _, src := range lab.EverySource() {
		if src.Role == "" {
			continue
		}
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			if src.Setup != nil {
				src.Setup(w)
			}
			w.Files(src.ProfileText(w, ""), src.Credentials)
			w.Env(src.Variables...)
			login, err := w.Open(src.Again(w)...).ConsoleURL(t.Context(), "")
			require.NoError(t, err)
			_, ok := w.SignedIn(login)
			assert.True(t, ok)
		})
	}
}

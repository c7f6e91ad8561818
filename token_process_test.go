package awsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// sharedLogin is a kind of token file that the processes of a user share.
type sharedLogin struct {
	config string
	grant  string // the action that renews the token
	path   func(t *testing.T, w *lab.Place) string
	fresh  func(w *lab.Place) []byte // what a person's login leaves, expired
	read   func(ctx context.Context, cfg aws.Config, path string) error
}

func sharedLogins() map[string]sharedLogin {
	return map[string]sharedLogin{
		"aws login": {
			config: "[profile dev]\nlogin_session = arn:aws:iam::111111111111:user/ci\n", grant: "CreateOAuth2Token",
			path: func(t *testing.T, w *lab.Place) string {
				w.Env("AWS_LOGIN_CACHE_DIRECTORY=$DIR")
				path, err := logincreds.StandardCachedTokenFilepath("arn:aws:iam::111111111111:user/ci", w.Dir)
				require.NoError(t, err)
				return path
			},
			fresh: func(w *lab.Place) []byte { return w.Login(w.ARN(lab.Home, "user/ci"), 0) },
			read: func(ctx context.Context, cfg aws.Config, path string) error {
				_, err := logincreds.New(signin.NewFromConfig(cfg), path).Retrieve(ctx)
				return err
			},
		},
		"SSO": {
			config: "[profile dev]\n" + lab.SSOSession + lab.CorpSection, grant: "CreateToken",
			path: func(t *testing.T, w *lab.Place) string {
				path := w.SSOCache("corp")
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				return path
			},
			fresh: func(w *lab.Place) []byte {
				return w.LoginSSO("https://corp.awsapps.com/start", "us-east-1", 0, w.ARN(lab.Home, "role/base"))
			},
			read: func(ctx context.Context, cfg aws.Config, path string) error {
				_, err := ssocreds.NewSSOTokenProvider(ssooidc.NewFromConfig(cfg), path).RetrieveBearerToken(ctx)
				return err
			},
		},
	}
}

// TestLoginShared: eight processes find a login expired at the same moment, ten
// times. One of them renews it, and all go on with what that one wrote, which the
// SDK's own provider reads. The refresh token works once, so a second renewal would
// fail. Readers that come at any time never meet half a file.
func TestLoginShared(t *testing.T) {
	const processes, rounds = 8, 10
	for name, l := range sharedLogins() {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(l.config, "")
			path := l.path(t, w)
			team := newTeam(w, processes)
			for round := range rounds {
				replace(t, path, l.fresh(w))
				if round == 0 {
					defer watch(t, path)()
				}
				team.all(errand{Profile: "dev"})
				require.Len(t, w.Calls(l.grant), round+1, "one renewal for all")
				cfg, err := config.LoadDefaultConfig(t.Context(), w.LoadOptions(), config.WithRegion("us-east-1"))
				require.NoError(t, err)
				require.NoError(t, l.read(t.Context(), cfg, path), "the SDK's provider reads the file")
				require.Len(t, w.Calls(l.grant), round+1, "and needs no renewal")
			}
			assert.Empty(t, team.faults)
			assert.Equal(t, processes*rounds, team.succeeded)
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		})
	}
}

// replace puts a file in the place of another at once.
func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", text, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// watch reads a file of JSON over and over, until stop is called.
func watch(t *testing.T, path string) (stop func()) {
	enough, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for {
			select {
			case <-enough:
				return
			case <-tick.C:
			}
			text, err := os.ReadFile(path)
			assert.NoError(t, err)
			assert.True(t, json.Valid(text), "half a file: %d bytes", len(text))
		}
	}()
	return func() { close(enough); <-done }
}

// team is processes that all do the same.
type team struct {
	t       testing.TB
	workers []*lab.Process

	mu        sync.Mutex
	pending   sync.WaitGroup
	succeeded int
	faults    []string
}

func newTeam(w *lab.Place, n int) *team {
	c := &team{t: w.T}
	for i := range n {
		c.workers = append(c.workers, w.Process("worker", fmt.Sprint("worker-", i), c.hear))
	}
	return c
}

func (c *team) hear(p *lab.Process, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(line, "done ") {
		c.succeeded++
	} else {
		c.faults = append(c.faults, p.Name+" "+line)
	}
	if !strings.HasPrefix(line, "warning ") {
		c.pending.Done()
	}
}

// all sends every process on the errand and waits for all of them.
func (c *team) all(e errand) {
	c.t.Helper()
	c.pending.Add(len(c.workers))
	for _, p := range c.workers {
		p.Say(e)
	}
	finished := make(chan struct{})
	go func() { c.pending.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		c.mu.Lock()
		defer c.mu.Unlock()
		require.FailNow(c.t, "a process waits for ever", "%v", c.faults)
	}
}

package awsauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestBearerVariables: the SDK's clients of one service take a bearer token from the
// environment instead of the session's credentials. Explain and a warning say so.
func TestBearerVariables(t *testing.T) {
	for name, tt := range map[string]struct {
		env  []string
		want []string
	}{
		"Bedrock":         {[]string{"AWS_BEARER_TOKEN_BEDROCK=the-bearer-token"}, []string{"AWS_BEARER_TOKEN_BEDROCK"}},
		"another service": {[]string{"AWS_BEARER_TOKEN_FUTURE_SERVICE=the-bearer-token"}, []string{"AWS_BEARER_TOKEN_FUTURE_SERVICE"}},
		"two":             {[]string{"AWS_BEARER_TOKEN_Z=the-bearer-token", "AWS_BEARER_TOKEN_A=the-bearer-token"}, []string{"AWS_BEARER_TOKEN_A", "AWS_BEARER_TOKEN_Z"}},
		"empty":           {[]string{"AWS_BEARER_TOKEN_BEDROCK="}, nil},
		"another name":    {[]string{"MY_AWS_BEARER_TOKEN_BEDROCK=the-bearer-token", "AWS_BEARER=x"}, nil},
	} {
		for _, opts := range [][]awsauth.Option{nil, {awsauth.WithAccount(lab.Target)}, {awsauth.WithPartition(awsauth.AWS), awsauth.WithRegion("eu-west-1")}} {
			t.Run(name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.Env(tt.env...)
				log := new(lab.Records)
				s := w.Open(append(opts, w.Static(), log.Option())...)
				child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
				require.NoError(t, err)
				for _, session := range []*awsauth.Session{s, child} {
					var found []string
					for _, step := range session.Explain().Steps {
						if strings.Contains(step.Source, "AWS_BEARER") {
							found = append(found, step.Source)
							assert.Equal(t, awsauth.Used, step.Status)
							assert.Contains(t, step.Detail, "wins over the session's credentials")
						}
					}
					assert.Equal(t, tt.want, found)
				}
				for _, variable := range tt.want {
					assert.True(t, log.Has("WARN", variable, "wins over", "sigv4"), log.String())
				}
				assert.Equal(t, len(tt.want) > 0, log.Has("WARN", "AWS_BEARER"))
				assert.NotContains(t, log.String()+s.Explain().String(), "the-bearer-token")
			})
		}
	}
}

package ssologin_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
)

// client answers with these errors in turn, the last one again and again.
type client struct {
	answers []error
	asked   []time.Time
}

func (*client) RegisterClient(context.Context, *ssooidc.RegisterClientInput, ...func(*ssooidc.Options)) (*ssooidc.RegisterClientOutput, error) {
	return &ssooidc.RegisterClientOutput{ClientId: aws.String("id"), ClientSecret: aws.String("hush")}, nil
}

func (*client) StartDeviceAuthorization(context.Context, *ssooidc.StartDeviceAuthorizationInput, ...func(*ssooidc.Options)) (*ssooidc.StartDeviceAuthorizationOutput, error) {
	return &ssooidc.StartDeviceAuthorizationOutput{DeviceCode: aws.String("d"), UserCode: aws.String("u"), VerificationUri: aws.String("https://x"), ExpiresIn: 60}, nil
}

func (c *client) CreateToken(context.Context, *ssooidc.CreateTokenInput, ...func(*ssooidc.Options)) (*ssooidc.CreateTokenOutput, error) {
	c.asked = append(c.asked, time.Now())
	err := c.answers[0]
	if len(c.answers) > 1 {
		c.answers = c.answers[1:]
	}
	return &ssooidc.CreateTokenOutput{AccessToken: aws.String("hush"), ExpiresIn: 3600}, err
}

// TestPace: the service is asked every five seconds, and five seconds slower each
// time it says so.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client{answers: []error{&types.AuthorizationPendingException{}, &types.SlowDownException{}, &types.AuthorizationPendingException{}, nil}}
		start := time.Now()
		var shown ssologin.Device
		token, err := ssologin.Run(t.Context(), c, ssologin.Place{StartURL: "https://corp"}, func(d ssologin.Device) { shown = d })
		require.NoError(t, err)
		var at []time.Duration
		for _, asked := range c.asked {
			at = append(at, asked.Sub(start))
		}
		assert.Equal(t, []time.Duration{0, 5 * time.Second, 15 * time.Second, 25 * time.Second}, at)
		assert.Equal(t, ssologin.Device{Address: "https://x", Code: "u", Until: start.Add(time.Minute)}, shown)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", token, token, token, &token), "hush")
	})
}

// TestTooLate: nobody waits longer than the code lives, nor than the caller does.
func TestTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client{answers: []error{&types.AuthorizationPendingException{}}}
		start := time.Now()
		_, err := ssologin.Run(t.Context(), c, ssologin.Place{}, func(ssologin.Device) {})
		require.ErrorIs(t, err, ssologin.ErrTooLate)
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = ssologin.Run(ctx, c, ssologin.Place{}, func(ssologin.Device) {})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// empty answers without a token.
type empty struct{ client }

func (*empty) CreateToken(context.Context, *ssooidc.CreateTokenInput, ...func(*ssooidc.Options)) (*ssooidc.CreateTokenOutput, error) {
	return &ssooidc.CreateTokenOutput{ExpiresIn: 3600}, nil
}

// TestNoToken: an answer without a token is no login.
func TestNoToken(t *testing.T) {
	_, err := ssologin.Run(t.Context(), &empty{}, ssologin.Place{StartURL: "https://corp"}, func(ssologin.Device) {})
	require.ErrorIs(t, err, ssologin.ErrNoToken)
}

// Package ssologin signs a person in at IAM Identity Center with a device code, and
// keeps the token where the AWS CLI keeps it. Every SDK reads it from there.
//
// See https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/
package ssologin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
)

// Place is where to sign in, as a profile says.
type Place struct {
	Session  string // name of the sso-session section; "" for a profile with the address in itself
	StartURL string
	Region   string
	Scopes   []string // of the section; the AWS CLI's default where there are none
}

// Device is what the person has to do: open the address and compare the code.
type Device struct {
	Address string // with the code in it, where the service gives one
	Code    string
	Until   time.Time
}

// Client is the part of ssooidc.Client that a login needs.
type Client interface {
	RegisterClient(context.Context, *ssooidc.RegisterClientInput, ...func(*ssooidc.Options)) (*ssooidc.RegisterClientOutput, error)
	StartDeviceAuthorization(context.Context, *ssooidc.StartDeviceAuthorizationInput, ...func(*ssooidc.Options)) (*ssooidc.StartDeviceAuthorizationOutput, error)
	CreateToken(context.Context, *ssooidc.CreateTokenInput, ...func(*ssooidc.Options)) (*ssooidc.CreateTokenOutput, error)
}

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
	// accessScope lets the token be used at the portal; a token with a scope can be
	// renewed.
	accessScope = "sso:account:access"
	// pause is how long the service wants to be left alone between two questions, if
	// it does not say; slower is what it adds where it was asked too soon (RFC 8628).
	pause, slower = 5 * time.Second, 5 * time.Second
)

var (
	// ErrRefused is the error where the person, or the service, said no.
	ErrRefused = errors.New("the request was refused in the browser")
	// ErrTooLate is the error where nobody answered in time.
	ErrTooLate = errors.New("nobody signed in before the code ended")
	// ErrNoToken is the error where an answer says yes and has no token.
	ErrNoToken = errors.New("what answered holds no token")
)

// Run signs in: it registers, has show tell the person what to do, and waits until
// that is done. The first question waits for show.
func Run(ctx context.Context, client Client, p Place, show func(Device)) (Token, error) {
	registration, err := client.RegisterClient(ctx, p.registration())
	if err != nil {
		return Token{}, fmt.Errorf("register: %w", err)
	}
	start, err := client.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: registration.ClientId, ClientSecret: registration.ClientSecret, StartUrl: aws.String(p.StartURL),
	})
	if err != nil {
		return Token{}, fmt.Errorf("ask for a code: %w", err)
	}
	d := Device{Address: aws.ToString(start.VerificationUriComplete), Code: aws.ToString(start.UserCode), Until: after(start.ExpiresIn)}
	if d.Address == "" {
		d.Address = aws.ToString(start.VerificationUri)
	}
	show(d)
	ctx, cancel := context.WithDeadlineCause(ctx, d.Until, ErrTooLate)
	defer cancel()
	out, err := wait(ctx, client, &ssooidc.CreateTokenInput{
		ClientId: registration.ClientId, ClientSecret: registration.ClientSecret, GrantType: aws.String(grantDevice), DeviceCode: start.DeviceCode,
	}, time.Duration(start.Interval)*time.Second)
	if err == nil && (aws.ToString(out.AccessToken) == "" || out.ExpiresIn <= 0) {
		err = ErrNoToken
	}
	if err != nil {
		return Token{}, err
	}
	return Token{
		StartURL: p.StartURL, Region: p.Region, AccessToken: aws.ToString(out.AccessToken), ExpiresAt: stamp(after(out.ExpiresIn)),
		ClientID: aws.ToString(registration.ClientId), ClientSecret: aws.ToString(registration.ClientSecret),
		RegistrationExpiresAt: stamp(time.Unix(registration.ClientSecretExpiresAt, 0)), RefreshToken: aws.ToString(out.RefreshToken),
	}, nil
}

// registration is how this program presents itself. Only a session has scopes, and
// only with scopes is there a token to renew with.
func (p Place) registration() *ssooidc.RegisterClientInput {
	in := &ssooidc.RegisterClientInput{ClientName: aws.String("awsauth"), ClientType: aws.String("public")}
	if p.Session != "" {
		in.GrantTypes = []string{grantDevice, grantRefresh}
		if in.Scopes = p.Scopes; len(in.Scopes) == 0 {
			in.Scopes = []string{accessScope}
		}
	}
	return in
}

// wait asks for the token, as often as the service allows, until the person is done.
func wait(ctx context.Context, client Client, in *ssooidc.CreateTokenInput, interval time.Duration) (*ssooidc.CreateTokenOutput, error) {
	if interval <= 0 {
		interval = pause
	}
	for {
		out, err := client.CreateToken(ctx, in)
		var pending *types.AuthorizationPendingException
		var soon *types.SlowDownException
		var late *types.ExpiredTokenException
		var denied *types.AccessDeniedException
		switch {
		case err == nil:
			return out, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.As(err, &pending):
		case errors.As(err, &soon):
			interval += slower
		case errors.As(err, &late):
			return nil, ErrTooLate
		case errors.As(err, &denied):
			return nil, ErrRefused
		default:
			return nil, fmt.Errorf("ask for the token: %w", err)
		}
		timer := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

func after(seconds int32) time.Time { return time.Now().Add(time.Duration(seconds) * time.Second) }

// stamp is a time as the AWS CLI writes it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

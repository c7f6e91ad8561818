package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
	"github.com/chaoxiaodi/awsauth/internal/diskcache"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// loginCommand signs a person in with SSO.
func loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "sign in with SSO (IAM Identity Center), without the AWS CLI",
		Description: "Opens the sign-in page of the profile's sso_session, or of the profile that it\n" +
			"takes its role from, and waits until you have said yes there, in a browser. The token is kept\n" +
			"where the AWS CLI keeps it, so that boto3, the CLI and every SDK go on with it.\n" +
			"Examples:\n\n" +
			"    awsauth login --profile dev\n" +
			"    awsauth login --profile dev --no-browser     print the address only",
		Flags: []cli.Flag{
			profileFlag(),
			&cli.BoolFlag{Name: "no-browser", Usage: "print the address, and open no browser"},
		},
		HideHelpCommand: true,
		Action:          runLogin,
	}
}

// logoutCommand ends what login began.
func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "end the SSO session of a profile, and remove its token",
		Description: "The session ends at AWS and the token is removed from this machine. Keys that were\n" +
			"got with it before live on until they end. Example:\n\n" +
			"    awsauth logout --profile dev",
		Flags:           []cli.Flag{profileFlag()},
		HideHelpCommand: true,
		Action:          runLogout,
	}
}

func profileFlag() cli.Flag {
	return &cli.StringFlag{Name: "profile", Usage: "`NAME` of the profile in the shared config file (default: AWS_PROFILE, else default)"}
}

func runLogin(ctx context.Context, cmd *cli.Command) error {
	place, cfg, err := signInPlace(cmd)
	if err != nil {
		return err
	}
	before, _ := place.Read()
	token, err := ssologin.Run(ctx, ssooidc.NewFromConfig(cfg), place, func(d ssologin.Device) { showDevice(cmd, d) })
	if err != nil {
		return &failure{fmt.Errorf("awsauth: login: %s: %s", place.StartURL, answered(err))}
	}
	err = place.MakeDirectory() // which the lock is in, too
	if err == nil {
		err = lockToken(ctx, cmd, place, func(context.Context) (err error) {
			token, err = place.Write(token, before)
			return err
		})
	}
	if err != nil {
		return &failure{fmt.Errorf("awsauth: login: keep the token: %w", err)}
	}
	fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: signed in at %s until %s\n", printable(place.StartURL), printable(token.ExpiresAt))
	return nil
}

func runLogout(ctx context.Context, cmd *cli.Command) error {
	place, cfg, err := signInPlace(cmd)
	if err != nil {
		return err
	}
	said := "signed out at"
	err = lockToken(ctx, cmd, place, func(ctx context.Context) error {
		token, err := place.Read()
		if errors.Is(err, fs.ErrNotExist) {
			said = "nobody is signed in at"
			return nil
		}
		switch {
		case err != nil:
			fmt.Fprintln(cmd.Root().ErrWriter, "awsauth: the token's file cannot be read as one, so the session is not ended at AWS, only here")
		case token.AccessToken == "":
			fmt.Fprintln(cmd.Root().ErrWriter, "awsauth: there is no token in the token's file, so the session is not ended at AWS, only here")
		default:
			endSession(ctx, cmd, cfg, token)
		}
		return place.Remove()
	})
	if err != nil {
		return &failure{fmt.Errorf("awsauth: logout: %w", err)}
	}
	fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: %s %s\n", said, printable(place.StartURL))
	return nil
}

// lockWait is how long to wait for a program that is renewing the token.
const lockWait = 8 * time.Second

// lockToken calls do while no other login, and no program of this library that renews
// the token, changes its file.
func lockToken(ctx context.Context, cmd *cli.Command, place ssologin.Place, do func(context.Context) error) error {
	path, err := place.File()
	if err != nil {
		return err
	}
	return diskcache.WithLock(ctx, path, lockWait, func(_ context.Context, _ string, err error) {
		fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: the token's file cannot be locked, and is changed all the same: %s\n", oneLine(printable(err.Error())))
	}, do)
}

// answered is an error of a service, as a person sees it. What is too large, or leads
// elsewhere, no service of AWS sends.
func answered(err error) string {
	var large *transport.TooLargeError
	var status *smithyhttp.ResponseError
	var address *url.Error
	var call *smithy.OperationError
	switch {
	case errors.As(err, &call) && errors.Is(err, context.DeadlineExceeded): // the SDK does not say which address it asked
		return "no answer in time from " + call.ServiceID + ": allow more time, or check the network and the proxy variables"
	case errors.As(err, &address) && !errors.Is(err, context.Canceled):
		return "no connection to " + hostOf(address.URL) + ": " + redact.Message(address.Err.Error()) + ": check the network and the proxy variables"
	case errors.As(err, &large):
		return large.Error() + ", so it is not AWS's: check the AWS_ENDPOINT_URL and proxy variables"
	case errors.As(err, &status) && status.HTTPStatusCode()/100 == 3:
		return "the answer is a redirect, so it is not AWS's: check the AWS_ENDPOINT_URL and proxy variables"
	}
	return redact.Message(err.Error())
}

// hostOf is the host of an address that was asked.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return redact.OneLine(u.Host)
	}
	return "the service"
}

// showDevice tells a person where to go.
func showDevice(cmd *cli.Command, d ssologin.Device) {
	w := cmd.Root().ErrWriter
	fmt.Fprintf(w, "awsauth: to sign in, open this address\n\n    %s\n\nand see that it shows the code %s (until %s)\n", printable(d.Address), penFor(w).bold(printable(d.Code)), d.Until.Local().Format("15:04"))
	if cmd.Bool("no-browser") {
		return
	}
	if err := openBrowser(d.Address); err != nil {
		fmt.Fprintf(w, "awsauth: no browser was opened: %v\n", err)
	}
}

// endSession ends the session at AWS. A token that has ended already is no reason to
// keep its file.
func endSession(ctx context.Context, cmd *cli.Command, cfg aws.Config, token ssologin.Token) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := sso.NewFromConfig(cfg)
	if _, err := client.Logout(ctx, &sso.LogoutInput{AccessToken: aws.String(token.AccessToken)}); err != nil {
		fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: the session could not be ended at AWS, only here; it ends by itself at %s\n", printable(token.ExpiresAt))
	}
}

// signInPlace is where the profile of the flags signs in, with a configuration for the
// services there: the session's own, so that proxies and certificates are the same. The
// profile's settings count for it, and neither its keys nor its role.
func signInPlace(cmd *cli.Command) (ssologin.Place, aws.Config, error) {
	if err := noArguments(cmd); err != nil {
		return ssologin.Place{}, aws.Config{}, err
	}
	name, named := cmd.String("profile"), "--profile"
	if name == "" {
		name, named = defaultProfile()
	}
	place, err := findPlace(name, named)
	if err != nil {
		return place, aws.Config{}, &failure{fmt.Errorf("awsauth: %s: %w", cmd.Name, err)}
	}
	defer setenv("AWS_PROFILE", name)() // a profile that the variable names says nothing of who one is where an option does
	s, err := awsauth.New(awsauth.WithCredentialsProvider(nobody{}), awsauth.WithRegion(place.Region), quiet)
	if err != nil {
		return place, aws.Config{}, failed(err)
	}
	cfg := s.Config()
	cfg.Credentials, cfg.HTTPClient = aws.AnonymousCredentials{}, transport.Own(cfg.HTTPClient)
	return place, cfg, nil
}

// nobody is a provider that is never asked.
type nobody struct{}

func (nobody) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("nobody has signed in yet")
}

// setenv sets a variable, and returns what sets it back.
func setenv(name, value string) (back func()) {
	old, ok := os.LookupEnv(name)
	_ = os.Setenv(name, value)
	return func() {
		_ = os.Unsetenv(name)
		if ok {
			_ = os.Setenv(name, old)
		}
	}
}

// defaultProfile is the profile of who gives no --profile, and the variable that names
// it, if one does.
func defaultProfile() (name, named string) {
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := os.Getenv(variable); name != "" {
			return name, variable
		}
	}
	return "default", ""
}

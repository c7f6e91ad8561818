package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// loginCommand signs a person in with SSO.
func loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "sign in with SSO (IAM Identity Center), without the AWS CLI",
		Description: "Opens the sign-in page of the profile's sso_session, or of the profile that it\n" +
			"takes its role from, and waits until you have said yes there. The token is kept\n" +
			"where the AWS CLI keeps it, so that boto3, the CLI and every SDK go on with it.\n" +
			"Examples:\n\n" +
			"    awsauth login --profile dev\n" +
			"    awsauth login --profile dev --no-browser     print the address only",
		Flags: []cli.Flag{
			profileFlag(),
			&cli.BoolFlag{Name: "no-browser", Usage: "print the address, and open no browser"},
		},
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			place, cfg, err := signInPlace(cmd.String("profile"))
			if err != nil {
				return &failure{err}
			}
			token, err := ssologin.Run(ctx, ssooidc.NewFromConfig(cfg), place, func(d ssologin.Device) { showDevice(cmd, d) })
			if err != nil {
				return &failure{fmt.Errorf("awsauth: login: %s: %s", place.StartURL, redact.Message(err.Error()))}
			}
			if err := place.Write(token); err != nil {
				return &failure{fmt.Errorf("awsauth: login: keep the token: %w", err)}
			}
			fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: signed in at %s until %s\n", place.StartURL, token.ExpiresAt)
			return nil
		},
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
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			place, cfg, err := signInPlace(cmd.String("profile"))
			if err != nil {
				return &failure{err}
			}
			token, err := place.Read()
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: nobody is signed in at %s\n", place.StartURL)
				return nil
			}
			if err == nil {
				endSession(ctx, cmd, cfg, token)
			}
			if err := place.Remove(); err != nil {
				return &failure{fmt.Errorf("awsauth: logout: %w", err)}
			}
			fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: signed out at %s\n", place.StartURL)
			return nil
		},
	}
}

func profileFlag() cli.Flag {
	return &cli.StringFlag{Name: "profile", Usage: "`NAME` of the profile in the shared config file (default: AWS_PROFILE, else default)"}
}

// showDevice tells a person where to go.
func showDevice(cmd *cli.Command, d ssologin.Device) {
	w := cmd.Root().ErrWriter
	fmt.Fprintf(w, "awsauth: to sign in, open this address\n\n    %s\n\nand see that it shows the code %s (until %s)\n", printable(d.Address), penFor(w).bold(printable(d.Code)), d.Until.Local().Format("15:04"))
	if cmd.Bool("no-browser") {
		return
	}
	if err := openBrowser(d.Address); err != nil {
		fmt.Fprintf(w, "awsauth: no browser could be opened: %v\n", err)
	}
}

// endSession ends the session at AWS. A token that has ended already is no reason to
// keep its file.
func endSession(ctx context.Context, cmd *cli.Command, cfg aws.Config, token ssologin.Token) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := sso.NewFromConfig(cfg)
	if _, err := client.Logout(ctx, &sso.LogoutInput{AccessToken: aws.String(token.AccessToken)}); err != nil {
		fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: the session could not be ended at AWS, only here; it ends by itself at %s\n", token.ExpiresAt)
	}
}

// signInPlace is where a profile signs in, with a configuration for the services
// there: the session's own, so that proxies and certificates are the same.
func signInPlace(profile string) (ssologin.Place, aws.Config, error) {
	name, named := profile, "--profile"
	if name == "" {
		name, named = defaultProfile()
	}
	place, err := findPlace(name, named)
	if err != nil {
		return place, aws.Config{}, err
	}
	s, err := awsauth.New(awsauth.WithProfile(name), quiet)
	if err != nil {
		return place, aws.Config{}, failed(err)
	}
	cfg := s.Config()
	cfg.Region, cfg.Credentials = place.Region, aws.AnonymousCredentials{}
	return place, cfg, nil
}

// defaultProfile is the profile of who names none.
func defaultProfile() (name, named string) {
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := os.Getenv(variable); name != "" {
			return name, variable
		}
	}
	return "default", "--profile"
}

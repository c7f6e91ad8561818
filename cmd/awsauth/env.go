package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// envCommand prints what exec would put into a command's environment.
func envCommand() *cli.Command {
	return &cli.Command{
		Name:  "env",
		Usage: "print a role's credentials as assignments for your shell",
		Description: "The output sets the keys, their end, the account and the region, and unsets what\n" +
			"would lead to another identity. It holds secrets. Examples, for sh, fish, PowerShell,\n" +
			"cmd and a file of variables:\n\n" +
			"    eval \"$(awsauth env --account 123456789012)\"\n" +
			"    awsauth env --account 123456789012 --format fish | source\n" +
			"    awsauth env --account 123456789012 --format powershell | Out-String | Invoke-Expression\n" +
			"    for /f \"delims=\" %i in ('awsauth env --account 123456789012 --format cmd') do @%i\n" +
			"    (umask 077; awsauth env --account 123456789012 --format dotenv > .env)\n\n" +
			"Without @, cmd shows what it runs. Without umask, others of this machine can read .env;\n" +
			"one that is there already keeps its mode.\n\n" +
			"json and dotenv cannot unset: there only the assignments are printed. The keys stay as\n" +
			"they are until they end; awsauth exec --serve renews them.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "the `LANGUAGE` to print: sh, fish, powershell, cmd, json or dotenv (default: sh)", Validator: checkFormat},
			timeoutFlag(),
		}, sessionFlags()...),
		HideHelpCommand: true,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			ctx, cancel, err := withTimeout(ctx, cmd)
			if err != nil {
				return err
			}
			defer cancel()
			s, err := openSession(ctx, cmd)
			if err != nil {
				return err
			}
			keys, err := firstKeys(ctx, cmd, lasting{s, leftForGood})
			if err != nil {
				return err
			}
			sets := keyVariables(keys, s.Config().Region)
			text, err := assignments(cmd.String("format"), unsetsBeside(sets, os.Environ()), sets)
			if err == nil {
				_, err = io.WriteString(cmd.Root().Writer, text)
			}
			if err != nil {
				return &failure{fmt.Errorf("awsauth: env: %w", err)}
			}
			return nil
		},
	}
}

// formats are the languages of env. Each writes what is unset, then what is set.
func formats() map[string]func(unset []string, set []variable) (string, error) {
	return map[string]func([]string, []variable) (string, error){
		"": formatShell, "sh": formatShell, "fish": formatFish, "powershell": formatPowerShell, "cmd": formatCmd, "json": formatJSON, "dotenv": formatDotenv,
	}
}

func checkFormat(name string) error {
	if _, ok := formats()[name]; !ok {
		return errors.New("write sh, fish, powershell, cmd, json or dotenv")
	}
	return nil
}

// assignments writes variables in one of the formats.
func assignments(format string, unset []string, set []variable) (string, error) {
	for _, v := range set {
		if strings.ContainsAny(v.value, "\x00\r\n") {
			return "", fmt.Errorf("%s has a line end in it", v.name)
		}
	}
	return formats()[format](unset, set)
}

// unsetsBeside are the shadowing variables that are not set anew. Those of bearer
// tokens have names that nobody can list, so they are those of environ.
func unsetsBeside(sets []variable, environ []string) (names []string) {
	for _, name := range shadowing {
		isSet := slices.ContainsFunc(sets, func(v variable) bool { return v.name == name })
		if !isSet && strings.HasPrefix(name, "AWS_") {
			names = append(names, name)
		}
	}
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, bearerTokens) && isName(name) {
			names = append(names, name)
		}
	}
	return names
}

// isName reports whether every shell takes this for the name of a variable.
func isName(name string) bool {
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// shell makes the user's shell the command, its prompt marked with who one is there.
func (x *execution) shell() error {
	program := os.Getenv("SHELL")
	if runtime.GOOS == "windows" {
		program = os.Getenv("ComSpec")
	}
	if program == "" {
		program = "/bin/sh"
	}
	x.argv = []string{program}
	if err := x.find(); err != nil {
		return err
	}
	mark := "awsauth"
	if account := accountOf(x.keys); account != "" {
		mark += " " + account
	}
	if path, err := exec.LookPath(program); err == nil {
		x.program = path
	}
	args, variables := markPrompt(filepath.Base(program), mark)
	x.argv, x.environ = append(x.argv, args...), with(withoutPrompt(x.environ), variables...)
	return nil
}

// markPrompt says how a shell is told to put a mark in front of its prompt. A shell
// whose own start-up sets the prompt afterwards has the mark in AWSAUTH_PROMPT.
func markPrompt(shell, mark string) (args []string, variables []variable) {
	text := "(" + mark + ") "
	variables = []variable{{"AWSAUTH_PROMPT", text}}
	switch strings.TrimSuffix(strings.ToLower(shell), ".exe") {
	case "bash": // ~/.bashrc sets PS1; this comes after it, once
		variables = append(variables, variable{"PROMPT_COMMAND", `PS1="$AWSAUTH_PROMPT$PS1"; unset PROMPT_COMMAND`})
	case "fish":
		args = []string{"--init-command", `functions --copy fish_prompt awsauth_prompt; function fish_prompt; printf '%s' "$AWSAUTH_PROMPT"; awsauth_prompt; end`}
	case "cmd":
		variables = append(variables, variable{"PROMPT", text + "$P$G"})
	case "powershell", "pwsh":
		args = []string{"-NoExit", "-Command", `$awsauthPrompt = $function:prompt; function prompt { $env:AWSAUTH_PROMPT + (& $awsauthPrompt) }`}
	case "zsh":
		variables = append(variables, variable{"PS1", text + "%m%# "})
	default:
		variables = append(variables, variable{"PS1", text + "$ "})
	}
	return args, variables
}

// withoutPrompt is an environment without the prompt of the shell that we were
// started from.
func withoutPrompt(environ []string) []string {
	var rest []string
	for _, pair := range environ {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "PS1", "PROMPT", "PROMPT_COMMAND":
		default:
			rest = append(rest, pair)
		}
	}
	return rest
}

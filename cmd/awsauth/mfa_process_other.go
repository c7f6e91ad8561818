//go:build !windows

package main

import (
	"context"
	"os/exec"
)

// shellCommand runs command with the shell.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", command)
}

package main

import (
	"context"
	"os/exec"
	"syscall"
)

// shellCommand runs command with cmd.exe, which gets it as it was written: the
// quoting of package exec is not that of cmd.exe.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	c := exec.CommandContext(ctx, "cmd.exe")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + command + `"`}
	return c
}

package awsauth

import (
	"context"
	"fmt"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/terminal"
)

// ttyLine is the process's one reader of the terminal: two that read at once would
// take each other's digits.
var ttyLine = terminal.New()

// PromptMFA asks for a code on the terminal, for WithMFA:
//
//	awsauth.WithMFA("arn:aws:iam::123456789012:mfa/ana", awsauth.PromptMFA)
//
// It names the device and, where there is one, the profile, and does not echo what
// is typed. It uses the terminal itself (/dev/tty; the console on Windows) and
// leaves standard input and output alone. Callers at the same time are asked one
// after another. It returns when ctx ends, and fails where the process has no
// terminal, as under cron.
func PromptMFA(ctx context.Context) (string, error) {
	text := "MFA code:"
	if d, ok := ctx.Value(deviceKey{}).(*mfaDevice); ok {
		text = fmt.Sprintf("MFA code for %s:", redact.OneLine(d.serial))
		if d.profile != "" {
			text = fmt.Sprintf("MFA code for %s (profile %s):", redact.OneLine(d.serial), redact.OneLine(d.profile))
		}
	}
	return ttyLine.Ask(ctx, text)
}

package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// formatShell is for sh and all that come from it. Between single quotes nothing is
// special but the quote itself.
func formatShell(unset []string, set []variable) (string, error) {
	var b strings.Builder
	if len(unset) > 0 {
		b.WriteString("unset " + strings.Join(unset, " ") + "\n")
	}
	for _, v := range set {
		fmt.Fprintf(&b, "export %s='%s'\n", v.name, strings.ReplaceAll(v.value, `'`, `'\''`))
	}
	return b.String(), nil
}

// formatFish: between single quotes a backslash escapes itself and the quote.
func formatFish(unset []string, set []variable) (string, error) {
	var b strings.Builder
	for _, name := range unset {
		fmt.Fprintf(&b, "set -e %s\n", name)
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, v := range set {
		fmt.Fprintf(&b, "set -gx %s '%s'\n", v.name, escape.Replace(v.value))
	}
	return b.String(), nil
}

// formatPowerShell: between single quotes a quote is written twice, and PowerShell
// takes typographic quotes for quotes too.
func formatPowerShell(unset []string, set []variable) (string, error) {
	var b strings.Builder
	for _, name := range unset {
		fmt.Fprintf(&b, "Remove-Item -ErrorAction SilentlyContinue Env:%s\n", name)
	}
	double := strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛")
	for _, v := range set {
		fmt.Fprintf(&b, "$env:%s = '%s'\n", v.name, double.Replace(v.value))
	}
	return b.String(), nil
}

// formatCmd is for Windows' cmd, which has no way to quote everything. Keys and
// regions hold nothing that would need it; what does is refused.
func formatCmd(unset []string, set []variable) (string, error) {
	var b strings.Builder
	for _, name := range unset {
		fmt.Fprintf(&b, "set \"%s=\"\r\n", name)
	}
	for _, v := range set {
		if strings.ContainsAny(v.value, `"%!^`) {
			return "", fmt.Errorf("%s has a character that cmd would read as its own; use --format powershell", v.name)
		}
		fmt.Fprintf(&b, "set \"%s=%s\"\r\n", v.name, v.value)
	}
	return b.String(), nil
}

// formatJSON is one object, the names in order.
func formatJSON(_ []string, set []variable) (string, error) {
	all := map[string]string{}
	for _, v := range set {
		all[v.name] = v.value
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(all)
	return b.String(), err
}

// formatDotenv is for files that Docker, Compose, systemd and the libraries of many
// languages read. Docker knows no quotes, so there are none; what would need them is
// refused.
func formatDotenv(_ []string, set []variable) (string, error) {
	var b strings.Builder
	for _, v := range set {
		if strings.ContainsAny(v.value, " \t'\"`$\\#") {
			return "", fmt.Errorf("%s has a character that not every reader of such files takes as it is", v.name)
		}
		fmt.Fprintf(&b, "%s=%s\n", v.name, v.value)
	}
	return b.String(), nil
}

package main

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/chaoxiaodi/awsauth"
)

// optionFlags are the options of the library that this command has flags for.
var optionFlags = map[string]string{
	"WithProfile": "--profile", "WithAccount": "--account", "WithRole": "--role", "WithRoleARN": "--role-arn",
	"WithPartition": "--partition", "WithRegion": "--region", "WithSessionName": "--session-name",
	"WithExternalID": "--external-id", "WithDuration": "--duration", "WithSTSEndpoint": "--sts-endpoint",
	"WithSourceIdentity": "--source-identity", "WithTags": "--tag", "WithPolicy": "--policy",
	"WithPolicyARNs": "--policy-arn", "WithWebIdentity": "--web-identity-token-file", "WithConcurrency": "--concurrency",
	"WithMFA": "--mfa-serial", "WithAllowedAccounts": "--allowed-account", "WithDiskCache": "--cache-dir",
}

// words are the patterns by which texts of the library are put into the words of the
// command line. They are compiled when the first text is: most runs have none.
type words struct {
	phrases []phrase
	call    *regexp.Regexp // an option's name, and its value where the text quotes the call
}

// phrase is a text that tells how to write Go, and what the same is on the command
// line.
type phrase struct {
	is  *regexp.Regexp
	say string
}

var vocabulary = sync.OnceValue(func() *words {
	w := &words{call: regexp.MustCompile(`\b(?:config\.)?(With[A-Z][A-Za-z0-9]*)\b(?:\(("(?:[^"\\]|\\.)*"|%q|[0-9][0-9.hmnsµ]*|[^()]*)\))?`)}
	for _, p := range [][2]string{
		{`pass a token provider with WithLoadOptions\(config\.WithAssumeRoleCredentialOptions\(…\)\)`, "run this at a terminal, where it asks for the code"},
		{`pass WithMFA a func that gets the code elsewhere`, "give --mfa-process a command that prints the code"},
		{`WithMFA: no serial is given, and (?:(.+?) has no mfa_serial|there is no mfa_serial in (.+?)); pass the serial of the user's device`, "--mfa-process: there is no mfa_serial in $1$2; name the device with --mfa-serial"},
		{`pass WithMFA(\([^)]*\))?( with a func that returns the current code)?(, for example PromptMFA)?`, "run this at a terminal, where it asks for the code"},
		{`use os\.UserHomeDir, or`, "write the whole path, or"},
		{`or leave WithMFA out`, "or name no device"},
		{`keep one Session per role instead of calling New for each task, or run fewer accounts at once`, "run fewer commands, or fewer accounts, at once"},
		{`pass what retrieves it, for example stscreds\.IdentityTokenFile\(path\)`, "name the file that it is in"},
		{`unset it, or give such a client the option AuthSchemePreference = \[\]string\{[^}]*\}`, "unset it; exec and each take it away"},
		{`run: aws sso login --profile (.+?)(;|\n|$)`, "run: awsauth login --profile $1, or aws sso login --profile $1$2"},
		{`WithPartition\(awsauth\.China\)`, "--partition aws-cn"},
		{`WithPartition\(awsauth\.GovCloud\)`, "--partition aws-us-gov"},
		{`WithPartition\(awsauth\.AWS\)`, "--partition aws"},
		{`(, or| or|, and| and)? (in )?WithLoadOptions`, ""},
		{`\) to New if\b`, ") if"},
		{`\bForEachAccount\b`, "each"},
		{`\bConsoleURL\(("[^"]*"|%q)\)`, "--service $1"},
		{`\bConsoleURL\b`, "console"},
		{`, for example PromptMFA`, ""},
	} {
		w.phrases = append(w.phrases, phrase{regexp.MustCompile(p[0]), p[1]})
	}
	return w
})

// inFlags puts a text of the library, which speaks of its options, into the words
// of the command line: WithAccount("12") becomes --account "12".
func inFlags(text string) string {
	w := vocabulary()
	for _, p := range w.phrases {
		text = p.is.ReplaceAllString(text, p.say)
	}
	text = w.call.ReplaceAllStringFunc(text, func(match string) string {
		call := w.call.FindStringSubmatch(match)
		flag, ok := optionFlags[call[1]]
		if !ok || strings.HasPrefix(match, "config.") {
			return "the option " + inWords(strings.TrimPrefix(call[1], "With"))
		}
		return strings.TrimSuffix(flag+" "+call[2], " ")
	})
	return strings.NewReplacer("awsauth.Session", "session", "awsauth.China", "aws-cn", "awsauth.AWS", "aws").Replace(text)
}

// inWords takes a name of Go apart: TemporaryOnly is temporary-only.
func inWords(name string) string {
	var b strings.Builder
	before := 'A'
	for _, r := range name {
		if unicode.IsUpper(r) && !unicode.IsUpper(before) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}

// flagged puts a report into the words of the command line. Rows about options that
// it has no flag for say nothing to a person, and are left out.
func flagged(r awsauth.Report) awsauth.Report {
	r.Steps = slices.DeleteFunc(slices.Clone(r.Steps), func(s awsauth.Step) bool {
		option, ok := strings.CutSuffix(s.Detail, " not given")
		return ok && strings.HasPrefix(option, "With") && optionFlags[option] == ""
	})
	for i := range r.Steps {
		r.Steps[i].Source = inFlags(r.Steps[i].Source)
		r.Steps[i].Detail = inFlags(r.Steps[i].Detail)
	}
	r.Source, r.RegionFrom = inFlags(r.Source), inFlags(r.RegionFrom)
	return r
}

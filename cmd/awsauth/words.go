package main

import (
	"regexp"
	"slices"
	"strings"
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
}

// phrases are texts of the library that tell how to write Go, and what the same is
// on the command line.
var phrases = []struct {
	is  *regexp.Regexp
	say string
}{
	{regexp.MustCompile(`pass a token provider with WithLoadOptions\(config\.WithAssumeRoleCredentialOptions\(…\)\)`), "run this at a terminal, where it asks for the code"},
	{regexp.MustCompile(`pass WithMFA(\([^)]*\))?( with a func that returns the current code)?`), "run this at a terminal, where it asks for the code"},
	{regexp.MustCompile(`keep one Session per role instead of calling New for each task, or run fewer accounts at once`), "run fewer commands, or fewer accounts, at once"},
	{regexp.MustCompile(`pass what retrieves it, for example stscreds\.IdentityTokenFile\(path\)`), "name the file that it is in"},
	{regexp.MustCompile(`unset it, or give such a client the option AuthSchemePreference = \[\]string\{[^}]*\}`), "unset it; exec and each take it away"},
	{regexp.MustCompile(`WithPartition\(awsauth\.China\)`), "--partition aws-cn"},
	{regexp.MustCompile(`WithPartition\(awsauth\.AWS\)`), "--partition aws"},
	{regexp.MustCompile(`(, or| or|, and| and)? (in )?WithLoadOptions`), ""},
	{regexp.MustCompile(`\) to New if\b`), ") if"},
	{regexp.MustCompile(`\bForEachAccount\b`), "each"},
}

// optionCall is an option's name, and its value where the text quotes the call.
var optionCall = regexp.MustCompile(`\b(?:config\.)?(With[A-Z][A-Za-z0-9]*)\b(?:\(("(?:[^"\\]|\\.)*"|%q|[0-9][0-9.hmnsµ]*|[^()]*)\))?`)

// inFlags puts a text of the library, which speaks of its options, into the words
// of the command line: WithAccount("12") becomes --account "12".
func inFlags(text string) string {
	for _, p := range phrases {
		text = p.is.ReplaceAllString(text, p.say)
	}
	text = optionCall.ReplaceAllStringFunc(text, func(match string) string {
		call := optionCall.FindStringSubmatch(match)
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

// hasNoFlag is the row of an option that this command has no flag for.
var hasNoFlag = regexp.MustCompile(`^(With[A-Za-z]+) not given$`)

// flagged puts a report into the words of the command line. Rows about options that
// it has no flag for say nothing to a person, and are left out.
func flagged(r awsauth.Report) awsauth.Report {
	r.Steps = slices.DeleteFunc(slices.Clone(r.Steps), func(s awsauth.Step) bool {
		option := hasNoFlag.FindStringSubmatch(s.Detail)
		return option != nil && optionFlags[option[1]] == ""
	})
	for i := range r.Steps {
		r.Steps[i].Source = inFlags(r.Steps[i].Source)
		r.Steps[i].Detail = inFlags(r.Steps[i].Detail)
	}
	r.Source, r.RegionFrom = inFlags(r.Source), inFlags(r.RegionFrom)
	return r
}

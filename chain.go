package awsauth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// A row is one place that an identity may come from. The first row that is there
// decides: what is wrong with it is an error, and no later row has its turn.
type row struct {
	name    string
	missing string                   // why it is not there, for Explain; "" where it is
	wrong   func() faults            // half there, which is an error even where an earlier row decides; may be nil
	choose  func() (*source, faults) // nil and no fault: nothing there after all
	always  bool                     // choose is asked even where the row is not there
}

// chain is the table of all places, in their order.
func (l *look) chain() []row {
	s := l.settings
	ambient, namedBy := ambientProfile()
	if s.profile == "" {
		ambient, namedBy = l.profile, l.namedBy
	}
	profile := fmt.Sprintf("profile %q", ambient)
	if namedBy != "" {
		profile += " (" + namedBy + ")"
	}
	rows := []row{
		{name: "profile (option)", missing: unless(s.profile != "", "WithProfile not given"), choose: l.chooseProfileOption},
		{name: "static keys (option)", missing: unless(s.keys.given(), "WithStaticCredentials not given"), wrong: s.keys.check, choose: l.chooseKeys},
		{name: "provider (option)", missing: unless(s.provider.given, "WithCredentialsProvider not given"), wrong: s.provider.check, choose: l.chooseProvider},
		{name: rowWebOption, missing: unless(s.web.given, "WithWebIdentity not given"), wrong: s.web.check, choose: l.chooseWebOption},
		{name: rowAnywhere, missing: unless(s.anywhere.given, "WithRolesAnywhere not given"), wrong: s.anywhere.check, choose: l.chooseAnywhere},
		{name: rowEnvironment, missing: unless(envKeys(), "AWS_ACCESS_KEY_ID not set"), wrong: halfEnvironment, choose: l.chooseEnvironment},
		{name: "web identity", missing: unless(l.env.WebIdentityTokenFilePath != "", "AWS_WEB_IDENTITY_TOKEN_FILE not set"), choose: l.chooseWebVariables},
		{name: profile, missing: unless(l.files.Has(ambient), "not in "+strings.ReplaceAll(l.where(), " or ", ", ")), choose: l.chooseAmbientProfile, always: true},
		{name: "container", missing: unless(containerVariable() != "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI not set"), choose: l.chooseContainer},
		{name: "EC2", missing: unless(l.noMetadata() == "", "disabled by "+l.noMetadata()), choose: l.chooseInstance, always: true},
	}
	return slices.DeleteFunc(rows, func(r row) bool { // the table is long enough for those who do without them
		return r.name == rowWebOption && !s.web.given || r.name == rowAnywhere && !s.anywhere.given
	})
}

// Rows that are spoken of by name. The default chain begins at rowEnvironment.
const (
	rowWebOption   = "web identity (option)"
	rowAnywhere    = "Roles Anywhere (option)"
	rowEnvironment = "environment"
)

func unless(there bool, why string) string {
	if there {
		return ""
	}
	return why
}

// decision is which source supplies the credentials, and what Explain says of all
// the others.
type decision struct {
	source *source // nil where there was a fault
	steps  []Step
	used   int // which of the steps is the source's
	mfa    *mfaDevice
	beats  []Step // what wins over the source in the clients of one service
}

// decide walks the chain. The steps tell of every row, those behind the one that
// decides included. Where there is a fault they end with it.
func (l *look) decide() (d decision, f faults) {
	rows := l.chain()
	for i, r := range rows {
		if r.wrong != nil {
			if wrong := r.wrong(); len(wrong) > 0 {
				return d.failed(r.name, wrong), append(wrong, alsoWrong(rows[i+1:])...)
			}
		}
		if r.missing != "" && !r.always {
			d.steps = append(d.steps, Step{r.name, Skipped, r.missing})
			continue
		}
		src, wrong := r.choose()
		if len(wrong) > 0 {
			return d.failed(r.name, wrong), append(wrong, alsoWrong(rows[i+1:])...)
		}
		if src != nil {
			device, wrong := l.secondFactor(src)
			if len(wrong) > 0 {
				return d.failed(r.name, wrong), append(wrong, alsoWrong(rows[i+1:])...)
			}
			d.mfa = device
			d.settle(i, rows, src)
			f = alsoWrong(rows[i+1:])
			break
		}
		reason := r.missing
		if reason == "" {
			reason = "has no credentials"
		}
		d.steps = append(d.steps, Step{r.name, Skipped, reason})
	}
	if d.source.profile == "" {
		f = append(f, l.checkUnasked()...)
	}
	l.warnOfOthers()
	for _, name := range bearerVariables() {
		const wins = "wins over the session's credentials in the clients of its service"
		d.beats = append(d.beats, Step{name, Used, wins})
		l.warn(name + " " + wins + "; unset it, or give such a client the option AuthSchemePreference = []string{\"sigv4\"}")
	}
	return d, f
}

// warnOfOthers tells what is wrong with profiles that are not asked for: the first few
// things, as a file that is quite another's would fill the log.
func (l *look) warnOfOthers() {
	const most = 10
	others := l.files.Others(l.profile)
	for _, p := range others[:min(len(others), most)] {
		l.warn(p.String())
	}
	if more := len(others) - most; more > 0 {
		l.warn(fmt.Sprintf("%d more such problems of profiles that are not used", more))
	}
}

// failed is the decision with a last step that says what is wrong there, with the
// file and line where it stands in a file.
func (d decision) failed(name string, wrong faults) decision {
	e := deepest(wrong[0])
	detail := detailOf(e)
	if e != nil && e.Op != "" && e.Op != name && !strings.HasPrefix(detail, e.Op) {
		detail = e.Op + ": " + detail
	}
	d.steps = append(d.steps, Step{name, Failed, detail})
	return d
}

// settle notes the source that row i chose, and what that means for the others.
func (d *decision) settle(i int, rows []row, src *source) {
	if src.absent && src.kind == sourceEC2 {
		src.lookedAt = lookedAt(d.steps[slices.IndexFunc(d.steps, func(s Step) bool { return s.Source == rowEnvironment }):])
	}
	d.source, d.used = src, i
	d.steps = append(d.steps, Step{rows[i].name, Used, src.named(src.detail)})
	d.steps = append(d.steps, src.passed...)
	for _, r := range rows[i+1:] {
		step := Step{r.name, NotTried, src.shadows()}
		if r.missing != "" {
			step = Step{r.name, Skipped, r.missing}
		}
		d.steps = append(d.steps, step)
	}
}

// alsoWrong is what is half there behind the row that decides.
func alsoWrong(rows []row) (f faults) {
	for _, r := range rows {
		if r.wrong != nil {
			f = append(f, r.wrong()...)
		}
	}
	return f
}

// lookedAt lists places in one line, each with why it has nothing.
func lookedAt(steps []Step) string {
	var places []string
	for _, step := range steps {
		places = append(places, step.Source+" ("+strings.ReplaceAll(step.Detail, ", ", " or ")+")")
	}
	return strings.Join(places, ", ")
}

// checkUnasked looks at the files where they do not decide whose the credentials
// are: their profile still has settings. What is wrong with an identity there is
// a warning; a file that must not be read, or a profile that was named and is not
// there, is a fault all the same.
func (l *look) checkUnasked() (f faults) {
	for _, stray := range l.strays {
		l.warn(strings.TrimPrefix(stray.Error(), "awsauth: "))
	}
	for _, p := range l.files.Problems(l.profile) {
		if p.Kind == sharedfile.NotRegular || p.Kind == sharedfile.Unreadable && l.namedBy != "" {
			f.add(l.fileFault(p))
			continue
		}
		l.warn(p.String())
	}
	if len(f) == 0 && l.namedBy != "" && len(l.files.Paths()) > 0 && !l.files.Has(l.profile) {
		f.add(l.notFound(l.profile, " (from "+l.namedBy+")"))
	}
	return f
}

// chooseProfileOption is the way of WithProfile.
func (l *look) chooseProfileOption() (*source, faults) {
	name := l.settings.profile
	if len(l.strays) > 0 {
		return nil, l.strays
	}
	if !l.files.Has(name) {
		if f := l.cannotTell(name); len(f) > 0 {
			return nil, f
		}
		return nil, faults{l.notFound(name, "")}
	}
	w, f := l.follow(name)
	if len(f) == 0 && w.kind == "" {
		return nil, faults{l.emptyProfile(name)}
	}
	return l.fromProfile(w, true, f)
}

// cannotTell are the problems that may be why a profile was not found: a file that
// cannot be read, a heading without its bracket. The heading of a neighbouring form
// is for notFound to tell.
func (l *look) cannotTell(name string) (f faults) {
	for _, p := range l.files.Problems(name) {
		if p.Kind != sharedfile.Heading {
			f.add(l.fileFault(p))
		}
	}
	return f
}

// emptyProfile is the error for a profile that was asked for by name and says
// nothing of credentials: to go on to the container's or the instance's would
// be another identity than the one named.
func (l *look) emptyProfile(name string) error {
	e := &Error{Kind: NoCredentials, Op: fmt.Sprintf("profile %q", name), also: []Kind{InvalidOption}}
	e.what = "has no credentials in " + l.where()
	return e.mend("add keys, sso_session, credential_process, or role_arn with source_profile or credential_source; " +
		"to use it for its region only, set AWS_PROFILE instead of WithProfile")
}

// chooseAmbientProfile is the way of AWS_PROFILE, or of the default profile. One
// that says nothing of credentials lets the container and the instance have their
// turn, as in the AWS CLI.
func (l *look) chooseAmbientProfile() (*source, faults) {
	name := l.profile
	if len(l.strays) > 0 {
		return nil, l.strays
	}
	if !l.files.Has(name) {
		f := l.cannotTell(name)
		if len(f) > 0 {
			return nil, f
		}
		if l.namedBy != "" {
			return nil, faults{l.notFound(name, " (from "+l.namedBy+")")}
		}
		for _, p := range l.files.Problems(name) {
			f.add(l.fileFault(p)) // [Default]: meant for the default profile, and not read as such
		}
		return nil, f
	}
	w, f := l.follow(name)
	if len(f) == 0 && w.kind == "" {
		if l.namedBy != "" {
			l.warn(fmt.Sprintf("the profile %q (%s) has no credentials, going on without it", name, l.namedBy))
		}
		return nil, nil
	}
	return l.fromProfile(w, false, f)
}

func (l *look) chooseKeys() (*source, faults) {
	k := l.settings.keys
	return keySource(sourceKeys, aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token}, ""), nil
}

func (l *look) chooseProvider() (*source, faults) {
	return providerSource(l.settings.provider.CredentialsProvider), nil
}

func (l *look) chooseWebOption() (*source, faults) {
	web := l.settings.web
	spec := l.webRole(web.roleARN)
	if role := &l.settings.role; !role.targeted() {
		spec.roleSettings = *role
		spec.durationName = "WithDuration"
	}
	token := tokenSource{option: web.token, from: "WithWebIdentity"}
	if path, ok := web.token.(stscreds.IdentityTokenFile); ok { // a file like any other
		token.option, token.path = nil, string(path)
	}
	if github, ok := web.token.(githubToken); ok {
		if github.audience == "" {
			github.audience = spec.arn.partition.tokenAudience()
		}
		token.option = github
	}
	return l.webSource(spec, token), nil
}

// chooseAnywhere is the way of WithRolesAnywhere.
func (l *look) chooseAnywhere() (*source, faults) {
	src, err := l.anywhereSource()
	if err != nil {
		return nil, faults{err}
	}
	return src, nil
}

// envKeys reports whether any part of an access key is in the environment.
func envKeys() bool {
	value, _ := firstEnv(keyVariables()...)
	return value != ""
}

// halfEnvironment refuses half a key pair: the SDK would say nothing and go on to
// somebody else's keys.
func halfEnvironment() faults {
	id, idVar := firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	secret, secretVar := firstEnv("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
	switch {
	case id != "" && secret == "":
		return faults{invalid("", "%s is set but AWS_SECRET_ACCESS_KEY is not", idVar).
			mend("set both, or unset %s to let the next source be used", idVar)}
	case id == "" && secret != "":
		return faults{invalid("", "%s is set but AWS_ACCESS_KEY_ID is not", secretVar).
			mend("set both, or unset %s to let the next source be used", secretVar)}
	}
	return nil
}

func (l *look) chooseEnvironment() (*source, faults) {
	c := l.env.Credentials
	if !c.HasKeys() {
		_, tokenVar := firstEnv("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
		return nil, faults{invalid("", "%s is set but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not", tokenVar).
			mend("set all three, or unset %s to let the next source be used", tokenVar)}
	}
	if err := unfitEnvironment(); err != nil {
		return nil, faults{err}
	}
	_, variable := firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	return keySource(sourceEnvironment, c, variable), nil
}

func (l *look) chooseWebVariables() (*source, faults) {
	arn := l.env.RoleARN
	if arn == "" {
		return nil, faults{invalid("", "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not").
			mend("set both, or unset AWS_WEB_IDENTITY_TOKEN_FILE to let the next source be used")}
	}
	if _, err := parseRoleARN(arn); err != nil {
		return nil, faults{invalid(fmt.Sprintf("AWS_ROLE_ARN %q", redact.Clip(arn)), "%v", err)}
	}
	if name := l.env.RoleSessionName; name != "" && !names.IsSession(name) {
		return nil, faults{invalid(fmt.Sprintf("AWS_ROLE_SESSION_NAME %q", redact.Clip(name)), "not a session name").mend("use 2 to 64 letters, digits or _+=,.@-")}
	}
	l.warnOfProfileRole()
	spec := l.webRole(arn)
	spec.sessionName = l.env.RoleSessionName
	return l.webSource(spec, tokenSource{path: l.env.WebIdentityTokenFilePath, from: "AWS_WEB_IDENTITY_TOKEN_FILE"}), nil
}

func (l *look) chooseContainer() (*source, faults) {
	src, err := l.containerSource()
	if err != nil {
		return nil, faults{err}
	}
	src.absent = true
	return src, nil
}

func (l *look) chooseInstance() (*source, faults) {
	src, err := l.instanceSource()
	if err != nil {
		return nil, faults{err}
	}
	src.absent = true
	return src, nil
}

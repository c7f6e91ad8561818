package awsauth

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Status says what became of one step of a Report.
type Status string

// The statuses of a Step.
const (
	Used     Status = "USED"      // this supplies the credentials, or will when they are first needed
	Skipped  Status = "SKIPPED"   // looked at, and not there
	Failed   Status = "FAILED"    // there, but did not deliver; no later source has its turn
	NotTried Status = "NOT TRIED" // an earlier step decided, or nothing needed it yet
)

// Step is one place that was looked at, or one role on the way, in order.
type Step struct {
	Source string `json:"source"` // the place: "environment", `profile "ops"`, "assume role arn:…"
	Status Status `json:"status"`
	Detail string `json:"detail"` // the reason: which variable is not set, which file lacks which profile
}

// Report says where the credentials of a session come from, and why not from
// elsewhere. It holds no secret.
type Report struct {
	Steps      []Step    `json:"steps"`
	Source     string    `json:"source"` // the way to the identity: `profile "ops" → arn:aws:iam::123456789012:role/manage-role`
	Partition  Partition `json:"partition"`
	Region     string    `json:"region"`
	RegionFrom string    `json:"region_from"` // "WithRegion", "AWS_REGION", `profile "ops"`, …
}

// String is the report as an aligned table, one step a line, each with its
// line end.
func (r Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Status, s.Source, s.Detail)
	}
	_ = w.Flush() // into memory: cannot fail
	return b.String()
}

// Explain reports which source supplies the credentials and why the others do
// not, then the region and where it came from, then each role and its STS
// host. It does no I/O: it tells what New saw, and how the last attempt to get
// credentials ended, if there was one.
//
// Where New failed there is no session to ask; a nil one's report is empty.
func (s *Session) Explain() Report {
	if s == nil {
		return Report{}
	}
	root := s.root()
	steps := append(root.sourceSteps(), s.place.step())
	steps = append(steps, root.hopSteps()...)
	return Report{
		Steps:      append(steps, s.roleSteps()...),
		Source:     s.path(),
		Partition:  s.place.partition,
		Region:     s.place.region,
		RegionFrom: s.place.from,
	}
}

// root is the base session that s goes back to.
func (s *Session) root() *Session {
	for s.parent != nil {
		s = s.parent
	}
	return s
}

// sourceSteps are the rows of the chain, in the order in which it is walked.
func (s *Session) sourceSteps() []Step {
	f, src := s.facts, s.source
	at := src.row()
	skipped := []string{
		rowProfileOption: "WithProfile not given",
		rowKeys:          "WithStaticCredentials not given",
		rowProvider:      "WithCredentialsProvider not given",
		rowEnvironment:   "AWS_ACCESS_KEY_ID not set",
		rowWebIdentity:   "AWS_WEB_IDENTITY_TOKEN_FILE not set",
		rowProfile:       f.noProfile(),
		rowContainer:     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI not set",
	}
	there := []bool{
		rowKeys:        f.keysOption,
		rowProvider:    f.providerOption,
		rowEnvironment: f.envKey != "",
		rowWebIdentity: f.webIdentity,
		rowProfile:     f.profileThere,
		rowContainer:   f.container != "",
		rowEC2:         f.noMetadata == "",
	}
	var steps []Step
	for row, name := range f.rows() {
		switch {
		case row == at:
			steps = append(steps, s.usedStep(name))
		case row < at:
			steps = append(steps, Step{name, Skipped, skipped[row]})
		case there[row]:
			steps = append(steps, Step{name, NotTried, src.shadows()})
		case row == rowEC2:
			steps = append(steps, Step{name, Skipped, "disabled by " + f.noMetadata})
		default:
			steps = append(steps, Step{name, Skipped, skipped[row]})
		}
	}
	return steps
}

// The rows of the chain.
const (
	rowProfileOption = iota
	rowKeys
	rowProvider
	rowEnvironment
	rowWebIdentity
	rowProfile
	rowContainer
	rowEC2
)

func (f *facts) rows() []string {
	profile := fmt.Sprintf("profile %q", f.profile)
	if f.profileFrom != "" {
		profile += " (" + f.profileFrom + ")"
	}
	return []string{"profile (option)", "static keys (option)", "provider (option)", "environment", "web identity", profile, "container", "EC2"}
}

// row is where in the chain the source stands.
func (s source) row() int {
	switch {
	case s.profile != "" && s.option:
		return rowProfileOption
	case s.profile != "":
		return rowProfile
	}
	return map[sourceKind]int{sourceKeys: rowKeys, sourceProvider: rowProvider, sourceEnvironment: rowEnvironment,
		sourceWebIdentity: rowWebIdentity, sourceContainer: rowContainer, sourceEC2: rowEC2}[s.kind]
}

// noProfile says why no profile gives credentials.
func (f *facts) noProfile() string {
	if f.profileThere {
		return "has no credentials"
	}
	return "not in " + strings.Join(f.files, ", ")
}

// usedStep is the row of the source that was chosen.
func (s *Session) usedStep(name string) Step {
	if err := s.lastError(); err != nil && s.failedHop(err) < 0 {
		return Step{name, Failed, s.source.named(detailOf(err))}
	}
	if s.hopeless() {
		return Step{name, Failed, s.source.named("disabled by " + s.facts.noMetadata)}
	}
	detail := s.source.detail(s.facts)
	switch s.source.kind {
	case sourceKeys, sourceEnvironment, sourceProfileKeys: // nothing to ask for
	default:
		if !s.asked() {
			detail += ", not asked for credentials yet"
		}
	}
	return Step{name, Used, detail}
}

// hopeless reports whether a base has nowhere to get credentials from, which
// is known before it is tried.
func (s *Session) hopeless() bool {
	return s.parent == nil && s.source.kind == sourceEC2 && s.facts.noMetadata != "" && s.cache.current.Load() == nil
}

// asked reports whether there was a try to get credentials that has ended.
func (s *Session) asked() bool {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	return s.cache.current.Load() != nil || s.cache.failure.last != nil
}

// failedHop is which role of the base's own an error speaks of, -1 for none.
func (s *Session) failedHop(err *Error) int {
	return slices.IndexFunc(s.source.hops, func(hop roleARN) bool { return hop.String() == err.Target })
}

// detail says what the source is, as precisely as may be shown.
func (s source) detail(f *facts) string {
	var text string
	switch s.kind {
	case sourceKeys, sourceEnvironment, sourceProfileKeys:
		text = "access key " + shortKey(s.keyID)
		switch {
		case s.kind == sourceProfileKeys && f.keysFile != "":
			text += " in " + f.keysFile
		case s.kind == sourceEnvironment:
			text += " in " + f.envKey
		}
	case sourceContainer:
		text = f.container
	case sourceEC2:
		text = f.metadata
	case sourceWebIdentity:
		text = "token file " + f.tokenFile
	case sourceProvider:
		text = f.provider
	case sourceSSO:
		name, _ := f.sso()
		text = fmt.Sprintf("SSO session %q", name)
	case sourceProcess:
		text = "credential_process"
	default:
		text = string(s.kind)
	}
	if s.profile != "" && s.via != "" {
		text += " of source profile " + s.via
	}
	return s.named(text)
}

// named puts the profile's name before what is said of it, where the row does
// not have it.
func (s source) named(text string) string {
	if s.profile != "" && s.option {
		return fmt.Sprintf("profile %q: %s", s.profile, text)
	}
	return text
}

// shadows is why a later source has not its turn.
func (s source) shadows() string {
	if s.kind == sourceKeys {
		return "static keys come first"
	}
	return s.String() + " comes first"
}

// step is the row of the region.
func (p place) step() Step {
	detail := "from " + p.from
	if strings.HasPrefix(p.from, "default of") {
		detail = p.from
	}
	if p.gaveWay != "" {
		detail += "; " + p.gaveWay
	}
	return Step{"region " + p.region, Used, detail}
}

// hopSteps are the rows of the roles that the base's profile or web identity
// names.
func (s *Session) hopSteps() (steps []Step) {
	host := s.stsHost(s.wire.region)
	err := s.lastError()
	for i, hop := range s.source.hops {
		step := Step{"assume role " + hop.String(), NotTried, "at " + host + " when credentials are first needed"}
		switch {
		case err == nil && s.asked(), err != nil && i < s.failedHop(err):
			step.Status, step.Detail = Used, "at "+host
		case err != nil && i == s.failedHop(err):
			step.Status, step.Detail = Failed, failedAt(host, detailOf(err))
		case err != nil || s.hopeless():
			step.Detail = "no credentials to assume it with"
		}
		steps = append(steps, step)
	}
	return steps
}

// roleSteps are the rows of the roles from the base to s.
func (s *Session) roleSteps() []Step {
	if s.parent == nil {
		return nil
	}
	host := s.stsHost(s.place.region)
	step := Step{"assume role " + s.role.arn.String(), NotTried, "at " + host + " when credentials are first needed"}
	switch err := s.lastError(); {
	case s.parent.broken():
		step.Detail = "no base credentials"
	case err != nil:
		step.Status, step.Detail = Failed, failedAt(host, detailOf(err))
	case s.asked():
		step.Status, step.Detail = Used, "at "+host+" as "+s.role.sessionName
	}
	return append(s.parent.roleSteps(), step)
}

// broken reports whether the last attempt to get credentials, or one further
// up, failed.
func (s *Session) broken() bool {
	return s.lastError() != nil || s.hopeless() || s.parent != nil && s.parent.broken()
}

// lastError is how the last attempt to get credentials ended, nil if well or
// if there are usable ones all the same.
func (s *Session) lastError() *Error {
	if e := s.cache.current.Load(); e != nil && e.usableAt(time.Now()) {
		return nil
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if s.cache.failure.last == nil {
		return nil
	}
	return deepest(s.cache.failure.last)
}

// failedAt is what went wrong at a host of STS, which is named once.
func failedAt(host, detail string) string {
	switch {
	case strings.Contains(detail, host):
		return detail
	case strings.HasPrefix(detail, "as "):
		return "at " + host + " " + detail
	}
	return "at " + host + ": " + detail
}

// detailOf is an error as one cell of the table.
func detailOf(e *Error) string {
	if e.detail != "" {
		return e.detail
	}
	text := strings.TrimSuffix(strings.TrimPrefix(e.Error(), "awsauth: "), "; "+e.Hint) // the error itself says what to do
	where := strings.TrimSpace(e.Op + " " + e.Target)
	if e.as != "" {
		return strings.TrimPrefix(text, where+" ")
	}
	return strings.TrimPrefix(text, where+": ")
}

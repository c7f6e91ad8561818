package awsauth

import (
	"slices"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// Explain reports which source supplies the credentials and why the others do
// not, then the region and where it came from, then each role and its STS
// host, and last a bearer token in the environment that one service's clients use
// instead. It does no I/O: it tells what New saw, and how the last attempt to get
// credentials ended, if there was one.
//
// Where New failed there is no session to ask: (*Error).Report has what was
// decided by then. The report of a nil session is empty.
func (s *Session) Explain() Report {
	if s == nil {
		return Report{}
	}
	root := s.root()
	source, roles := root.sourceSteps(), s.roleSteps()
	if barred := s.barred(); barred != nil {
		row := &source[s.family.decision.used]
		if s.gate != nil && (s.cache.Usable() || !s.passesThrough()) {
			row = &roles[len(roles)-1]
		}
		row.Status, row.Detail = Failed, detailOf(barred)
	}
	return Report{
		Steps:      slices.Concat(source, []Step{s.place.step()}, root.webSteps(), roles, s.family.decision.beats),
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

// sourceSteps are the rows of the chain as New decided them. How far the source
// has come since is put into its row.
func (s *Session) sourceSteps() []Step {
	d, src := &s.family.decision, s.source()
	steps := slices.Clone(d.steps)
	used := &steps[d.used]
	switch err := s.lastError(); {
	case err != nil && src.opens != nil && err.of("assume role", src.opens.arn.String()): // STS was asked: webSteps tells
	case err != nil:
		used.Status, used.Detail = Failed, src.named(detailOf(err))
	case s.hopeless():
		used.Status, used.Detail = Failed, src.named("disabled by "+src.disabledBy)
	case src.asks && !s.cache.State().Asked:
		used.Detail += ", not asked for credentials yet"
	}
	return steps
}

// hopeless reports whether a base has nowhere to get credentials from, which is
// known before it is tried.
func (s *Session) hopeless() bool {
	return s.parent == nil && s.source().disabledBy != "" && s.cache.State().Keys == nil
}

// webSteps is the row of the role that the base's token opens, if there is one.
func (s *Session) webSteps() []Step {
	web := s.source().opens
	if web == nil {
		return nil
	}
	host := s.source().host
	if host == "" {
		host = s.family.wire.host(s.place)
	}
	step := Step{"assume role " + web.arn.String(), NotTried, "at " + host + " when credentials are first needed"}
	switch err := s.lastError(); {
	case err != nil && err.of("assume role", web.arn.String()):
		step.Status, step.Detail = Failed, failedAt(host, detailOf(err))
	case err != nil:
		step.Detail = "no token to assume it with"
	case s.cache.State().Keys != nil:
		step.Status, step.Detail = Used, "at "+host
	}
	return []Step{step}
}

// roleSteps are the rows of the MFA session and of the roles from the base to s.
func (s *Session) roleSteps() []Step {
	if s.parent == nil {
		return nil
	}
	if s.gate != nil {
		return []Step{s.gateStep()}
	}
	host := s.family.wire.host(s.place)
	step := Step{"assume role " + s.role.arn.String(), NotTried, "at " + host + " when credentials are first needed"}
	if s.role.mfa.serial != "" {
		step.Detail += ", with an MFA code of its own (" + redact.OneLine(s.role.mfa.serial) + ")"
	}
	switch err := s.lastError(); {
	case s.parent.broken():
		step.Detail = "no base credentials"
	case err != nil:
		step.Status, step.Detail = Failed, failedAt(host, detailOf(err))
	case s.cache.State().Keys != nil:
		step.Status, step.Detail = Used, "at "+host+" as "+s.role.sessionName+s.fromDisk()
	case s.cache.State().Refreshing:
		step.Status, step.Detail = Failed, "at "+host+": asked, and no answer yet"
	}
	return append(s.parent.roleSteps(), step)
}

// fromDisk says so where the keys at hand came from the disk cache.
func (s *Session) fromDisk() string {
	if keys := s.cache.State().Keys; keys != nil && keys.FromDisk {
		return ", from the disk cache"
	}
	return ""
}

// gateStep is the row of an MFA session.
func (s *Session) gateStep() Step {
	host := s.family.wire.host(s.place)
	step := Step{"MFA session of " + redact.OneLine(s.gate.serial), NotTried, "at " + host + " when credentials are first needed, with one code for 12h"}
	switch err := s.lastError(); {
	case s.source().temporary, s.passesThrough():
		step.Status, step.Detail = Skipped, "the user's keys are temporary: a code goes with each role"
	case s.parent.broken():
		step.Detail = "no base credentials"
	case err != nil:
		step.Status, step.Detail = Failed, failedAt(host, detailOf(err))
	case s.cache.State().Keys != nil:
		step.Status, step.Detail = Used, "at "+host+s.fromDisk()
	case s.cache.State().Refreshing:
		step.Status, step.Detail = Failed, "at "+host+": asked, and no answer yet"
	}
	return step
}

// broken reports whether the last attempt to get credentials, or one further
// up, failed.
func (s *Session) broken() bool {
	return s.lastError() != nil || s.hopeless() || s.parent != nil && s.parent.broken()
}

// lastError is how the last attempt to get credentials ended, nil if well or
// if there are usable ones all the same.
func (s *Session) lastError() *Error { return deepest(s.cache.State().Failure) }

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

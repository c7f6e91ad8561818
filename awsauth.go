// Package awsauth gets AWS credentials and assumes IAM roles: STS, SSO, MFA,
// cross-account and role to role, in AWS, China and every other partition. The
// credentials renew themselves.
//
//	s, err := awsauth.New(awsauth.WithProfile("ops"), awsauth.WithAccount("123456789012"))
//	client := ec2.NewFromConfig(s.Config())
//
// The same call works on a laptop with keys or a profile, in a container, in a
// CI job, and on an EC2 machine with an instance role.
//
// # Where credentials come from
//
// New takes the first of these that is there:
//
//  1. the profile of [WithProfile],
//  2. the keys of [WithStaticCredentials],
//  3. the provider of [WithCredentialsProvider],
//  4. the role that the token of [WithWebIdentity] or the certificate of
//     [WithRolesAnywhere] opens,
//  5. the default chain: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web
//     identity (AWS_WEB_IDENTITY_TOKEN_FILE), the profile of AWS_PROFILE or
//     "default" in the shared files, the container, the EC2 instance.
//
// Inside a profile the first of these counts, as in the AWS CLI: a role with
// source_profile or credential_source, a web identity, SSO, keys in the
// credentials file, login, process, keys in the config file.
//
// A source that is half there, such as an access key without its secret, is an
// error. It never lets the next source have its turn.
//
// # Which role
//
// With [WithAccount], [WithRole] or [WithRoleARN] the session is that role, assumed
// through STS of the right partition. [Session.Assume] goes on from there: a
// session is never used up by another made from it.
//
// # What is promised
//
// Options are checked, all of them, before anything touches the network. No
// error, log record or printed value holds a secret. A Session may be used by
// any number of goroutines, does nothing while idle, and needs no Close.
//
// # When it does not work
//
// Every error is an [*Error]: one line that says what to change, and a [Kind]
// for errors.Is. [Session.Explain] tells whose credentials are used, and why no
// others are.
//
// # Many accounts, and tests
//
// [Collect] and [Session.ForEachAccount] do the same work in every account of a
// list. Package awsauthtest is an AWS in memory for the tests of a program, and
// cmd/awsauth the command for the shell and for other languages.
package awsauth

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/aws/smithy-go/logging"
)

// New makes a session from the options, the environment and the shared files.
//
// It checks everything that can be checked without the network, and reports every
// wrong option, joined. Credentials are fetched later, when they are first needed.
// New may make one call only: where the chain ends at EC2 and nothing else says a
// region, it asks the instance metadata for it, for a second at most.
//
// The region is that of WithRegion, else the environment's, else the profile's,
// else the instance's, else the partition's default.
//
// A region of the environment or a profile gives way where it is in another
// partition than the role, the options or the credentials. With
// AWS_REGION=us-east-1 and WithPartition(China), for example, the session is in
// the profile's region if that is in China, and in cn-north-1 if it is not.
//
// An error of New is one *Error or several that are joined. [Error.Report] tells
// which sources were looked at before it.
func New(opts ...Option) (*Session, error) {
	s := &settings{}
	for _, o := range opts {
		if o != nil {
			o.applyTo(s)
		}
	}
	silent := s.logger == nil
	if silent {
		s.logger = slog.New(slog.DiscardHandler)
	}
	wrong := s.check()
	l, faulty := lookAround(s)
	wrong = append(wrong, faulty...)
	if l == nil {
		return nil, withReport(wrong.err(), decision{}, place{})
	}
	at, faulty := chosenEndpoint(s, l)
	wrong = append(wrong, faulty...)
	wrong.add(agree(s.claims(at), s.region))
	wrong = append(wrong, l.checkSettings()...)
	d, faulty := l.decide()
	wrong = append(wrong, faulty...)
	if len(wrong) == 0 {
		wrong = d.check(s)
	}
	if err := wrong.err(); err != nil {
		return nil, withReport(err, d, place{})
	}
	return l.assemble(d, at, silent)
}

// check holds the options against the source that was decided on.
func (d decision) check(s *settings) (f faults) {
	if s.opener() != nil && (d.source.opens == nil || !d.source.option || d.source.profile != "") {
		f = append(f, s.role.checkTarget(nil)...) // the options are not the token's role's, which has no turn
	}
	if s.temporaryOnly && d.source.longLived() && len(d.source.roles) == 0 && !s.role.targeted() && d.mfa == nil {
		f.add(d.source.longTerm())
	}
	if s.role.targeted() && (d.source.chained || len(d.source.roles) > 0) {
		f.add(checkChained(s.role.duration))
	}
	return f
}

// withReport gives an error of New the report of what was decided. Its last row is
// the fault.
func withReport(err error, d decision, p place) error {
	first := firstError(err)
	if first == nil {
		return err
	}
	report := &Report{Steps: d.steps, Partition: p.partition, Region: p.region, RegionFrom: p.from}
	if d.source != nil {
		report.Source = d.source.String()
	}
	if n := len(d.steps); n == 0 || d.steps[n-1].Status != Failed {
		report.Steps = append(slices.Clip(d.steps), Step{first.about(), Failed, detailOf(first)})
	}
	if e, ok := err.(*Error); ok {
		e.report = report
		return err
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			if e := firstError(one); e != nil {
				e.report = report
			}
		}
	}
	return err
}

// firstError is the outermost *Error, nil if there is none.
func firstError(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	return e
}

// assemble makes the session of what was decided: the base, the roles of its
// profile, and the role of the options.
func (l *look) assemble(d decision, at endpoint, silent bool) (*Session, error) {
	s, src := l.settings, d.source
	quiet := sdkLogger{s.logger}
	settings, err := l.load(quiet, silent)
	if err != nil {
		return nil, withReport(err, d, place{})
	}
	p, err := l.locate(src, d.mfa, at, settings.metadata)
	if err != nil {
		return nil, withReport(err, d, p)
	}
	base, err := l.base(d, p, settings, at, quiet)
	if err != nil {
		return nil, withReport(err, d, p)
	}
	l.tell(base, at)
	session := base
	if d.mfa != nil {
		session = base.behindMFA(d.mfa)
	}
	for _, role := range src.roles {
		if session, err = session.become(role.behind(d.mfa)); err != nil {
			return nil, withReport(err, d, p)
		}
	}
	if s.role.targeted() {
		if session, err = session.assume(&s.role); err != nil {
			return nil, withReport(err, d, p)
		}
	}
	if err := session.checkAllowed(); err != nil {
		return nil, withReport(err, d, p)
	}
	return session, nil
}

// base makes the session of the source.
func (l *look) base(d decision, p place, settings *loaded, at endpoint, quiet logging.Logger) (*Session, error) {
	s, src := l.settings, d.source
	w := newWire(settings.cfg, settings.own, at, retryerFor(&settings.cfg), quiet, s.logger)
	own := settings.cfg
	own.HTTPClient, own.Logger, own.ClientLogMode = settings.own, quiet, own.ClientLogMode&harmlessLogs
	k := &kit{
		cfg: own, opts: &l.opts, wire: w, at: &p, metadata: settings.metadata, container: settings.container,
		by: signer{origin: src.String(), keyID: src.keyID, partition: p.partition, said: p.said, fixed: p.fixed, inferred: p.inferred},
	}
	get, err := src.open(k)
	if err != nil {
		return nil, err
	}
	temporary := s.temporaryOnly && !s.role.targeted() && len(src.roles) == 0 && d.mfa == nil
	f := &family{wire: w, kit: k, disk: s.openDisk(), allowed: s.allowed.ids, cfg: settings.cfg, decision: d, log: s.logger}
	if src.dear {
		get = (&entry{family: f, at: &p}).through(get)
	}
	return newBase(f, &p, get, temporary), nil
}

// tell writes into the log what was chosen, and what should be known of it.
func (l *look) tell(base *Session, at endpoint) {
	s, p, src := l.settings, base.place, base.source()
	s.logger.Debug("awsauth: source chosen", "source", src.String(), "region", p.region, "region_from", p.from, "partition", string(p.partition))
	for _, w := range l.warnings {
		s.logger.Warn("awsauth: " + w)
	}
	if s.profile != "" && (s.keys.given() || s.provider.given || s.opener() != nil) {
		s.logger.Info("awsauth: WithProfile beats the keys or the provider that were given too", "profile", s.profile)
	}
	for _, step := range src.passed {
		s.logger.Warn("awsauth: passed over: "+step.Source+": "+step.Detail, "source", src.String())
	}
	if at.global() && optIn(p.region) {
		s.logger.Warn("awsauth: the tokens of STS's global address do not work in every region that must be enabled first; use the regional one", "region", p.region)
	}
	if at.url != "" && l.wantsFIPS() {
		s.logger.Warn("awsauth: the chosen address of STS wins over FIPS, which is given up there", "endpoint", at.host())
	}
}

package awsauth

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
	"github.com/chaoxiaodi/awsauth/internal/terminal"
)

// mfaSource is the Source of the keys of an MFA session.
const mfaSource = "GetSessionToken"

// behindMFA makes the session that stands between a user's keys and the roles: its
// keys are those of GetSessionToken. Where the user's keys turn out to be
// temporary there is no such session, and it passes the user's keys through.
func (s *Session) behindMFA(d *mfaDevice) *Session {
	p := &mfaProvider{base: s, device: d}
	file := &entry{family: s.family, at: s.place, parent: s, gate: d}
	c := cacheFor(&voice{s.family.log, s.source(), nil, d, s.family.wire, s.place}, file.through(p.fetch))
	c.Prompts, c.Patient, c.Longest = func() bool { return true }, true, mfaLifetime
	c.Alive = func(ctx context.Context, keys *refresh.Issued) bool {
		return s.alive(ctx, s.place, keys) || file.drop(ctx, keys)
	}
	return &Session{family: s.family, place: s.place, parent: s, gate: d, cache: refresh.New(c), patient: true}
}

// mfaProvider opens MFA sessions for a user.
type mfaProvider struct {
	base   *Session
	device *mfaDevice
}

// fetch asks for a code and opens a session with it. The user's keys come first:
// nobody types a code in vain.
func (p *mfaProvider) fetch(ctx context.Context) (refresh.Issued, error) {
	if _, err := p.base.issued(ctx); err != nil {
		return refresh.Issued{}, err
	}
	code, err := p.base.askCode(ctx, p.device, startMFA, "")
	if err != nil {
		return refresh.Issued{}, err
	}
	w, at := p.base.family.wire, p.base.place
	call := stsCall{
		op: startMFA, host: w.host(at), region: w.signedFor(at), by: p.base.signer(), started: time.Now(), mfaSerial: p.device.serial,
	}
	out, err := w.client().GetSessionToken(ctx, &sts.GetSessionTokenInput{
		DurationSeconds: aws.Int32(int32(mfaLifetime / time.Second)), SerialNumber: &p.device.serial, TokenCode: &code,
	}, p.base.calls(ctx, at, signing{p.base}, w.newRetryer(), call))
	if err != nil {
		p.base.family.codes.unseen(code, err)
		return refresh.Issued{}, classifySTS(err, call)
	}
	keys := out.Credentials
	if keys == nil || keys.Expiration == nil || unfit(aws.ToString(keys.AccessKeyId), aws.ToString(keys.SecretAccessKey), aws.ToString(keys.SessionToken)) != "" {
		e := &Error{Op: startMFA}
		e.notAWS(call.host, "STS", 0)
		return refresh.Issued{}, e
	}
	return refresh.Issued{Credentials: aws.Credentials{
		AccessKeyID: aws.ToString(keys.AccessKeyId), SecretAccessKey: aws.ToString(keys.SecretAccessKey), SessionToken: aws.ToString(keys.SessionToken),
		Source: mfaSource, CanExpire: true, Expires: *keys.Expiration, AccountID: accountOfSerial(p.device.serial),
	}}, nil
}

// mfaAge is how long ago the code was typed for the MFA session that s is, if it is
// one.
func (s *Session) mfaAge() (age time.Duration, ok bool) {
	if s.gate == nil {
		return 0, false
	}
	keys := s.cache.State().Keys
	if keys == nil {
		return 0, false
	}
	return max(0, mfaLifetime-time.Until(keys.Expires)), true
}

// accountOfSerial is the account of a device, which is its user's. The number on a
// hardware device does not tell.
func accountOfSerial(serial string) string {
	if parts := strings.SplitN(serial, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[4]
	}
	return ""
}

// askCode gets a code of a device that STS has not seen, for the operation op on
// target. Its context tells PromptMFA what it is for.
func (s *Session) askCode(ctx context.Context, d *mfaDevice, op, target string) (string, error) {
	code, err := d.code(context.WithValue(ctx, deviceKey{}, d))
	refresh.Answered(ctx)
	if err != nil {
		err = withoutCodes(err, code)
	}
	e := &Error{Kind: MFARequired, Op: op, Target: target, unsent: true}
	serial := redact.OneLine(d.serial)
	switch code = strings.TrimSpace(code); {
	case err != nil && errors.Is(err, context.Canceled):
		e.Kind, e.what, e.Err = "", "canceled", redact.Error(err)
	case err != nil:
		e.what, e.Err = "there is no MFA code for "+serial+": "+cmp.Or(redact.OneLine(redact.Secrets(err.Error())), noWords), redact.Error(err)
		if errors.Is(err, terminal.ErrNone) {
			e.Hint = "run it at a terminal, or pass WithMFA a func that gets the code elsewhere"
		}
	case len(code) != 6 || !names.IsDigits(code):
		e.what = "what was given for " + serial + " is not a code of six digits"
		e.Hint = "enter the six digits that the device shows now"
	case !s.family.codes.spend(code):
		e.what = "the MFA code for " + serial + " was used before"
		e.Hint = "each code works once, wait for the next one"
	default:
		return code, nil
	}
	return "", e
}

// alive reports whether STS still knows keys that a service has refused. Nobody is
// made to type anew before that is certain: an answer other than that the keys are
// no good, or none, leaves them in use.
func (s *Session) alive(ctx context.Context, at *place, keys *refresh.Issued) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w, call := s.family.wire, s.callerCall()
	_, err := w.client().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{},
		s.calls(ctx, at, credentials.StaticCredentialsProvider{Value: keys.Credentials}, w.newRetryer(), call))
	if err == nil {
		return true
	}
	e := deepest(classifySTS(err, call))
	return e == nil || e.Kind != InvalidKey && e.Kind != Expired
}

// deviceKey is the key of the device in the context of a code func.
type deviceKey struct{}

// unseen lets a code be used again that STS has not looked at: there was no
// connection, or the signature was refused first.
func (u *usedCodes) unseen(code string, err error) {
	if pace.Unseen(err) {
		u.forget(code)
	}
}

// withoutCodes hides what may be a code in the error of a code func: the one that it
// returned too, and any run of six digits. The cause can still be found in it.
func withoutCodes(err error, code string) error {
	text := err.Error()
	clean := hideDigits(text)
	if digits := strings.Count(strings.Map(onlyDigits, code), "") - 1; digits >= 4 {
		clean = strings.ReplaceAll(clean, code, "******")
	}
	if clean == text {
		return err
	}
	return &quiet{clean, func(target error) bool { return errors.Is(err, target) }}
}

// onlyDigits drops all runes but digits, for strings.Map.
func onlyDigits(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// hideDigits replaces what may be a code: six digits, also in groups, as some devices
// show them.
func hideDigits(text string) string {
	const hidden = "******"
	var b strings.Builder
	for text != "" {
		n, digits, plain := group(text)
		switch {
		case digits == 6:
			b.WriteString(hidden)
		case plain == 6:
			b.WriteString(hidden)
			n = plain
		case digits == 0:
			b.WriteString(text[:n])
		default:
			n = max(plain, 1)
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// gap is how many bytes stand between two digits of a code: white space, which is shown
// as one blank, or a hyphen.
func gap(text string) int {
	if strings.HasPrefix(text, "-") {
		return 1
	}
	return len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
}

// group measures what a text begins with: digits, perhaps with white space or hyphens
// between them, or else the text up to the first digit. plain is the number of digits
// before the first blank or hyphen.
func group(text string) (n, digits, plain int) {
	isDigit := func(i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }
	if !isDigit(0) {
		n = strings.IndexAny(text, "0123456789")
		if n < 0 {
			n = len(text)
		}
		return n, 0, 0
	}
	for isDigit(n) {
		n, digits = n+1, digits+1
		if !isDigit(n) && plain == 0 {
			plain = digits
		}
		if next := n + gap(text[n:]); isDigit(next) {
			n = next
		}
	}
	return n, digits, plain
}

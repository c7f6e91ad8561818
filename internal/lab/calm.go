package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
)

// nothingMoves asks that no text holds what moves a cursor, rings, changes colours
// or turns the direction of what is read. A line end is allowed where the text has
// lines of its own.
func NothingMoves(t testing.TB, what, text string, lines bool) {
	t.Helper()
	for i, r := range text {
		if lines && r == '\n' {
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			t.Errorf("%s has %U after %q", what, r, text[max(0, i-120):i])
			return
		}
	}
}

// errorIsCalm holds an error in every form, and each error of the chain.
func ErrorIsCalm(t testing.TB, err error) {
	t.Helper()
	switch err.(type) {
	case nil, *fs.PathError, config.SharedConfigProfileNotExistError:
		return // causes that hold a name as it is: who asks for their type wants that
	}
	_, joined := err.(interface{ Unwrap() []error })
	var own *awsauth.Error
	lines := joined && !errors.As(err, &own) // errors.Join puts one a line
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if _, ok := err.(*awsauth.Error); ok {
			NothingMoves(t, "an error", fmt.Sprintf(form, err), false)
		}
	}
	NothingMoves(t, "an error", err.Error(), lines || joined)
	if e, ok := err.(*awsauth.Error); ok {
		for name, field := range map[string]string{"Op": e.Op, "Target": e.Target, "Hint": e.Hint, "RequestID": e.RequestID} {
			NothingMoves(t, "an error's "+name, field, false)
		}
		assert.LessOrEqual(t, len([]rune(e.Error())), 1800, "an error of bounded length")
		if report, ok := e.Report(); ok {
			ReportIsCalm(t, report)
		}
		text, err := json.Marshal(e)
		assert.NoError(t, err)
		NothingMoves(t, "an error as JSON", string(text), false)
	}
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		ErrorIsCalm(t, x.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range x.Unwrap() {
			ErrorIsCalm(t, one)
		}
	}
}

func ReportIsCalm(t testing.TB, r awsauth.Report) {
	t.Helper()
	NothingMoves(t, "a report", r.String(), true)
	NothingMoves(t, "a report's source", r.Source+r.Region+r.RegionFrom+string(r.Partition), false)
	for _, step := range r.Steps {
		NothingMoves(t, "a row", step.Source+string(step.Status)+step.Detail, false)
	}
}

// allIsCalm holds everything that a session shows, and its log.
func AllIsCalm(t testing.TB, s *awsauth.Session, log *Records, err error) {
	t.Helper()
	ErrorIsCalm(t, err)
	for _, line := range log.Lines() {
		NothingMoves(t, "a log record", line, false)
	}
	if s != nil {
		ReportIsCalm(t, s.Explain())
		NothingMoves(t, "a session", fmt.Sprintf("%v %+v %#v", s, s, s), false)
	}
}

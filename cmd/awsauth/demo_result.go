package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoxiaodi/awsauth"
)

// result is what a step came to.
type result struct {
	identity awsauth.Identity
	region   string
	told     []field // what there is instead of an identity
	err      error
	calls    []string
	wrong    []string // how it differs from what was wanted
}

// against says what is not as wanted.
func (r result) against(want want) (wrong []string) {
	if want.fails != "" {
		if !errors.Is(r.err, want.fails) {
			wrong = append(wrong, fmt.Sprintf("the error is not %s", kindNames[want.fails]))
		}
	} else {
		name, session, _ := strings.Cut(r.identity.ARN, want.identity)
		if r.err != nil {
			wrong = append(wrong, "there should be no error")
		}
		if name != "" || session != "" && !strings.HasPrefix(session, "/") {
			wrong = append(wrong, "the identity should be "+want.identity)
		}
		if r.region != want.region {
			wrong = append(wrong, "the region should be "+want.region)
		}
	}
	if !slices.Equal(r.calls, want.calls) {
		wrong = append(wrong, fmt.Sprintf("the calls should be %q", want.calls))
	}
	return wrong
}

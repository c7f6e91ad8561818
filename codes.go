package awsauth

import (
	"slices"
	"sync"
)

// usedCodes are the last MFA codes that were sent to STS. A code works once, so
// one that comes again is refused here: sending it could only fail.
type usedCodes struct {
	mu   sync.Mutex
	last []string
}

// mostCodes is more than STS could still accept: a code lasts half a minute.
const mostCodes = 8

// spend notes that a code is being sent, and reports whether it is new.
func (u *usedCodes) spend(code string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if slices.Contains(u.last, code) {
		return false
	}
	u.last = append(u.last[max(0, len(u.last)-mostCodes+1):], code)
	return true
}

// forget lets a code be used again.
func (u *usedCodes) forget(code string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = slices.DeleteFunc(u.last, func(one string) bool { return one == code })
}

package awsauth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestDiskRoleOfRenewedLogin: a login's token is renewed while a role is assumed with
// it. It is the same login, so the processes that come for the role at that moment make
// one call.
func TestDiskRoleOfRenewedLogin(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.SSOProfile()
	endedSSO(t, w)
	var wg sync.WaitGroup
	for range 6 {
		s := w.Open(awsauth.WithProfile("dev"), disk(w), awsauth.WithAccount(lab.Target))
		wg.Go(func() {
			_, err := s.Retrieve(t.Context())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, w.Calls("CreateToken"), 1)
	assert.Len(t, w.Calls("GetRoleCredentials"), 1)
	assert.Len(t, w.Calls("AssumeRole"), 1)
}

// TestDiskNewSubject: a token file that is renewed for another subject between the look
// at the disk and the call: what is used is the token that the disk was searched with.
func TestDiskNewSubject(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	mine, theirs := w.WebIdentityToken(lab.Issuer, "repo:corp/mine", time.Hour), w.WebIdentityToken(lab.Issuer, "repo:corp/theirs", time.Hour)
	w.Write("token", mine)
	w.WebEnv()
	key := func(between string) awsauth.Option {
		return awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) {
			w.Write("token", between)
			return []byte("0123456789abcdef0123456789abcdef"), nil
		})
	}
	second := lab.Get(t, w.Open(disk(w), key(theirs)))
	w.Write("token", mine)
	first := lab.Get(t, w.Open(disk(w), key(mine)))
	assert.Equal(t, second.AccessKeyID, first.AccessKeyID, "both are the first subject's")
	calls := w.Calls("AssumeRoleWithWebIdentity")
	assert.Len(t, calls, 1)
	assert.Equal(t, lab.Issuer+":repo:corp/mine", calls[0].Caller, "the token that the disk was searched with")
}

// TestDiskAllowed: what comes from the disk is held against the guard like all else.
func TestDiskAllowed(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	device := w.Device()
	lab.Get(t, w.Open(w.Static(), device.Option(), disk(w)))
	lab.Get(t, w.Open(w.Static(), device.Option(), disk(w), awsauth.WithAllowedAccounts(lab.Home)))
	_, err := w.Try(w.Static(), device.Option(), disk(w), awsauth.WithAllowedAccounts(stranger))
	require.ErrorIs(t, err, awsauth.WrongAccount)
	assert.Equal(t, 1, device.Asked())
	w.SSOProfile()
	w.SSOLogin("corp")
	lab.Get(t, w.Open(awsauth.WithProfile("dev"), disk(w)))
	s, err := w.Try(awsauth.WithProfile("dev"), disk(w), awsauth.WithAllowedAccounts(stranger))
	if err == nil {
		_, err = s.Retrieve(t.Context())
	}
	require.ErrorIs(t, err, awsauth.WrongAccount)
}

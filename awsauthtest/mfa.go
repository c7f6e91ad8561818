package awsauthtest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"time"
)

// codePeriod is how long one MFA code lasts.
const codePeriod = 30 * time.Second

// device is a virtual MFA device. Its fields are guarded by Cloud.mu.
type device struct {
	serial string
	secret []byte
	used   int64 // the period of the last code accepted
}

func newDevice(serial string, secret []byte) *device {
	return &device{serial: serial, secret: secret, used: -1 << 62}
}

// MFACode returns the code that the device of that serial number shows now: 6
// digits, another every 30 s (RFC 6238, SHA-1, as AWS's virtual devices). A
// code is accepted once, in its own period or the next. An unknown serial
// number panics.
//
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
func (c *Cloud) MFACode(serial string) string {
	t := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.devices[serial]
	if d == nil {
		panic(fmt.Sprintf("awsauthtest: MFACode: no user has the device %q", serial))
	}
	return d.code(period(t))
}

// period counts the 30 s periods since 1970, as RFC 6238 does.
func period(t time.Time) int64 { return t.Unix() / int64(codePeriod/time.Second) }

// code is HOTP (RFC 4226) of one period.
func (d *device) code(at int64) string {
	mac := hmac.New(sha1.New, d.secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:])&0x7fffffff%1_000_000)
}

// redeem accepts a code once. A code of the period before is taken as well, for
// people type slowly; one that is not newer than the last one used is not.
// The caller holds Cloud.mu.
func (d *device) redeem(code string, t time.Time) bool {
	for at := period(t) - 1; at <= period(t); at++ {
		if at > d.used && hmac.Equal([]byte(d.code(at)), []byte(code)) {
			d.used = at
			return true
		}
	}
	return false
}

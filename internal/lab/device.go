package lab

import (
	"context"
	"sync"
	"time"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// Device is a person with an MFA device, who types its codes.
type Device struct {
	Serial string
	Typing time.Duration // how long a code takes

	w     *Place
	mu    sync.Mutex
	asked int
}

// Device gives the user a device.
func (w *Place) Device() *Device {
	d := &Device{Serial: w.ARN(Home, "mfa/ana"), w: w}
	w.Keys = w.AddUser(awsauthtest.User{ARN: w.ARN(Home, "user/ci"), MFASerial: d.Serial})
	return d
}

// Code returns what the device shows now. It is the code func of WithMFA.
func (d *Device) Code(ctx context.Context) (string, error) {
	d.mu.Lock()
	d.asked++
	d.mu.Unlock()
	if d.Typing > 0 {
		select {
		case <-time.After(d.Typing):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	return d.w.MFACode(d.Serial), nil
}

// Asked is how often the person was asked.
func (d *Device) Asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// Option is WithMFA of the device.
func (d *Device) Option() awsauth.Option { return awsauth.WithMFA(d.Serial, d.Code) }

// Strict are accounts whose manage-role asks for MFA, n of them.
func (w *Place) Strict(n int) []string {
	ids := w.Accounts(n)
	for _, id := range ids {
		w.RemoveRole(w.ManageARN(id))
		w.AddRole(awsauthtest.Role{ARN: w.ManageARN(id), Trust: []string{Home}, RequireMFA: true, MaxSession: 12 * time.Hour})
	}
	return ids
}

package awsauth_test

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
	"github.com/chaoxiaodi/awsauth/internal/ptytest"
)

// atTerminal puts the user with a device behind the profile "ana", and returns the
// environment of a program that starts from it.
func atTerminal(t *testing.T) (w *lab.Place, device *lab.Device, env []string) {
	w = lab.New(t, awsauth.AWS)
	device = w.Device()
	w.AddRole(awsauthtest.Role{ARN: w.ManageARN(lab.Target), Trust: []string{lab.Home}, RequireMFA: true})
	w.Files("[profile ana]\nmfa_serial = "+device.Serial+"\n"+lab.KeyLines, "")
	return w, device, environ(t, w, errand{Profile: "ana", Account: lab.Target})
}

// environ is the environment of a program that is to run an errand.
func environ(t *testing.T, w *lab.Place, e errand) []string {
	url, err := w.Serve()
	require.NoError(t, err)
	text, err := json.Marshal(e)
	require.NoError(t, err)
	return []string{lab.Role + "=prompt", profileErrand + "=" + string(text), "AWS_ENDPOINT_URL_STS=" + url}
}

// TestPromptMFA: a person at a terminal is asked for the code of the device, with the
// profile's name. What is typed is not shown, and the answer alone is on standard
// output.
func TestPromptMFA(t *testing.T) {
	w, device, env := atTerminal(t)
	const question = mfaQuestion + " "
	p := ptytest.New(t)
	former := p.Mode(t)
	c := p.Start(t, env...)
	p.Asked(t, question)
	assert.Empty(t, w.Calls(), "nothing is sent before there is a code")
	p.Press(t, w.MFACode(device.Serial)+"\n")
	c.End(t)
	assert.Equal(t, w.Became(lab.Target, "manage-role")+"\n", c.Tells.String())
	p.Screen.Await(t, question+"\r\n")
	assert.Equal(t, former, p.Mode(t))
	assert.Len(t, w.Calls("GetSessionToken"), 1)
	assert.Len(t, w.Calls("AssumeRole"), 1)
}

// TestPromptMFAProfile: the question names the profile whose mfa_serial it is, and the
// session's profile where WithMFA names the device.
func TestPromptMFAProfile(t *testing.T) {
	for name, tt := range map[string]struct {
		config, serial, profile string
	}{
		"of the source profile": {config: "[profile ana]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\nmfa_serial = " + lab.MFASerial + "\n" + lab.KeyLines, profile: "keys"},
		"of WithMFA":            {config: "[profile ana]\n" + lab.KeyLines, serial: lab.MFASerial, profile: "ana"},
	} {
		t.Run(name, func(t *testing.T) {
			w, device, _ := atTerminal(t)
			w.Files(tt.config, "")
			p := ptytest.New(t)
			c := p.Start(t, environ(t, w, errand{Profile: "ana", Account: lab.Target, Serial: tt.serial})...)
			p.Asked(t, "MFA code for "+device.Serial+" (profile "+tt.profile+"): ")
			p.Press(t, w.MFACode(device.Serial)+"\n")
			c.End(t)
			assert.Len(t, w.Calls("GetSessionToken"), 1)
		})
	}
}

// TestPromptMFAWrong: what is no code is refused without a call, and not repeated in
// the error; one that STS refuses is an error that says to wait.
func TestPromptMFAWrong(t *testing.T) {
	for typed, tt := range map[string]struct {
		says  string
		calls int
	}{
		"hunter2": {"is not a code of six digits", 0},
		"":        {"is not a code of six digits", 0},
		"000000":  {"each code works once, wait for the next one", 1},
	} {
		t.Run(typed, func(t *testing.T) {
			w, device, env := atTerminal(t)
			if typed == w.MFACode(device.Serial) {
				t.Skip("one of a million")
			}
			p := ptytest.New(t)
			c := p.Start(t, env...)
			p.Asked(t, mfaQuestion+" ")
			p.Press(t, typed+"\n")
			c.End(t)
			assert.Contains(t, c.Tells.String(), "failed true ")
			assert.Contains(t, c.Tells.String(), tt.says)
			if typed != "" {
				assert.NotContains(t, c.Tells.String()+p.Screen.String(), typed)
			}
			assert.Len(t, w.Calls("GetSessionToken"), tt.calls)
		})
	}
}

// TestPromptMFANoTerminal: a program without a terminal, as under cron, hears at once
// what is missing and what to do.
func TestPromptMFANoTerminal(t *testing.T) {
	w, device, env := atTerminal(t)
	c := ptytest.Launch(t, &syscall.SysProcAttr{Setsid: true}, nil, env)
	c.End(t)
	for _, want := range []string{"failed true ", device.Serial, "no terminal", "run it at a terminal, or pass WithMFA a func that gets the code elsewhere"} {
		assert.Contains(t, c.Tells.String(), want)
	}
	assert.Empty(t, w.Calls())
}

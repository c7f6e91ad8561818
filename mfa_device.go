package awsauth

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// secondFactor is the MFA device with which a source's user signs in, nil if there
// is none: that of WithMFA, or of an mfa_serial on the profile's way. They must
// agree, as a user's roles are all assumed from one MFA session.
//
// A role that is the base itself has no device. There an mfa_serial stays with the
// role that it stands beside, as in the SDK, and STS decides.
func (l *look) secondFactor(src *source) (*mfaDevice, faults) {
	option := l.settings.mfa
	found := l.devices(src)
	if len(found) == 0 {
		if !option.given {
			return nil, nil
		}
		return nil, faults{invalid("WithMFA", "no serial is given, and %s has no mfa_serial", src).mend("pass the serial of the user's device")}
	}
	device := found[0]
	for _, other := range found[1:] {
		if other.serial != device.serial {
			e := invalid(device.said, "the MFA device is %s, but %s says %s", redact.OneLine(device.serial), other.said, redact.OneLine(other.serial))
			return nil, faults{e.mend("one user signs in with one device: keep one of the two")}
		}
	}
	var f faults
	for _, d := range found {
		if d.said != "WithMFA" { // which was held against the rules by itself
			f.add(checkSerial(d.said, d.serial))
		}
	}
	if len(f) > 0 {
		return nil, f
	}
	device.code = l.codeFunc(found)
	switch {
	case src.isRole() && !option.given && device.code == nil:
		return nil, faults{invalid(device.said, "mfa_serial stands beside a role that is assumed from a role (%s), which has no MFA device", src).
			mend("remove mfa_serial, or take the keys of the device's user as the source")}
	case device.code == nil:
		return nil, faults{device.required(src)}
	case !src.isRole():
		return &device, nil
	case option.given:
		return nil, faults{invalid("WithMFA", "the base is a role (%s), and a role has no MFA device", src).
			mend("start from the keys of the user who has the device, or leave WithMFA out")}
	}
	return nil, nil
}

// devices are the devices that the options and the profiles name, each with what
// names it. An mfa_serial beside keys, and not beside a role, is heeded only where
// there is a code to be had and a role to use it for, as the AWS CLI ignores it.
func (l *look) devices(src *source) (found []mfaDevice) {
	option := l.settings.mfa
	if option.serial != "" {
		found = append(found, mfaDevice{serial: option.serial, said: "WithMFA"})
	}
	for _, role := range src.roles {
		if role.mfa.serial != "" {
			found = append(found, role.mfa)
		}
	}
	for _, profile := range src.profiles {
		serial := l.get(profile, "mfa_serial")
		if serial == "" || l.get(profile, "role_arn") != "" {
			continue
		}
		code := l.codeBeside(src, serial)
		if option.given || code != nil {
			found = append(found, mfaDevice{serial: serial, code: code, said: l.at(profile, "mfa_serial"), profile: profile})
		}
	}
	if len(found) > 0 && found[0].profile == "" { // the prompt names the profile whoever named the device
		found[0].profile = src.profile
	}
	return found
}

// codeBeside is who gives the codes of a device beside keys, where WithMFA does not: the
// token provider that config.WithAssumeRoleCredentialOptions has for the role of the
// options, or for those of the profile. nil if there is none.
func (l *look) codeBeside(src *source, serial string) func(context.Context) (string, error) {
	fn := l.opts.AssumeRoleCredentialOptions
	if l.settings.mfa.given || !l.settings.role.targeted() || src.isRole() || fn == nil {
		return nil
	}
	for _, role := range src.roles {
		return role.mfa.code
	}
	o := stscreds.AssumeRoleOptions{SerialNumber: aws.String(serial)}
	fn(&o)
	return codeOf(o.TokenProvider)
}

// codeFunc is who gives the codes: WithMFA's func, or else the token provider that
// came with config.WithAssumeRoleCredentialOptions. nil if there is none.
func (l *look) codeFunc(found []mfaDevice) func(context.Context) (string, error) {
	if l.settings.mfa.given {
		return l.settings.mfa.code
	}
	for _, d := range found {
		if d.code != nil {
			return d.code
		}
	}
	return nil
}

// required is the error where nobody gives a code.
func (d mfaDevice) required(src *source) error {
	e := &Error{Kind: MFARequired}
	e.what = fmt.Sprintf("profile %q requires MFA with %s", d.profile, redact.OneLine(d.serial))
	return e.mend("pass WithMFA(%q, code) with a func that returns the current code, for example PromptMFA", redact.Clip(d.serial))
}

package awsauth

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// check holds the options of New against their own rules, but for those that say
// who one is: these are rows of the chain.
func (s *settings) check() (f faults) {
	if s.region != "" {
		if err := checkRegion(s.region, s.partition); err != nil {
			f.bad("WithRegion", s.region, "%v", err)
		}
	}
	if s.partition != "" {
		if _, ok := s.partition.info(); !ok {
			f.bad("WithPartition", string(s.partition), "unknown partition; there are %s", partitionNames())
		}
	}
	if s.stsEndpoint != "" {
		f.add(checkEndpoint("WithSTSEndpoint", s.stsEndpoint))
	}
	if s.web.given && s.anywhere.given {
		f.add(invalid("WithRolesAnywhere", "given together with WithWebIdentity").mend("keep the one that says who you are"))
	}
	f = append(f, s.mfa.check()...)
	f = append(f, s.disk.check()...)
	f = append(f, s.allowed.check()...)
	f = append(f, s.role.check()...)
	return append(f, s.role.checkTarget(s.opener())...)
}

// check refuses half a key pair and what cannot be one.
func (k keyOption) check() (f faults) {
	f.add(k.wrong())
	return f
}

func (k keyOption) wrong() error {
	const op = "WithStaticCredentials"
	switch {
	case !k.given():
		return nil
	case k.id == "" && k.secret == "":
		return invalid(op, "a session token without keys").mend("pass access key, secret key and token, or use WithProfile")
	case k.id == "":
		return invalid(op, "access key id is empty, but there is a secret access key").mend("pass both, or use WithProfile")
	case k.secret == "":
		return invalid(op, "secret access key is empty for access key %s", redact.Key(k.id)).mend("pass both, or use WithProfile")
	case swapped(k.id, k.secret):
		return invalid(op, "the two are swapped: %s, which looks like an access key id, is second", redact.Key(k.secret)).
			mend("pass the access key id first, then the secret")
	case strings.HasPrefix(k.id, "ASIA") && names.IsKeyID(k.id) && k.token == "":
		return invalid(op, "access key %s is temporary, as all that begin with ASIA, and works with its session token only", redact.Key(k.id)).
			mend("pass the session token too")
	}
	if what := unfit(k.id, k.secret, k.token); what != "" {
		return invalid(op, "%s in the keys of access key %s", what, redact.Key(strings.TrimSpace(k.id))).mend("trim what was read from a file or variable")
	}
	return nil
}

// unfit names what keys can never hold and one of these does: a line end that
// came with a mounted file, a blank, a control character, the quotes of an env file.
// "" if there is nothing. Such a key would be refused by the HTTP client or by AWS,
// again and again.
func unfit(keys ...string) string {
	for _, key := range keys {
		if n := len(key); n > 1 && key[0] == key[n-1] && (key[0] == '"' || key[0] == '\'') {
			return "a pair of quotes"
		}
		for _, r := range key {
			switch {
			case r == '\n' || r == '\r':
				return "white space (a line end)"
			case unicode.IsSpace(r):
				return "white space"
			case r < ' ' || r > '~':
				return "a character that is not printable ASCII"
			}
		}
	}
	return ""
}

// swapped reports whether id and secret stand in each other's place. The secret would
// be sent in clear.
func swapped(id, secret string) bool { return names.IsKeyID(secret) && !names.IsKeyID(id) }

// check refuses a provider that names nobody.
func (p providerOption) check() (f faults) {
	switch {
	case !p.given:
	case isNil(p.CredentialsProvider):
		f.add(invalid(p.option, "the provider is nil").mend("pass one, or leave the option out to let the next source be used"))
	case aws.IsCredentialsProvider(p.CredentialsProvider, (*aws.AnonymousCredentials)(nil)),
		aws.IsCredentialsProvider(p.CredentialsProvider, aws.AnonymousCredentials{}):
		f.add(invalid(p.option, "aws.AnonymousCredentials are nobody's").
			mend("leave the option out, and give aws.AnonymousCredentials to the one client whose requests are not to be signed"))
	}
	return f
}

// isNil reports whether an interface holds nothing, or a pointer or func that is nil.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return value.IsNil()
	default:
		return false
	}
}

// check holds the role against the rules of ARNs.
func (w webOption) check() (f faults) {
	if !w.given {
		return nil
	}
	if w.roleARN == "" {
		f.add(invalid("WithWebIdentity", "the role ARN is empty").mend("pass the ARN of the role that trusts the token's issuer"))
	} else if _, err := parseRoleARN(w.roleARN); err != nil {
		f.bad("WithWebIdentity", w.roleARN, "%v", err)
	}
	if isNil(w.token) {
		f.add(invalid("WithWebIdentity", "there is no token").mend("pass what retrieves it, for example stscreds.IdentityTokenFile(path)"))
	}
	return f
}

// check refuses a key that encrypts nothing, and a directory that is not the one
// meant.
func (d diskOption) check() (f faults) {
	switch {
	case d.keyed && isNil(d.key):
		f.add(invalid("WithDiskCacheKey", "there is no key").mend("pass a func that returns 32 bytes, or leave the option out"))
	case d.keyed && !d.given:
		f.add(invalid("WithDiskCacheKey", "there is no disk cache to encrypt").mend("pass WithDiskCache too"))
	}
	if d.dir == "~" || strings.HasPrefix(d.dir, "~/") {
		f.bad("WithDiskCache", d.dir, "~ is not expanded; use os.UserHomeDir, or \"\" for the default directory")
	}
	return f
}

// check refuses a guard that lets nobody pass, which surely was meant otherwise.
func (a allowedOption) check() (f faults) {
	for _, id := range a.ids {
		if id == "" {
			f.add(invalid("WithAllowedAccounts", "an account id is empty").mend("pass the 12-digit ids of the accounts, or leave the option out to allow all"))
		} else if err := checkAccount(id); err != nil {
			f.bad("WithAllowedAccounts", id, "%v", err)
		}
	}
	return f
}

// check holds the device against the rules of serial numbers.
func (m mfaOption) check() (f faults) {
	if !m.given {
		return nil
	}
	op := fmt.Sprintf("WithMFA(%q)", redact.Clip(m.serial))
	if m.code == nil {
		f.add(invalid(op, "there is nobody to ask for a code").mend("pass a func that returns the current code, for example PromptMFA, or leave the option out"))
	}
	if m.serial != "" {
		f.add(checkSerial(op, m.serial))
	}
	return f
}

// checkSerial holds the serial of an MFA device against IAM's rules.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func checkSerial(op, serial string) error {
	if !names.Is(serial, names.Signs+":/", 9, 256) {
		return invalid(op, "not the serial of an MFA device; one is arn:aws:iam::123456789012:mfa/name, or the number on a hardware device")
	}
	parts := strings.SplitN(serial, ":", 6)
	if parts[0] != "arn" {
		return nil
	}
	if len(parts) == 6 && strings.HasPrefix(parts[5], "u2f/") {
		return invalid(op, "a security key or passkey shows no codes, which a call to STS needs").
			mend("use the serial of an authenticator app or of a device that shows six digits")
	}
	kind, name, _ := strings.Cut(parts[len(parts)-1], "/")
	if len(parts) != 6 || parts[2] != "iam" || parts[3] != "" || !names.IsAccount(parts[4]) || kind != "mfa" && kind != "sms-mfa" || name == "" {
		return invalid(op, "not the ARN of an MFA device; one is arn:aws:iam::123456789012:mfa/name")
	}
	if _, ok := Partition(parts[1]).info(); !ok {
		return invalid(op, "unknown partition %q; there are %s", redact.Clip(parts[1]), partitionNames())
	}
	return nil
}

// serialPartition is the partition that the serial of an MFA device names, which
// the number on a hardware device does not.
func serialPartition(serial string) (Partition, bool) {
	parts := strings.SplitN(serial, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", false
	}
	_, known := Partition(parts[1]).info()
	return Partition(parts[1]), known
}

// target takes the ARNs apart.
func (a anywhereOption) target() (rolesanywhere.Target, error) {
	target, err := rolesanywhere.Parse(a.anchor, a.profile, a.role)
	var wrong *rolesanywhere.ARNError
	if errors.As(err, &wrong) {
		e := &Error{Kind: InvalidOption, Op: "WithRolesAnywhere", what: wrong.What}
		if wrong.WrongPartition {
			e.Kind = WrongPartition
		}
		return target, e.mend("%s", wrong.Mend)
	}
	return target, err
}

// check refuses ARNs that do not belong together, and a certificate that nobody hands
// out.
func (a anywhereOption) check() (f faults) {
	if !a.given {
		return nil
	}
	_, err := a.target()
	f.add(err)
	if a.certificate == nil {
		f.add(invalid("WithRolesAnywhere", "there is no certificate").mend("pass what returns it, for example CertificateFiles(\"client.pem\", \"client.key\")"))
	}
	return f
}

// checkRegion asks that a region has the shape of a partition's regions. Where
// WithPartition says the partition, any name will do: services that only look
// like AWS's call theirs "auto" or "local".
func checkRegion(region string, partition Partition) error {
	const most = 63 // it is a part of a host's name
	if _, ok := PartitionOf(region); ok && names.Is(region, "-", 1, most) && !strings.Contains(region, "_") {
		return nil
	}
	if lower := strings.ToLower(strings.TrimSpace(region)); lower != region {
		if _, ok := PartitionOf(lower); ok {
			return fmt.Errorf("not a region; write %q", lower)
		}
	}
	if zone := strings.TrimRight(region, "abcdefgh"); zone != region {
		if _, ok := PartitionOf(zone); ok {
			return fmt.Errorf("an availability zone, not a region; write %q", zone)
		}
	}
	if i := strings.IndexFunc(region, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(region[i:])
		return fmt.Errorf("it has a character outside ASCII (%U); write it anew", r)
	}
	if partition != "" && names.Is(region, "-", 1, most) && strings.Trim(region, "-") == region {
		return nil
	}
	return fmt.Errorf("no region of any partition has such a name; one looks like us-east-1 or cn-north-1; " +
		"for a service that is not AWS's pass WithPartition too, and STS is asked in the partition's default region")
}

// checkEndpoint holds the address of a service against the one rule for them
// all. It is shown as the option's call.
func checkEndpoint(said, endpoint string) error {
	return wrongAddress(fmt.Sprintf("%s(%q)", said, redact.URL(redact.Clip(endpoint))), transport.CheckEndpoint(endpoint))
}

// wrongAddress is the fault of an address, nil for none.
func wrongAddress(op string, err error) error {
	var wrong *transport.AddressError
	if !errors.As(err, &wrong) {
		return err
	}
	return invalid(op, "%s", wrong.What).mend("%s", wrong.Hint)
}

package awsauth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/chaoxiaodi/awsauth"
)

// FuzzRoleARN: what is accepted is a role's ARN, prints as it was given, and the
// SDK's own parser agrees on its parts.
func FuzzRoleARN(f *testing.F) {
	for _, s := range []string{manageRole, chinaRole, "arn:aws:iam::123456789012:role/a/b/c", "arn:aws:sts::123456789012:assumed-role/a/b", "arn:::::", "arn::sts::\n:assumed-role/", "", "arn:aws:iam::123456789012:role/a\n"} {
		f.Add(s)
	}
	account := regexp.MustCompile(`\A[0-9]{12}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := awsauth.ParseRoleARN(s)
		if err != nil {
			checkText(t, err)
			return
		}
		if got != s {
			t.Fatalf("%q became %q", s, got)
		}
		parts, err := arn.Parse(s)
		if err != nil || parts.Service != "iam" || parts.Region != "" || !account.MatchString(parts.AccountID) || !strings.HasPrefix(parts.Resource, "role/") {
			t.Fatalf("%q was accepted: %v %+v", s, err, parts)
		}
		if strings.ContainsAny(s, " \t\r\n") || strings.Contains(s, "//") {
			t.Fatalf("%q was accepted", s)
		}
	})
}

// FuzzRoleName: a name is accepted alone if and only if it is within its ARN.
func FuzzRoleName(f *testing.F) {
	for _, s := range []string{"manage-role", "team/ops", "/x", "x/", "a//b", "", "_+=,.@-", strings.Repeat("r", 65), "rôle"} {
		f.Add(s)
	}
	last := regexp.MustCompile(`\A[A-Za-z0-9_+=,.@-]{1,64}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		err := awsauth.CheckRoleName(s)
		_, arnErr := awsauth.ParseRoleARN("arn:aws:iam::123456789012:role/" + s)
		if (err == nil) != (arnErr == nil) {
			t.Fatalf("%q: %v as a name, %v in an ARN", s, err, arnErr)
		}
		if err != nil {
			checkText(t, err)
			return
		}
		if name := s[strings.LastIndexByte(s, '/')+1:]; !last.MatchString(name) {
			t.Fatalf("%q was accepted", s)
		}
	})
}

// FuzzSessionName: whatever user and host are called, STS takes the name made of
// them.
func FuzzSessionName(f *testing.F) {
	for _, s := range [][2]string{{"ana", "laptop"}, {"", ""}, {`CORP\ana`, "pc.corp.example"}, {"名", "主机"}, {strings.Repeat("u", 99), strings.Repeat("h", 99)}, {"\xff", "a b"}} {
		f.Add(s[0], s[1])
	}
	fits := regexp.MustCompile(`\A[A-Za-z0-9_+=,.@-]{2,64}\z`)
	f.Fuzz(func(t *testing.T, who, host string) {
		if name := awsauth.SessionName(who, host); !fits.MatchString(name) {
			t.Fatalf("%q at %q became %q", who, host, name)
		}
	})
}

// FuzzSharedFile: a secret stands somewhere in the text; the scan never panics
// and never says it.
func FuzzSharedFile(f *testing.F) {
	for _, s := range []string{
		"[default]\naws_secret_access_key = ", "[profile x]\naws_secret_access_key\n", "[default]\naws_access_key_id = x\naws_session_token=", "[", "[profile ",
		"\ufeff[default]\n aws_secret_access_key: ", "[default]\ns3 =\n  aws_secret_access_key = ", "[profile a]\nsource_profile=a\nrole_arn=x\naws_secret_access_key=\"",
	} {
		f.Add(s, "\n", true)
		f.Add(s, "\nrole_arn = 1\n[default]\nsource_profile = default\n", false)
	}
	f.Fuzz(func(t *testing.T, before, after string, credentials bool) {
		// Free text: nothing may panic.
		awsauth.ScanSharedFile(before+after, credentials)
		// A secret where secrets stand, in a file that is otherwise anything.
		text := before + "\n[default]\naws_secret_access_key = " + someSecret + "\n" + after
		for _, kept := range awsauth.ScanSharedFile(text, credentials) {
			if strings.Contains(kept, someSecret) {
				t.Fatalf("the secret shows in %q", kept)
			}
		}
		// A secret on a line of its own, as a broken line leaves it.
		for _, kept := range awsauth.ScanSharedFile("[default]\n"+someSecret+"\n"+after, credentials) {
			if strings.Contains(kept, someSecret) {
				t.Fatalf("the secret shows in %q", kept)
			}
		}
	})
}

// checkText asks that an error can be shown: one line, not endless.
func checkText(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.ContainsAny(text, "\r\n") || len(text) > 2000 {
		t.Fatalf("text of an error: %q", text)
	}
}

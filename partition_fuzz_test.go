package awsauth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// FuzzRoleARN: what is accepted is a role's ARN, prints as it was given, and the
// SDK's own parser agrees on its parts.
func FuzzRoleARN(f *testing.F) {
	for _, s := range []string{lab.ManageRole, lab.ChinaRole, "arn:aws:iam::123456789012:role/a/b/c", "arn:aws:sts::123456789012:assumed-role/a/b", "arn:::::", "arn::sts::\n:assumed-role/", "", "arn:aws:iam::123456789012:role/a\n"} {
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

// checkText asks that an error can be shown: one line, not endless.
func checkText(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.ContainsAny(text, "\r\n") || len(text) > 2000 {
		t.Fatalf("text of an error: %q", text)
	}
}

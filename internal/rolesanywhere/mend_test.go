package rolesanywhere_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth/internal/rolesanywhere"
)

func TestMend(t *testing.T) {
	const denied = "AccessDeniedException"
	for _, tt := range []struct {
		code, message string
		skew          time.Duration
		want          string // a part of it; empty: nothing is known
	}{
		{denied, "Untrusted certificate. Insufficient certificate", 0, "issued as X.509 v3"},
		{denied, "Untrusted Signing Certificate", 0, "a CA of the trust anchor issued"},
		{denied, "Some attributes failed to be mapped into session tags", 0, "do not fit session tags"},
		{denied, "Unable to assume role for arn:aws:iam::222222222222:role/device", 0, "sts:SetSourceIdentity"},
		{denied, "Invalid signature", 0, "a proxy"},
		{denied, "Invalid signature", time.Hour, "which is 1h0m0s behind the service's"},
		{denied, "Signature not yet current", -10 * time.Minute, "which is 10m0s ahead of the service's"},
		{denied, "The profile does not accept a custom role session name", 0, "acceptRoleSessionName"},
		{denied, "Trust anchor is disabled", 3 * time.Minute, "enable"},
		{denied, "words of another year", 0, "check the trust anchor"},
		{"ResourceNotFoundException", "", 0, "must be enabled, in this region"},
		{"ValidationException", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 0, "ask for less"},
		{"InternalServerException", "", 0, ""},
	} {
		e := &rolesanywhere.ServiceError{Status: 403, Code: tt.code, Message: tt.message, Skew: tt.skew}
		got := e.Mend()
		assert.Contains(t, got, tt.want, tt.message)
		assert.Equal(t, tt.want == "", got == "", tt.message)
		assert.Equal(t, tt.skew, e.Skew, "the error is as it was")
	}
}

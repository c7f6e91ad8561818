package redact_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/stretchr/testify/assert"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"access denied":            "access denied",
		"  a\r\n\tb\v\fc  ":        "a b c",
		"a\u0085b\u2028c\u2029d":   "a b c d",
		"a\u00a0b\u3000c":          "a b c",
		"\x1b[31mred\x1b[0m":       "�[31mred�[0m",
		"a\u009b2Kb":               "a�2Kb",
		"a\x9b2Kb":                 "a�2Kb",
		"ding\a\b\x00\x7f":         "ding����",
		"\u202egnp.exe\u202c":      "�gnp.exe�",
		"a\u2066b\u2069\u200fc":    "a�b��c",
		"zero\u200bwidth\ufeff":    "zero�width�",
		"soft\u00adhyphen\u061c":   "soft�hyphen�",
		"tag\U000e0041":            "tag�",
		"filler\u3164\u115f\u034f": "filler���",
		"variation\ufe0f":          "variation�",
		"private\ue000":            "private�",
		"bad \xff\xfe utf-8":       "bad �� utf-8",
		"Zürich 東京 λ é 🙂":          "Zürich 東京 λ é 🙂",
	} {
		assert.Equal(t, want, redact.OneLine(in), "%q", in)
	}
}

func TestOneLineLength(t *testing.T) {
	for n, want := range map[int]int{499: 499, 500: 500, 501: 500, 5_000_000: 500} {
		for _, char := range []string{"x", "é", "東", "\x1b"} {
			got := redact.OneLine(strings.Repeat(char, n))
			assert.Equal(t, want, utf8.RuneCountInString(got), "%d times %q", n, char)
			assert.Equal(t, n > 500, strings.HasSuffix(got, "…"), "%d times %q", n, char)
		}
	}
	words := redact.OneLine(strings.Repeat("word ", 200))
	assert.LessOrEqual(t, utf8.RuneCountInString(words), 500)
	assert.True(t, strings.HasSuffix(words, "word…") || strings.HasSuffix(words, "wor…"), words)
	assert.Empty(t, redact.OneLine(strings.Repeat(" \n", 1_000_000)))
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		strings.Repeat("é", 80):  strings.Repeat("é", 80),
		strings.Repeat("é", 81):  strings.Repeat("é", 80) + "…",
		"123456789013\r":         "123456789013\r",
		strings.Repeat("x", 999): strings.Repeat("x", 80) + "…",
	} {
		assert.Equal(t, want, redact.Clip(in))
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{
		"AKIAIOSFODNN7EXAMPLE": "AKIA…MPLE",
		"ASIA1234567890123456": "ASIA…3456",
		"AKIA_LSIA_3456789":    "AKIA…6789",
		"":                     "…",
		"AKIASHORT":            "…",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "…",
		"akiaiosfodnn7example":                     "…",
		"AKIAIOSFODNN7EXAMPL\n":                    "…",
		strings.Repeat("A", 129):                   "…",
	} {
		assert.Equal(t, want, redact.Key(in), "%q", in)
	}
}

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"Access denied. ": "Access denied",
		"1 validation error detected: Value '123' at 'tokenCode' failed to satisfy constraint: Member must have length 6": "1 validation error detected: Value '…' at 'tokenCode' failed to satisfy constraint: Member must have length 6",
		"Value 'geheim' at 'webIdentityToken' failed":                                                          "Value '…' at 'webIdentityToken' failed",
		"Value 'geheim' at 'WebIdentityToken' failed":                                                          "Value '…' at 'WebIdentityToken' failed",
		"Value 'ge'heim Value 'geheim' at 'tokenCode' failed":                                                  "Value '…' at 'tokenCode' failed",
		"Value 'geheim' at 'tokenCode' failed; Value '5' at 'durationSeconds' failed":                          "Value '…' at 'tokenCode' failed; Value '5' at 'durationSeconds' failed",
		"Value 'geheim' at 'tokenCode' is short; Value 'geheim' at 'tokenCode' is odd":                         "Value '…' at 'tokenCode' is odd",
		"geheim' at 'tokenCode' failed":                                                                        "Value '…' at 'tokenCode' failed",
		"Value '43201' at 'durationSeconds' failed":                                                            "Value '43201' at 'durationSeconds' failed",
		"should have been\n'POST\n/\n\nhost:x\nx-amz-security-token:geheim\n\nhost'":                           "should have been 'POST / host:x x-amz-security-token:… host'",
		"'GET\n/\nX-Amz-Date=1&X-Amz-Security-Token=geheim%2F&X-Amz-SignedHeaders=host\n'":                     "'GET / X-Amz-Date=1&X-Amz-Security-Token=…&X-Amz-SignedHeaders=host '",
		"Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256 geheim, geheim.": "Authorization header requires 'Credential' parameter. Authorization=…",
		"authorization: Bearer geheim\nx-aws-ec2-metadata-token : geheim":                                      "authorization:… x-aws-ec2-metadata-token:…",
	} {
		assert.Equal(t, want, redact.Message(in), "%q", in)
	}
	long := "Value '" + strings.Repeat("geheim", 1000) + "' at 'webIdentityToken' failed"
	assert.Equal(t, "Value '…' at 'webIdentityToken' failed", redact.Message(long), "hidden before it is cut")
}

// TestSecretsOfOthers: private keys and tokens are taken out, also those that were cut off,
// and nothing else.
func TestSecretsOfOthers(t *testing.T) {
	wrapped := strings.Repeat("geheim64", 8)
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJnZWhlaW0ifQ.c2ln"
	for in, want := range map[string]string{
		"a -----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY----- b":                               "a … b",
		`-----BEGIN ENCRYPTED PRIVATE KEY-----\ngeheim\n-----END ENCRYPTED PRIVATE KEY-----, b`:            "…, b",
		"a -----BEGIN EC PRIVATE KEY-----\ngeheim":                                                         "a …",
		"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----":                                      "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
		"-----BEGIN CERTIFICATE-----\nMII\n-----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----": "-----BEGIN CERTIFICATE-----\nMII\n…",
		"-----BEGIN PRIVATE KEY-----geheim-----END PRIVATE KEY----- -----BEGIN PRIVATE KEY-----geheim":     "… …",
		"Bearer " + token + ", and " + token:                                                               "Bearer …, and …",
		`{"token":"` + token[:30] + `"}`:                                                                   `{"token":"…"}`,
		"id=" + token:                                                                                      "id=…",
		"a -----BEGIN PGP PRIVATE KEY BLOCK-----\ngeheim\n-----END PGP PRIVATE KEY BLOCK-----b":            "a …b",
		"a eyJ" + wrapped + "\r\n" + wrapped + "." + wrapped + "\n" + wrapped[1:] + ".c2ln b":              "a … b",
		"a eyJhbGciOiJSUzI1NiJ9\n.b.c":                                                                     "a eyJhbGciOiJSUzI1NiJ9\n.b.c", // too short for a line
		"no host keyJobs.example.com":                                                                      "no host keyJobs.example.com",
		"eyJobs." + token:                                                                                  "eyJobs.…",
		"eyJ":                                                                                              "eyJ", "-----BEGIN ": "-----BEGIN ",
	} {
		got := redact.Secrets(in)
		assert.Equal(t, want, got, "%q", in)
		assert.NotContains(t, got, "geheim")
	}
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"https://sts.us-east-1.amazonaws.com": "https://sts.us-east-1.amazonaws.com",
		"http://localhost:4566/":              "http://localhost:4566/",
		"localhost:4566":                      "localhost:4566",
		"https://me:geheim@host/path":         "https://…@host/path",
		"https://geheim@host/path":            "https://…@host/path",
		"https://me:geheim@host/path?token=geheim":  "https://…@host/path?token=…",
		"https://host/?a=geheim&b=geheim;c=geheim":  "https://host/?a=…&b=…&c=…",
		"https://host/?geheim":                      "https://host/?…",
		"https://host/x#access_token=geheim":        "https://host/x#…",
		"https://me:gehe/im@host":                   "…",
		"https://me:12/geheim@host":                 "…",
		"me:geheim@host":                            "…",
		"https:me:geheim@host":                      "…",
		"//me:geheim@host/x":                        "//…@host/x",
		"http://me:geheim@ho st":                    "…",
		"http://ho st/?token=geheim":                "http://ho st/?…",
		"http://ho st/#geheim":                      "http://ho st/#…",
		"http://host/\x1b[2J":                       "http://host/�[2J",
		"https://host:port/x":                       "https://host:port/x",
		"https://federation/?Session=%7Bgeheim%7D&": "https://federation/?Session=…",
	} {
		got := redact.URL(in)
		assert.Equal(t, want, got, "%q", in)
		assert.NotContains(t, got, "geheim")
	}
}

func TestConfigSources(t *testing.T) {
	keys := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "geheim", SessionToken: "geheim"}
	in := []any{
		config.LoadOptions{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(nil)},
		config.EnvConfig{Region: "us-east-2", Credentials: keys, ContainerAuthorizationToken: "geheim", ContainerCredentialsRelativePath: "/geheim", ContainerCredentialsEndpoint: "http://geheim"},
		config.SharedConfig{Region: "us-west-1", Credentials: keys, CredentialProcess: "get --pw geheim", ExternalID: "geheim", Source: &config.SharedConfig{Credentials: keys}},
		"another",
	}
	clean := redact.ConfigSources(in)
	text := fmt.Sprintf("%+v %#v", clean, clean)
	assert.NotContains(t, text, "geheim")
	for _, kept := range []string{"us-east-1", "us-east-2", "us-west-1", "another"} {
		assert.Contains(t, text, kept)
	}
	assert.Nil(t, clean[0].(config.LoadOptions).Credentials)
	assert.Nil(t, clean[2].(config.SharedConfig).Source)
	assert.Equal(t, "geheim", in[1].(config.EnvConfig).Credentials.SecretAccessKey, "the sources themselves stay")
}

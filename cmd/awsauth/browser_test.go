package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCheckPage: only what a person can tell to be a page of AWS is opened.
func TestCheckPage(t *testing.T) {
	for address, says := range map[string]string{
		"https://device.sso.us-east-1.amazonaws.com/?user_code=A": "",
		"http://127.0.0.1:8080/x":                                 "",
		"http://[::1]:8080/x":                                     "",
		"http://127.0.0.1:80@evil.example.com/":                   "user name",
		"https://device.sso.us-east-1.amazonaws.com@evil.example": "user name",
		"https://user:word@evil.example.com/":                     "user name",
		"http://127.0.0.1.evil.example.com/":                      "not https",
		"http://localhost.evil.example.com/":                      "not https",
		"http://example.com/":                                     "not https",
		"javascript:alert(1)":                                     "no host",
		"file:///etc/passwd":                                      "no host",
		"file://host/etc/passwd":                                  "not https",
		"https:///x":                                              "no host",
		"--version":                                               "no host",
		"https://a\x00b/":                                         "cannot be read",
		"":                                                        "no host",
	} {
		err := checkPage(address)
		if says == "" {
			assert.NoError(t, err, address)
			continue
		}
		require.ErrorContains(t, err, says, address)
		assert.NotContains(t, err.Error(), "evil")
	}
}

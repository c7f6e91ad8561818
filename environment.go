package awsauth

import (
	"fmt"
	"net"
	"net/url"
	"os"
)

// checkEndpointVariables asks that the variables which lead STS elsewhere hold
// URLs.
func checkEndpointVariables() error {
	for _, name := range []string{"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"} {
		value := os.Getenv(name)
		if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return invalid(fmt.Sprintf("%s %q", name, clip(redactURL(value))), "not a URL").mend("write it like http://127.0.0.1:5000, or unset it")
		}
	}
	return nil
}

// checkContainer refuses a credentials endpoint over plain http whose name the
// SDK would have to look up first, and then refuse all the same.
func checkContainer(endpoint string) error {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err == nil && (u.Scheme != "http" || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil) {
		return nil
	}
	return invalid("AWS_CONTAINER_CREDENTIALS_FULL_URI", "plain http to a host that is not an address of this machine or of the container service").
		mend("use https, or http on 127.0.0.1, 169.254.170.2 or 169.254.170.23")
}

// checkEnvironment refuses half a key pair, always: the SDK would say nothing
// and go on to somebody else's keys.
func checkEnvironment(chain bool) error {
	id, idVar := firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	secret, secretVar := firstEnv("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
	switch {
	case id != "" && secret == "":
		return invalid("", "%s is set but AWS_SECRET_ACCESS_KEY is not", idVar).
			mend("set both, or unset %s to let the next source be used", idVar)
	case id == "" && secret != "":
		return invalid("", "%s is set but AWS_ACCESS_KEY_ID is not", secretVar).
			mend("set both, or unset %s to let the next source be used", secretVar)
	case chain && id == "" && os.Getenv("AWS_SESSION_TOKEN") != "":
		return invalid("", "AWS_SESSION_TOKEN is set but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not").
			mend("set all three, or unset AWS_SESSION_TOKEN to let the next source be used")
	}
	return nil
}

// firstEnv is the first of the variables that is set, and its name.
func firstEnv(names ...string) (value, name string) {
	for _, name := range names {
		if v := os.Getenv(name); v != "" {
			return v, name
		}
	}
	return "", names[0]
}

// checkWebIdentity holds AWS_ROLE_ARN against the rules.
func checkWebIdentity(arn string) error {
	if arn == "" {
		return invalid("", "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not").
			mend("set both, or unset AWS_WEB_IDENTITY_TOKEN_FILE to let the next source be used")
	}
	if _, err := parseRoleARN(arn); err != nil {
		return invalid(fmt.Sprintf("AWS_ROLE_ARN %q", clip(arn)), "%v", err)
	}
	return nil
}

package awsauth_test

import "testing"

// TestBadEndpointsOfSignIn: the address of SSO, of its token service and of sign-in
// is held to the rule of STS's, where it is asked: a bearer token goes there.
func TestBadEndpointsOfSignIn(t *testing.T) {
	login := "[profile ops]\nlogin_session = me\n"
	var tests []identityCase
	for _, bad := range []string{"localhost:4566", "http://sso.example.com", "ftp://localhost", "https://"} {
		for variable, config := range map[string]string{"AWS_ENDPOINT_URL_SSO": ssoProfile, "AWS_ENDPOINT_URL_SSO_OIDC": ssoProfile, "AWS_ENDPOINT_URL_SIGNIN": login} {
			tests = append(tests,
				identityCase{name: bad + " " + variable, env: []string{variable + "=" + bad}, config: config, opts: profileOf("ops"), text: []string{variable, "http"}},
				identityCase{name: bad + " " + variable + ", of a source", env: []string{variable + "=" + bad}, config: config + "[profile a]\nrole_arn = $BASE\nsource_profile = ops\n", opts: profileOf("a"), text: []string{variable, "http"}},
				identityCase{name: bad + " " + variable + ", keys decide", env: append([]string{variable + "=" + bad}, environmentUser...), config: config, who: "user/ci"})
		}
		tests = append(tests, identityCase{name: bad + " in services", config: "[profile ops]\nservices = s\nlogin_session = me\n[services s]\nsignin =\n  endpoint_url = " + bad + "\n", opts: profileOf("ops"),
			text: []string{"/config:", "http"}})
	}
	for i := range tests {
		tests[i].setup = func(c *cast) { c.SSOLogin("corp") }
	}
	runIdentity(t, asWritten, tests)
}

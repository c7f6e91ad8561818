package awsauth_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// asksStranger is a session of a service whose place a stranger takes.
func asksStranger(t *testing.T, service string, answer func(*lab.Stranger, http.ResponseWriter, *http.Request)) error {
	t.Helper()
	w := lab.New(t, awsauth.AWS)
	s := lab.NewStranger(t, answer)
	for _, known := range lab.StrangeServices() {
		if known.Name != service {
			continue
		}
		session := lab.MustOpen(t, known.Use(w, s.URL)...)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		_, err := session.Retrieve(ctx)
		require.Error(t, err)
		lab.ErrorIsCalm(t, err)
		return err
	}
	t.Fatalf("there is no service %q", service)
	return nil
}

// TestContainerAgentsWords: what the agent says reaches the caller.
func TestContainerAgentsWords(t *testing.T) {
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		also       awsauth.Kind
		parts      []string
	}{
		"EKS, JSON": {400, "application/json", `{"code": "AccessDeniedException", "message": "Unauthorized Exception! EKS does not have permissions to assume the associated role."}`,
			awsauth.AccessDenied, []string{"EKS does not have permissions to assume the associated role", "AccessDeniedException"}},
		"EKS, text": {400, "text/plain; charset=utf-8", "[fake-request-id]: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role.",
			"", []string{"EKS does not have permissions to assume the associated role"}},
		"not found": {404, "application/json", `{"code": "ResourceNotFoundException", "message": "no association of this pod"}`, "", []string{"no association of this pod"}},
		"throttled": {429, "application/json", `{"code": "ThrottlingException", "message": "slow down, please"}`, awsauth.Throttled, []string{"slow down, please"}},
		"failing":   {500, "application/json", `{"code": "InternalServerException", "message": "the agent fell over"}`, awsauth.Unreachable, []string{"the agent fell over"}},
		"403":       {403, "application/json", `{"code": "InvalidTokenException", "message": "the token is stale"}`, awsauth.AccessDenied, []string{"the token is stale", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := asksStranger(t, "container", lab.Says(tt.status, tt.kind, tt.body))
			lab.RequireBad(t, err, awsauth.NoCredentials, tt.parts...)
			if tt.also != "" {
				assert.ErrorIs(t, err, tt.also)
			}
		})
	}
}

// TestContainerTokenFileNamed: the file's name, for each way in which it is of no use.
func TestContainerTokenFileNamed(t *testing.T) {
	for name, file := range map[string]string{"missing": "no-such-token", "empty": "empty-token", "a directory": "."} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Write("empty-token", "")
			w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$DIR/"+file)
			s, err := w.Try()
			if err == nil {
				_, err = s.Retrieve(t.Context())
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), w.Dir)
			assert.Contains(t, err.Error(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
			assert.Empty(t, w.Said())
		})
	}
}

// TestProcessFieldNamed: the error names the field that is wrong, and shows nothing of
// what was written.
func TestProcessFieldNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		part string
	}{
		"+0000":           {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": "2030-01-02T03:04:05+0000"}`, "Expiration"},
		"empty":           {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": ""}`, "Expiration"},
		"no zone":         {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": "2030-01-02T03:04:05"}`, "Expiration"},
		"UTC":             {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": "2030-01-02 03:04:05 UTC"}`, "Expiration"},
		"a number":        {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": 1893553445}`, "Expiration"},
		"Version, text":   {`{"Version": "1", "AccessKeyId": "A", "SecretAccessKey": "the-secret"}`, "Version"},
		"key, number":     {`{"Version": 1, "AccessKeyId": 5, "SecretAccessKey": "the-secret"}`, "AccessKeyId"},
		"account, number": {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "AccountId": 123456789012}`, "AccountId"},
		"Version 2":       {`{"Version": 2, "AccessKeyId": "A", "SecretAccessKey": "the-secret"}`, "Version"},
		"no key":          {`{"Version": 1, "SecretAccessKey": "the-secret"}`, "AccessKeyId"},
		"no secret":       {`{"Version": 1, "AccessKeyId": "A", "SessionToken": "the-secret"}`, "SecretAccessKey"},
		"two documents":   {`{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret"} the-secret`, "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Write("p", tt.text)
			w.Files("[default]\ncredential_process = cat $DIR/p\n", "")
			_, err := w.Open().Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.NoCredentials, tt.part, "credential_process")
			assert.NotContains(t, err.Error(), "the-secret")
			if tt.part != "JSON" {
				assert.NotContains(t, err.Error(), "not JSON")
			}
		})
	}
}

// TestContainerFieldNamed: the error names the field that is wrong in an answer of the
// container's, and shows nothing of it.
func TestContainerFieldNamed(t *testing.T) {
	const keys = `{"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "the-secret", "Token": "the-secret", `
	for body, says := range map[string]string{
		keys + `"Expiration": "2030-01-02T03:04:05+0000"}`:      "an Expiration that is not a time",
		keys + `"Expiration": ""}`:                              "an Expiration that is not a time",
		keys + `"Expiration": 1893553445}`:                      "an Expiration that is not a time",
		keys + `"AccountId": 111111111111}`:                     "the wrong type of AccountId",
		`{"AccessKeyId": 123, "SecretAccessKey": "the-secret"}`: "the wrong type of AccessKeyId",
		`{"AccessKeyId": "the-secret", "Token": ["s"]}`:         "the wrong type of Token",
		`["the-secret"]`:                                        "JSON that is not an object",
		`"the-secret"`:                                          "JSON that is not an object",
		`null`:                                                  "JSON that is not an object",
		" \r\n\tnull the-secret":                                "JSON that is not an object",
	} {
		t.Run(body, func(t *testing.T) {
			err := asksStranger(t, "container", lab.Says(http.StatusOK, "application/json", body))
			lab.RequireBad(t, err, awsauth.NoCredentials)
			require.EqualError(t, err, "awsauth: container: the container's credentials endpoint answered with "+says+
				"; check AWS_CONTAINER_CREDENTIALS_FULL_URI and what answers there")
		})
	}
}

// TestContainerErrorOfNull: an error that is null has a status at least.
func TestContainerErrorOfNull(t *testing.T) {
	for status, also := range map[int]awsauth.Kind{http.StatusBadRequest: "", http.StatusForbidden: awsauth.AccessDenied, http.StatusInternalServerError: awsauth.Unreachable} {
		err := asksStranger(t, "container", lab.Says(status, "application/json", "null"))
		if lab.RequireBad(t, err, awsauth.NoCredentials, "HTTP "+strconv.Itoa(status)); also != "" {
			assert.ErrorIs(t, err, also)
		}
	}
	err := asksStranger(t, "container", lab.Says(http.StatusBadRequest, "text/plain", "nullified by the agent"))
	lab.RequireBad(t, err, awsauth.NoCredentials, "nullified by the agent")
}

// TestSSOAnswerWithoutKeys: what has no keys in it is no answer of SSO.
func TestSSOAnswerWithoutKeys(t *testing.T) {
	for _, body := range []string{"", "{}", "null", `{"roleCredentials": null}`, `{"roleCredentials": {}}`} {
		t.Run(body, func(t *testing.T) {
			err := asksStranger(t, "SSO", lab.Says(http.StatusOK, "application/json", body))
			if body == `{"roleCredentials": {}}` {
				lab.RequireBad(t, err, awsauth.NoCredentials, "the credentials it returned have no keys")
				return
			}
			lab.RequireBad(t, err, awsauth.Unreachable, `profile "default": what the SSO endpoint answered is not an answer of SSO (HTTP 200); check `)
			assert.NotErrorIs(t, err, awsauth.Expired)
		})
	}
}

// TestStrangeLoginServices: where something else answers, the hint is not STS's option,
// which these services have no part in.
func TestStrangeLoginServices(t *testing.T) {
	for _, service := range []string{"SSO", "SSO token", "sign-in"} {
		for name, answer := range map[string]func(*lab.Stranger, http.ResponseWriter, *http.Request){
			"a page":      lab.Says(http.StatusOK, "text/html", "<html>sign in to the network</html>"),
			"a page, 404": lab.Says(http.StatusNotFound, "text/html", "<html>no such page</html>"),
			"elsewhere": func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
				http.Redirect(rw, r, "https://portal.example/", http.StatusFound)
			},
		} {
			t.Run(service+"/"+name, func(t *testing.T) {
				err := asksStranger(t, service, answer)
				lab.RequireBad(t, err, awsauth.Unreachable, "; check AWS_ENDPOINT_URL and the proxy variables")
			})
		}
	}
}

// TestMetadataSwitchedOff: a 403 to the token request means that, and not silence.
func TestMetadataSwitchedOff(t *testing.T) {
	for name, answer := range map[string]func(*lab.Stranger, http.ResponseWriter, *http.Request){
		"all 403":   lab.Says(403, "text/html", "<html>403</html>"),
		"empty 403": lab.Says(403, "", ""),
		"role 403": func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				rw.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
				lab.Says(200, "", "the-metadata-token")(nil, rw, r)
				return
			}
			lab.Says(403, "", "")(nil, rw, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := asksStranger(t, "metadata", answer)
			lab.RequireBad(t, err, awsauth.NoCredentials, "switched off")
			assert.NotContains(t, err.Error(), "did not answer")
		})
	}
}

// TestMetadataAnswers: what has neither keys nor a refusal in it is no answer of the
// instance metadata.
func TestMetadataAnswers(t *testing.T) {
	const none = "is not an answer of the instance metadata"
	for name, tt := range map[string]struct{ roles, keys, says string }{
		"empty":     {"role", "", none},
		"null":      {"role", "null", none},
		"object":    {"role", "{}", none},
		"array":     {"role", "[]", none},
		"no Code":   {"role", `{"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "the-secret", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}`, none},
		"no Code 2": {"role", `{"Message": "the-secret"}`, none},
		"refused":   {"role", `{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role."}`, "refuses: EC2 cannot assume the role (AssumeRoleUnauthorizedAccess)"},
		"no role":   {"", "", "knows no role of this instance"},
	} {
		t.Run(name, func(t *testing.T) {
			err := asksStranger(t, "metadata", func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
				body := tt.keys
				switch {
				case strings.HasSuffix(r.URL.Path, "/token"):
					rw.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
					body = "the-metadata-token"
				case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
					body = tt.roles
				}
				lab.Says(http.StatusOK, "", body)(nil, rw, r)
			})
			lab.RequireBad(t, err, awsauth.NoCredentials, tt.says)
			assert.NotContains(t, err.Error(), "IMDS role")
			assert.NotContains(t, err.Error(), "the-secret")
		})
	}
}

// TestSignInKinds: what the sign-in service refuses has the Kind of what it says.
func TestSignInKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   awsauth.Kind
		part   string
		login  bool
	}{
		"429":                      {429, `{"error": "TOO_MANY_REQUESTS", "message": "slow"}`, awsauth.Throttled, "throttled", false},
		"500":                      {500, `{"error": "SERVER_ERROR", "message": "oops"}`, awsauth.Unreachable, "HTTP 500", false},
		"503":                      {503, `{}`, awsauth.Unreachable, "HTTP 503", false},
		"INSUFFICIENT_PERMISSIONS": {403, `{"error": "INSUFFICIENT_PERMISSIONS", "message": "no"}`, awsauth.AccessDenied, "signin:CreateOAuth2Token", true},
		"TOKEN_EXPIRED":            {403, `{"error": "TOKEN_EXPIRED", "message": "over"}`, awsauth.Expired, "login session", true},
		"USER_CREDENTIALS_CHANGED": {403, `{"error": "USER_CREDENTIALS_CHANGED", "message": "changed"}`, awsauth.Expired, "login session", true},
	} {
		t.Run(name, func(t *testing.T) {
			err := asksStranger(t, "sign-in", func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("X-Amzn-ErrorType", map[int]string{429: "TooManyRequestsError", 500: "InternalServerException", 503: "InternalServerException", 403: "AccessDeniedException"}[tt.status])
				lab.Says(tt.status, "application/json", tt.body)(nil, rw, r)
			})
			lab.RequireBad(t, err, tt.kind, tt.part)
			assert.Equal(t, tt.login, strings.Contains(err.Error(), "aws login --profile default"), err.Error())
			if tt.kind != awsauth.NoCredentials {
				assert.NotErrorIs(t, err, awsauth.NoCredentials)
			}
		})
	}
}

// TestDidYouMean never offers the profile that asks, and names a capital.
func TestDidYouMean(t *testing.T) {
	for name, tt := range map[string]struct {
		config, profile string
		with            []string
		without         []string
	}{
		"not itself":     {"[profile A]\nrole_arn = $BASE\nsource_profile = B\n", "A", []string{`"B"`}, []string{`did you mean "A"`}},
		"not itself, ab": {"[profile opsa]\nrole_arn = $BASE\nsource_profile = opsb\n", "opsa", []string{`"opsb"`}, []string{`did you mean "opsa"`}},
		"not on the way": {"[profile a1]\nrole_arn = $BASE\nsource_profile = a2\n[profile a2]\nrole_arn = $BASE\nsource_profile = a3\n", "a1", []string{`"a3"`}, []string{`did you mean "a2"`}},
		"another":        {"[profile opsa]\nrole_arn = $BASE\nsource_profile = kez\n[profile key]\n" + lab.KeyLines, "opsa", []string{`did you mean "key"`}, nil},
		"[Profile foo]":  {"[Profile foo]\n" + lab.KeyLines, "foo", []string{"Profile", "profile", "config:1"}, nil},
		"[PROFILE foo]":  {"[PROFILE foo]\n" + lab.KeyLines, "foo", []string{"PROFILE", "config:1"}, nil},
		"case":           {"[profile Foo]\n" + lab.KeyLines, "foo", []string{`did you mean "Foo"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.Files(tt.config, "")
			_, err := w.Try(awsauth.WithProfile(tt.profile))
			lab.RequireBad(t, err, awsauth.ProfileNotFound, tt.with...)
			for _, part := range tt.without {
				assert.NotContains(t, err.Error(), part)
			}
		})
	}
}

// TestContainerPathStaysThere: the relative URI is a path of the container's own
// address, whatever it begins with.
func TestContainerPathStaysThere(t *testing.T) {
	for _, path := range []string{"@127.0.0.1:7863/x", "x", ":80/x", ".evil.example/x", "//evil.example/x", `/\evil`, "http://evil/x", "?x", "#x", " /x", "\\x"} {
		w := lab.New(t, awsauth.AWS)
		w.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="+path, "AWS_CONTAINER_AUTHORIZATION_TOKEN=the-token")
		_, err := w.Try()
		lab.RequireBad(t, err, awsauth.InvalidOption, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/")
		assert.Empty(t, w.Said())
	}
}

// TestLocalServicesAskedWithoutProxy: a proxy could answer with its own keys.
func TestLocalServicesAskedWithoutProxy(t *testing.T) {
	for name, setUp := range map[string]func(w *lab.Place){
		"container, relative": func(w *lab.Place) { w.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x") },
		"container, EKS":      func(w *lab.Place) { w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials") },
		"container, IPv6":     func(w *lab.Place) { w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[fd00:ec2::23]/v1/credentials") },
		"container, ECS":      func(w *lab.Place) { w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2/x") },
		"metadata":            func(w *lab.Place) { w.Env("AWS_EC2_METADATA_DISABLED=false") },
		"metadata, IPv6": func(w *lab.Place) {
			w.Env("AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6")
		},
	} {
		for _, variable := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
			t.Run(name+"/"+variable, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				proxy := lab.NewStranger(t, lab.Says(200, "application/json", `{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z", "Code": "Success"}`))
				w.Env(variable+"="+proxy.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN=the-token", "AWS_REGION=us-east-1")
				setUp(w)
				s := lab.MustOpen(t)
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				_, err := s.Retrieve(ctx)
				require.Error(t, err)
				assert.Zero(t, proxy.Asked.Load(), "the proxy was asked")
			})
		}
	}
}

// TestErrorWithoutWords: an error without a text is no line that ends in a colon.
func TestErrorWithoutWords(t *testing.T) {
	for _, silent := range []error{errors.New(""), errors.New(" \n")} {
		w := lab.New(t, awsauth.AWS)
		provider := awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, silent }))
		code := awsauth.WithMFA(lab.MFASerial, func(context.Context) (string, error) { return "", silent })
		token := awsauth.WithWebIdentity(w.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return nil, silent }))
		for want, err := range map[string]error{
			"awsauth: provider: it failed without saying why":                                                                        w.Fetch(provider),
			"awsauth: start MFA session: there is no MFA code for " + lab.MFASerial + ": it failed without saying why":               w.Fetch(w.Static(), code),
			"awsauth: web identity: there is no token: it failed without saying why; check where WithWebIdentity has its token from": w.Fetch(token),
			"123456789012: it failed without saying why":                                                                             &awsauth.AccountError{Account: "123456789012", Err: silent},
			"awsauth: it failed without saying why":                                                                                  &awsauth.Error{Err: silent},
			"awsauth: expired":                                                                                                       &awsauth.Error{Err: silent, Kind: awsauth.Expired},
		} {
			assert.EqualError(t, err, want)
		}
	}
}

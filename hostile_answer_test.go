package awsauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// TestAnswerForAnotherRole is not believed: it names another account, role or
// partition than was asked for, or has a form that no ARN of AWS's has.
func TestAnswerForAnotherRole(t *testing.T) {
	tests := map[string]struct {
		arn     string
		refused bool
	}{
		"right":                    {"arn:aws:sts::123456789012:assumed-role/ops/x@y", false},
		"other session name":       {"arn:aws:sts::123456789012:assumed-role/ops/somebody", false},
		"absent":                   {"", false},
		"foreign form":             {"minio:user:ops", false},
		"account":                  {"arn:aws:sts::999999999999:assumed-role/ops/x@y", true},
		"role":                     {"arn:aws:sts::123456789012:assumed-role/admin/x@y", true},
		"partition":                {"arn:aws-cn:sts::123456789012:assumed-role/ops/x@y", true},
		"with the path":            {"arn:aws:sts::123456789012:assumed-role/team/ops/x@y", true},
		"capital":                  {"arn:aws:sts::123456789012:assumed-role/Ops/x@y", true},
		"no session":               {"arn:aws:sts::123456789012:assumed-role/ops", true},
		"newline":                  {"arn:aws:sts::123456789012:assumed-role/ops/x&#10;root", true},
		"escape":                   {"arn:aws:sts::123456789012:assumed-role/ops/x\u009b2J", true},
		"bidi":                     {"arn:aws:sts::123456789012:assumed-role/ops/x\u202ey", true},
		"account with a newline":   {"arn:aws:sts::123456789012&#10;:assumed-role/ops/x", true},
		"short account":            {"arn:aws:sts::12345678901:assumed-role/ops/x", true},
		"newline behind":           {"arn:aws:sts::123456789012:assumed-role/ops/x&#10;", true},
		"other form, newline":      {"arn:aws:iam::123456789012:role/ops&#10;x", true},
		"other form, account":      {"arn:aws:iam::999999999999:role/ops", false},
		"other form, right":        {"arn:aws:iam::123456789012:role/team/ops", false},
		"not an ARN, with escapes": {"minio\u009b2J", true},
	}
	for name, tt := range tests {
		for _, action := range []string{"AssumeRole", "AssumeRoleWithWebIdentity"} {
			t.Run(name+"/"+action, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				s := newStranger(t, says(200, "text/xml", assumedAnswer(action, tt.arn, "AROAX:x", "ASIAIOSFODNN7EXAMPLE")))
				log := newNotebook()
				opts := []awsauth.Option{w.static(), awsauth.WithRoleARN("arn:aws:iam::123456789012:role/team/ops")}
				if action != "AssumeRole" {
					w.webToken()
					w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/team/ops")
					opts = nil
				}
				session := mustOpen(t, append(opts, awsauth.WithSTSEndpoint(s.url), awsauth.WithRegion("us-east-1"), log.option())...)
				c, err := session.Retrieve(t.Context())
				allIsCalm(t, session, log, err)
				if tt.refused {
					requireBad(t, err, awsauth.Unreachable, strings.TrimPrefix(s.url, "http://"))
					assert.LessOrEqual(t, s.asked.Load(), int64(2), "another try brings the same")
					assert.Empty(t, c.AccessKeyID)
					return
				}
				require.NoError(t, err)
				nothingMoves(t, "the account", c.AccountID, false)
				assert.Contains(t, []string{"", target}, c.AccountID, "no account but the role's")
			})
		}
	}
}

// TestStrangeIdentity: what GetCallerIdentity answers is held against what is known.
func TestStrangeIdentity(t *testing.T) {
	answer := func(arn, id, account string) string {
		return "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" + arn + "</Arn><UserId>" + id + "</UserId><Account>" + account +
			"</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
	}
	for name, tt := range map[string]struct {
		arn, id, account string
		refused          bool
	}{
		"right":             {"arn:aws:iam::111111111111:user/ci", "AIDAX", "111111111111", false},
		"another STS":       {"arn:minio:iam:::user/ci", "ci", "", false},
		"escape in the ARN": {"arn:aws:iam::111111111111:user/ci\u009b2J", "AIDAX", "111111111111", true},
		"newline":           {"arn:aws:iam::111111111111:user/ci&#10;root", "AIDAX", "111111111111", true},
		"bidi":              {"arn:aws:iam::111111111111:user/\u202eci", "AIDAX", "111111111111", true},
		"account, letters":  {"arn:aws:iam::111111111111:user/ci", "AIDAX", "11111111111x", true},
		"account, short":    {"arn:aws:iam::111111111111:user/ci", "AIDAX", "11111111111", true},
		"account, newline":  {"arn:aws:iam::111111111111:user/ci", "AIDAX", "111111111111&#10;", true},
		"account in ARN":    {"arn:aws:iam::1111&#10;1:user/ci", "AIDAX", "", true},
		"two accounts":      {"arn:aws:iam::999999999999:user/ci", "AIDAX", "111111111111", true},
		"hostile user id":   {"arn:aws:iam::111111111111:user/ci", "AIDA\u009b2J\u202e&#10;x", "111111111111", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			s := newStranger(t, says(200, "text/xml", answer(tt.arn, tt.id, tt.account)))
			session := mustOpen(t, w.static(), awsauth.WithSTSEndpoint(s.url), awsauth.WithPartition(awsauth.AWS))
			id, err := session.Identity(t.Context())
			errorIsCalm(t, err)
			nothingMoves(t, "an identity", id.ARN+id.Account+id.UserID+string(id.Partition), false)
			if tt.refused {
				require.Error(t, err, "%+v", id)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.arn, id.ARN)
		})
	}
}

// TestIdentityOfARoleWithoutARN: an STS that does not say who was assumed is asked;
// what it answers must not be another role of AWS's.
func TestIdentityOfARoleWithoutARN(t *testing.T) {
	for arn, good := range map[string]bool{
		"arn:aws:sts::123456789012:assumed-role/manage-role/xy": true, "minio:manage-role": true,
		"arn:aws:sts::999999999999:assumed-role/manage-role/xy": false, "arn:aws:sts::123456789012:assumed-role/admin/xy": false,
	} {
		t.Run(arn, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			s := newStranger(t, func(_ *stranger, rw http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.Header.Get("Authorization"), w.keys.AccessKeyID) {
					says(200, "text/xml", assumedAnswer("AssumeRole", "", "", "ASIAIOSFODNN7EXAMPLE"))(nil, rw, r)
					return
				}
				says(200, "text/xml", "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>"+arn+"</Arn><UserId>x</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>")(nil, rw, r)
			})
			session := mustOpen(t, w.static(), awsauth.WithSTSEndpoint(s.url), awsauth.WithAccount(target))
			id, err := session.Identity(t.Context())
			if good {
				require.NoError(t, err)
				assert.Equal(t, arn, id.ARN)
				return
			}
			require.Error(t, err, "%+v", id)
			errorIsCalm(t, err)
		})
	}
}

// TestNotAnAnswerOfAWS: a proxy, a captive portal, an empty server answers in the
// service's place.
func TestNotAnAnswerOfAWS(t *testing.T) {
	const page = "<html><head><title>Sign in to WiFi \x1b[2J</title></head><body>the-secret-of-the-page</body></html>"
	answers := map[string]func(*stranger, http.ResponseWriter, *http.Request){
		"502 HTML":         says(502, "text/html", page),
		"403 HTML":         says(403, "text/html", page),
		"200 HTML":         says(200, "text/html", page),
		"401 HTML":         says(401, "text/html", page),
		"404 text":         says(404, "text/plain", "404 page not found"),
		"511":              says(511, "text/html", page),
		"200 nothing":      says(200, "", ""),
		"200 XML, nothing": says(200, "text/xml", "<a/>"),
		"200 JSON":         says(200, "application/json", `{"message": "hello"}`),
		"403 JSON":         says(403, "application/json", `{"message": "Forbidden"}`),
		"400 nothing":      says(400, "", ""),
		"400 HTML":         says(400, "text/html", page),
		"429 HTML":         says(429, "text/html", page),
		"204":              says(204, "", ""),
		"307": func(_ *stranger, rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://portal.example.invalid/login?x=the-secret-of-the-page", http.StatusTemporaryRedirect)
		},
		"302 without Location": says(302, "", ""),
	}
	for _, service := range strangeServices() {
		for name, answer := range answers {
			t.Run(service.name+"/"+name, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				w.env("AWS_MAX_ATTEMPTS=2") // what comes again is no other
				s := newStranger(t, answer)
				log := newNotebook()
				session := mustOpen(t, append(service.use(w, s.url), log.option())...)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				_, err := session.Retrieve(ctx)
				require.Error(t, err)
				allIsCalm(t, session, log, err)
				assert.NotContains(t, err.Error(), "the-secret-of-the-page")
				assert.NotContains(t, err.Error(), "operation error", "the SDK's own text")
				assert.NotContains(t, log.String(), "the-secret-of-the-page")
				e := new(awsauth.Error)
				require.ErrorAs(t, err, &e)
				if strings.HasPrefix(service.name, "STS") {
					requireBad(t, err, awsauth.Unreachable, strings.TrimPrefix(s.url, "http://"))
				} else {
					assert.NotEmpty(t, e.Kind, err)
					assert.NotErrorIs(t, err, awsauth.InvalidOption)
				}
			})
		}
	}
}

// TestRedirectsAreNotFollowed: no token, secret or signature leaves for another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, service := range strangeServices() {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(service.name+"/"+http.StatusText(status), func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				thief := newStranger(t, says(200, "text/plain", "thanks"))
				s := newStranger(t, func(_ *stranger, rw http.ResponseWriter, r *http.Request) {
					rw.Header().Set("Location", strings.Replace(thief.url, "127.0.0.1", "localhost", 1)+r.URL.Path)
					rw.WriteHeader(status)
				})
				session := mustOpen(t, service.use(w, s.url)...)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				_, err := session.Retrieve(ctx)
				require.Error(t, err)
				require.NotZero(t, s.asked.Load())
				assert.Zero(t, thief.asked.Load())
				errorIsCalm(t, err)
			})
		}
	}
}

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
	"github.com/chaoxiaodi/awsauth/internal/lab"
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
				w := lab.New(t, awsauth.AWS)
				s := lab.NewStranger(t, lab.Says(200, "text/xml", lab.AssumedAnswer(action, tt.arn, "AROAX:x", "ASIAIOSFODNN7EXAMPLE")))
				log := new(lab.Records)
				opts := []awsauth.Option{w.Static(), awsauth.WithRoleARN("arn:aws:iam::123456789012:role/team/ops")}
				if action != "AssumeRole" {
					w.WebToken()
					w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/team/ops")
					opts = nil
				}
				session := lab.MustOpen(t, append(opts, awsauth.WithSTSEndpoint(s.URL), awsauth.WithRegion("us-east-1"), log.Option())...)
				c, err := session.Retrieve(t.Context())
				lab.AllIsCalm(t, session, log, err)
				if tt.refused {
					lab.RequireBad(t, err, awsauth.Unreachable, strings.TrimPrefix(s.URL, "http://"))
					assert.LessOrEqual(t, s.Asked.Load(), int64(2), "another try brings the same")
					assert.Empty(t, c.AccessKeyID)
					return
				}
				require.NoError(t, err)
				lab.NothingMoves(t, "the account", c.AccountID, false)
				assert.Contains(t, []string{"", lab.Target}, c.AccountID, "no account but the role's")
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
			w := lab.New(t, awsauth.AWS)
			s := lab.NewStranger(t, lab.Says(200, "text/xml", answer(tt.arn, tt.id, tt.account)))
			session := lab.MustOpen(t, w.Static(), awsauth.WithSTSEndpoint(s.URL), awsauth.WithPartition(awsauth.AWS))
			id, err := session.Identity(t.Context())
			lab.ErrorIsCalm(t, err)
			lab.NothingMoves(t, "an identity", id.ARN+id.Account+id.UserID+string(id.Partition), false)
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
			w := lab.New(t, awsauth.AWS)
			s := lab.NewStranger(t, func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.Header.Get("Authorization"), w.Keys.AccessKeyID) {
					lab.Says(200, "text/xml", lab.AssumedAnswer("AssumeRole", "", "", "ASIAIOSFODNN7EXAMPLE"))(nil, rw, r)
					return
				}
				lab.Says(200, "text/xml", "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>"+arn+"</Arn><UserId>x</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>")(nil, rw, r)
			})
			session := lab.MustOpen(t, w.Static(), awsauth.WithSTSEndpoint(s.URL), awsauth.WithAccount(lab.Target))
			id, err := session.Identity(t.Context())
			if good {
				require.NoError(t, err)
				assert.Equal(t, arn, id.ARN)
				return
			}
			require.Error(t, err, "%+v", id)
			lab.ErrorIsCalm(t, err)
		})
	}
}

// TestNotAnAnswerOfAWS: a proxy, a captive portal, an empty server answers in the
// service's place.
func TestNotAnAnswerOfAWS(t *testing.T) {
	const page = "<html><head><title>Sign in to WiFi \x1b[2J</title></head><body>the-secret-of-the-page</body></html>"
	answers := map[string]func(*lab.Stranger, http.ResponseWriter, *http.Request){
		"502 HTML":         lab.Says(502, "text/html", page),
		"403 HTML":         lab.Says(403, "text/html", page),
		"200 HTML":         lab.Says(200, "text/html", page),
		"401 HTML":         lab.Says(401, "text/html", page),
		"404 text":         lab.Says(404, "text/plain", "404 page not found"),
		"511":              lab.Says(511, "text/html", page),
		"200 nothing":      lab.Says(200, "", ""),
		"200 XML, nothing": lab.Says(200, "text/xml", "<a/>"),
		"200 JSON":         lab.Says(200, "application/json", `{"message": "hello"}`),
		"403 JSON":         lab.Says(403, "application/json", `{"message": "Forbidden"}`),
		"400 nothing":      lab.Says(400, "", ""),
		"400 HTML":         lab.Says(400, "text/html", page),
		"429 HTML":         lab.Says(429, "text/html", page),
		"204":              lab.Says(204, "", ""),
		"307": func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://portal.example.invalid/login?x=the-secret-of-the-page", http.StatusTemporaryRedirect)
		},
		"302 without Location": lab.Says(302, "", ""),
	}
	for _, service := range lab.StrangeServices() {
		for name, answer := range answers {
			t.Run(service.Name+"/"+name, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				s := lab.NewStranger(t, answer)
				log := new(lab.Records)
				session := lab.MustOpen(t, append(service.Use(w, s.URL), log.Option())...)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				_, err := session.Retrieve(ctx)
				require.Error(t, err)
				lab.AllIsCalm(t, session, log, err)
				assert.NotContains(t, err.Error(), "the-secret-of-the-page")
				assert.NotContains(t, err.Error(), "operation error", "the SDK's own text")
				assert.NotContains(t, log.String(), "the-secret-of-the-page")
				e := new(awsauth.Error)
				require.ErrorAs(t, err, &e)
				if strings.HasPrefix(service.Name, "STS") {
					lab.RequireBad(t, err, awsauth.Unreachable, strings.TrimPrefix(s.URL, "http://"))
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
	for _, service := range lab.StrangeServices() {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(service.Name+"/"+http.StatusText(status), func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				thief := lab.NewStranger(t, lab.Says(200, "text/plain", "thanks"))
				s := lab.NewStranger(t, func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
					rw.Header().Set("Location", strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)+r.URL.Path)
					rw.WriteHeader(status)
				})
				session := lab.MustOpen(t, service.Use(w, s.URL)...)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				_, err := session.Retrieve(ctx)
				require.Error(t, err)
				require.NotZero(t, s.Asked.Load())
				assert.Zero(t, thief.Asked.Load())
				lab.ErrorIsCalm(t, err)
			})
		}
	}
}

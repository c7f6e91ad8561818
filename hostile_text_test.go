package awsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
)

// TestHostileRefusals: every field of a refusal, of every service, comes out on one
// line that moves nothing.
func TestHostileRefusals(t *testing.T) {
	x := xmlText(hostileText)
	j, err := json.Marshal(hostileText)
	require.NoError(t, err)
	xml := func(code, message, id string) func(*stranger, http.ResponseWriter, *http.Request) {
		return says(403, "text/xml", "<ErrorResponse><Error><Type>Sender</Type><Code>"+code+"</Code><Message>"+message+"</Message></Error><RequestId>"+id+"</RequestId></ErrorResponse>")
	}
	answers := map[string]func(*stranger, http.ResponseWriter, *http.Request){
		"message":       xml("AccessDenied", x, "1"),
		"code":          xml("Access"+x, "no", "1"),
		"request id":    xml("AccessDenied", "no", x),
		"ARN":           xml("AccessDenied", "User: arn:aws:iam::111111111111:user/"+x+" is not authorized to perform: sts:AssumeRole on resource: x", "1"),
		"ARN, unbroken": xml("AccessDenied", "User: arn:aws:iam::111111111111:user/a\u009b2J\u202eb is not authorized to perform: sts:Tag\u009b2J on resource: x", "1"),
		"action":        xml("AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: "+x+" on resource: x with an explicit deny in a "+x, "1"),
		"expired":       xml("ExpiredTokenException", x, "1"),
		"bad token":     xml("InvalidIdentityToken", x, "1"),
		"validation":    xml("ValidationError", "Value '"+x+"' at 'roleArn' failed", "1"),
		"duration":      xml("ValidationError", "DurationSeconds "+x, "1"),
		"signature":     xml("SignatureDoesNotMatch", x, "1"),
		"JSON":          says(400, "application/json", `{"__type": `+string(j)+`, "code": `+string(j)+`, "message": `+string(j)+`, "Message": `+string(j)+`, "error": `+string(j)+`, "error_description": `+string(j)+`}`),
		"JSON, named":   says(400, "application/json", `{"__type": "AccessDeniedException", "code": "AccessDeniedException", "message": `+string(j)+`}`),
		"JSON 401":      says(401, "application/json", `{"__type": "UnauthorizedException", "code": "x", "message": `+string(j)+`}`),
		"text":          says(400, "text/plain", hostileText),
		"text 403":      says(403, "text/plain", hostileText),
		"text 200":      says(200, "text/plain", hostileText),
		"JSON 200":      says(200, "application/json", `{"Code": `+string(j)+`, "Message": `+string(j)+`, "AccessKeyId": `+string(j)+`, "SecretAccessKey": `+string(j)+`, "Token": `+string(j)+`, "Expiration": `+string(j)+`}`),
		"keys":          says(200, "application/json", `{"Code": "Success", "AccessKeyId": `+string(j)+`, "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}`),
		"failed":        says(200, "application/json", `{"Code": "Failed`+strings.Trim(string(j), `"`)+`", "Message": `+string(j)+`}`),
		"headers": func(_ *stranger, rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("X-Amzn-RequestId", "id\u009b2J\u202e")
			rw.Header().Set("X-Amzn-ErrorType", "AccessDeniedException\u009b2J")
			says(400, "application/json", "{}")(nil, rw, r)
		},
		"other role": says(200, "text/xml", assumedAnswer("AssumeRole", "arn:aws:sts::1"+x+":assumed-role/"+x+"/"+x, x, "ASIAIOSFODNN7EXAMPLE")),
		"role id":    says(200, "text/xml", assumedAnswer("AssumeRole", "arn:aws:sts::123456789012:assumed-role/manage-role/xx", x, "ASIAIOSFODNN7EXAMPLE")),
		"key":        says(200, "text/xml", assumedAnswer("AssumeRole", "arn:aws:sts::123456789012:assumed-role/manage-role/xx", "x", x)),
	}
	for _, service := range strangeServices() {
		for name, answer := range answers {
			t.Run(service.name+"/"+name, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				s := newStranger(t, answer)
				log := newNotebook()
				session := mustOpen(t, append(service.use(w, s.url), log.option())...)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				c, err := session.Retrieve(ctx)
				allIsCalm(t, session, log, err)
				id, idErr := session.Identity(ctx)
				errorIsCalm(t, idErr)
				nothingMoves(t, "an identity", id.Account+id.ARN+id.UserID+string(id.Partition), false)
				if err == nil {
					nothingMoves(t, "keys", c.AccessKeyID+c.SecretAccessKey+c.SessionToken+c.AccountID, false)
				}
			})
		}
	}
}

// hostileProvider says what it likes.
type hostileProvider struct {
	creds aws.Credentials
	err   error
}

func (p hostileProvider) Retrieve(context.Context) (aws.Credentials, error) { return p.creds, p.err }

// hostileLine acts on a terminal and fits into a line of a file and into a variable.
const hostileLine = "\x1b[2J\x07\u009b31m\u202eab\u2066\u200b"

// hostileSetUp puts what is hostile somewhere.
type hostileSetUp = func(w *place) []awsauth.Option

// hostileWords are what a process, a provider or the caller says.
func hostileWords() map[string]hostileSetUp {
	const h = hostileLine
	return map[string]hostileSetUp{
		"process says": func(w *place) []awsauth.Option {
			w.write("p", hostileText)
			w.files("[default]\ncredential_process = cat $DIR/p; cat $DIR/p >&2; exit 3\n", "")
			return nil
		},
		"process, JSON": func(w *place) []awsauth.Option {
			text, _ := json.Marshal(map[string]any{"Version": 1, "AccessKeyId": hostileText, "SecretAccessKey": hostileText, "Expiration": hostileText})
			w.write("p", string(text))
			w.files("[default]\ncredential_process = cat $DIR/p\n", "")
			return nil
		},
		"process, account": func(w *place) []awsauth.Option {
			text, _ := json.Marshal(map[string]any{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET", "AccountId": hostileText})
			w.write("p", string(text))
			w.files("[default]\ncredential_process = cat $DIR/p\n", "")
			return nil
		},
		"provider's error": func(*place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(hostileProvider{err: errors.New(hostileText)})}
		},
		"provider's keys": func(*place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(hostileProvider{creds: aws.Credentials{AccessKeyID: hostileText, SecretAccessKey: "x", Source: hostileText}})}
		},
		"provider's source": func(*place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithAccount(target), awsauth.WithCredentialsProvider(hostileProvider{creds: aws.Credentials{AccessKeyID: someID, SecretAccessKey: "x", Source: hostileText, AccountID: hostileText}})}
		},
		"options": func(w *place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithStaticCredentials(h, h, h), awsauth.WithRegion(h), awsauth.WithPartition(awsauth.Partition(h)), awsauth.WithSTSEndpoint(h),
				awsauth.WithRoleARN(h), awsauth.WithAccount(h), awsauth.WithRole(h), awsauth.WithSessionName(h), awsauth.WithExternalID(h), awsauth.WithSourceIdentity(h),
				awsauth.WithTags(map[string]string{h: h}), awsauth.WithTransitiveTags(map[string]string{h: h}), awsauth.WithPolicy(h), awsauth.WithPolicyARNs(h)}
		},
	}
}

// hostileFiles are what a shared file says.
func hostileFiles() map[string]hostileSetUp {
	const line, keys = hostileLine, "[profile k]\n" + keyLines
	file := func(text string) hostileSetUp {
		return func(w *place) []awsauth.Option { w.files(text, ""); return nil }
	}
	return map[string]hostileSetUp{
		"profile's name": func(w *place) []awsauth.Option {
			w.files("[profile "+line+"]\n"+keyLines, "")
			return []awsauth.Option{awsauth.WithProfile(line)}
		},
		"no such profile": func(w *place) []awsauth.Option {
			w.files("[profile "+line+"]\n"+keyLines, "")
			return []awsauth.Option{awsauth.WithProfile("x" + line)}
		},
		"source_profile": func(w *place) []awsauth.Option {
			w.files("[default]\nrole_arn=$BASE\nsource_profile="+line+"\n", "")
			return nil
		},
		"role_arn":                file("[default]\nrole_arn=arn:aws:iam::123456789012:role/" + line + "\nsource_profile=k\n" + keys),
		"role_session_name":       file("[default]\nrole_arn=$BASE\nrole_session_name=" + line + "\nsource_profile=k\n" + keys),
		"external_id":             file("[default]\nrole_arn=$BASE\nexternal_id=" + line + "\nsource_profile=k\n" + keys),
		"mfa_serial":              file("[default]\nrole_arn=$BASE\nmfa_serial=" + line + "\nsource_profile=k\n" + keys),
		"duration":                file("[default]\nrole_arn=$BASE\nduration_seconds=" + line + "\nsource_profile=k\n" + keys),
		"region":                  file("[default]\nregion=" + line + "\n" + keyLines),
		"endpoint_url":            file("[default]\nendpoint_url=http://localhost/" + line + "\n" + keyLines),
		"endpoint_url, host":      file("[default]\nendpoint_url=http://x" + line + "y/\n" + keyLines),
		"services":                file("[default]\nservices=" + line + "\n" + keyLines),
		"sso_session":             file("[default]\nsso_session=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n"),
		"sso, named":              file("[default]\nsso_session=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n[sso-session " + line + "]\nsso_region=us-east-1\nsso_start_url=https://x\n"),
		"sso_account_id":          file("[default]\nsso_session=c\nsso_account_id=" + line + "\nsso_role_name=x\n[sso-session c]\nsso_region=us-east-1\nsso_start_url=https://x\n"),
		"sso_region":              file("[default]\nsso_session=c\nsso_account_id=111111111111\nsso_role_name=x\n[sso-session c]\nsso_region=" + line + "\nsso_start_url=https://x\n"),
		"sso_start_url":           file("[default]\nsso_region=us-east-1\nsso_start_url=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n"),
		"login_session":           file("[default]\nlogin_session=" + line + "\n"),
		"credential_source":       file("[default]\nrole_arn=$BASE\ncredential_source=" + line + "\n"),
		"ca_bundle":               file("[default]\nca_bundle=/nowhere/" + line + "\n" + keyLines),
		"key":                     file("[default]\naws_access_key_id=" + line + "\naws_secret_access_key=x\n"),
		"malformed":               file("[default]\n" + line + "\n" + keyLines),
		"half heading":            file("[profile " + line + "\n" + keyLines),
		"other section":           file("[" + line + "]\nx=y\n[default]\n" + keyLines),
		"metadata endpoint":       file("[default]\nec2_metadata_service_endpoint=http://" + line + "\n"),
		"token file of a profile": file("[default]\nrole_arn=$BASE\nweb_identity_token_file=/nowhere/" + line + "\n"),
	}
}

// hostileVariables are what the environment says, names of files included.
func hostileVariables() map[string]hostileSetUp {
	const line = hostileLine
	variables := func(pairs ...string) hostileSetUp {
		return func(w *place) []awsauth.Option { w.env(pairs...); return nil }
	}
	return map[string]hostileSetUp{
		"AWS_PROFILE": variables("AWS_PROFILE=" + line),
		"token file":  variables("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/"+line, "AWS_ROLE_ARN=$BASE"),
		"AWS_ROLE_ARN": func(w *place) []awsauth.Option {
			w.webToken()
			w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN="+line)
			return nil
		},
		"AWS_ROLE_SESSION_NAME": func(w *place) []awsauth.Option {
			w.webToken()
			w.env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE", "AWS_ROLE_SESSION_NAME="+line)
			return nil
		},
		"AWS_CONFIG_FILE": func(w *place) []awsauth.Option {
			path := filepath.Join(w.dir, line)
			require.NoError(w.t, os.WriteFile(path, []byte(w.text("[default]\n"+keyLines)), 0o644))
			w.env("AWS_CONFIG_FILE=" + path)
			return nil
		},
		"AWS_CONFIG_FILE, broken": func(w *place) []awsauth.Option {
			path := filepath.Join(w.dir, line)
			require.NoError(w.t, os.WriteFile(path, []byte("[default\nx"), 0o644))
			w.env("AWS_CONFIG_FILE=" + path)
			return nil
		},
		"AWS_SHARED_CREDENTIALS_FILE, a directory": func(w *place) []awsauth.Option {
			path := filepath.Join(w.dir, line)
			require.NoError(w.t, os.Mkdir(path, 0o755))
			w.env("AWS_SHARED_CREDENTIALS_FILE=" + path)
			return nil
		},
		"container token file": variables("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nowhere/"+line),
		"container token":      variables("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=a\r\nX-Evil: 1"+line),
		"container URI":        variables("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/" + line),
		"container path":       variables("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/" + line),
		"AWS_REGION":           func(w *place) []awsauth.Option { w.env("AWS_REGION=" + line); return []awsauth.Option{w.static()} },
		"AWS_MAX_ATTEMPTS": func(w *place) []awsauth.Option {
			w.env("AWS_MAX_ATTEMPTS=" + line)
			return []awsauth.Option{w.static()}
		},
		"AWS_CA_BUNDLE": func(w *place) []awsauth.Option {
			w.env("AWS_CA_BUNDLE=/nowhere/" + line)
			return []awsauth.Option{w.static()}
		},
		"AWS_ENDPOINT_URL": func(w *place) []awsauth.Option {
			w.env("AWS_ENDPOINT_URL=" + line)
			return []awsauth.Option{w.static()}
		},
		"AWS_ACCESS_KEY_ID": variables("AWS_ACCESS_KEY_ID="+line, "AWS_SECRET_ACCESS_KEY=x"),
	}
}

// TestHostileSources: a process, a provider, files' names and values.
func TestHostileSources(t *testing.T) {
	for _, tests := range []map[string]hostileSetUp{hostileWords(), hostileFiles(), hostileVariables()} {
		require.NotEmpty(t, tests)
		for name, setUp := range tests {
			t.Run(name, func(t *testing.T) { hostileSource(t, setUp) })
		}
	}
}

func hostileSource(t *testing.T, setUp hostileSetUp) {
	w := newPlace(t, awsauth.AWS)
	log := newNotebook()
	s, err := w.try(append(setUp(w), log.option())...)
	allIsCalm(t, s, log, err)
	if s == nil {
		require.Error(t, err)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = s.Retrieve(ctx)
	allIsCalm(t, s, log, err)
	id, err := s.Identity(ctx)
	errorIsCalm(t, err)
	nothingMoves(t, "an identity", id.Account+id.ARN+id.UserID, false)
}

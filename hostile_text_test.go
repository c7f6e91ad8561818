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
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestHostileRefusals: every field of a refusal, of every service, comes out on one
// line that moves nothing.
func TestHostileRefusals(t *testing.T) {
	x := lab.XMLText(lab.HostileText)
	j, err := json.Marshal(lab.HostileText)
	require.NoError(t, err)
	xml := func(code, message, id string) func(*lab.Stranger, http.ResponseWriter, *http.Request) {
		return lab.Says(403, "text/xml", "<ErrorResponse><Error><Type>Sender</Type><Code>"+code+"</Code><Message>"+message+"</Message></Error><RequestId>"+id+"</RequestId></ErrorResponse>")
	}
	answers := map[string]func(*lab.Stranger, http.ResponseWriter, *http.Request){
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
		"JSON":          lab.Says(400, "application/json", `{"__type": `+string(j)+`, "code": `+string(j)+`, "message": `+string(j)+`, "Message": `+string(j)+`, "error": `+string(j)+`, "error_description": `+string(j)+`}`),
		"JSON, named":   lab.Says(400, "application/json", `{"__type": "AccessDeniedException", "code": "AccessDeniedException", "message": `+string(j)+`}`),
		"JSON 401":      lab.Says(401, "application/json", `{"__type": "UnauthorizedException", "code": "x", "message": `+string(j)+`}`),
		"text":          lab.Says(400, "text/plain", lab.HostileText),
		"text 403":      lab.Says(403, "text/plain", lab.HostileText),
		"text 200":      lab.Says(200, "text/plain", lab.HostileText),
		"JSON 200":      lab.Says(200, "application/json", `{"Code": `+string(j)+`, "Message": `+string(j)+`, "AccessKeyId": `+string(j)+`, "SecretAccessKey": `+string(j)+`, "Token": `+string(j)+`, "Expiration": `+string(j)+`}`),
		"keys":          lab.Says(200, "application/json", `{"Code": "Success", "AccessKeyId": `+string(j)+`, "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}`),
		"failed":        lab.Says(200, "application/json", `{"Code": "Failed`+strings.Trim(string(j), `"`)+`", "Message": `+string(j)+`}`),
		"headers": func(_ *lab.Stranger, rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("X-Amzn-RequestId", "id\u009b2J\u202e")
			rw.Header().Set("X-Amzn-ErrorType", "AccessDeniedException\u009b2J")
			lab.Says(400, "application/json", "{}")(nil, rw, r)
		},
		"other role": lab.Says(200, "text/xml", lab.AssumedAnswer("AssumeRole", "arn:aws:sts::1"+x+":assumed-role/"+x+"/"+x, x, "ASIAIOSFODNN7EXAMPLE")),
		"role id":    lab.Says(200, "text/xml", lab.AssumedAnswer("AssumeRole", "arn:aws:sts::123456789012:assumed-role/manage-role/xx", x, "ASIAIOSFODNN7EXAMPLE")),
		"key":        lab.Says(200, "text/xml", lab.AssumedAnswer("AssumeRole", "arn:aws:sts::123456789012:assumed-role/manage-role/xx", "x", x)),
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
				c, err := session.Retrieve(ctx)
				lab.AllIsCalm(t, session, log, err)
				id, idErr := session.Identity(ctx)
				lab.ErrorIsCalm(t, idErr)
				lab.NothingMoves(t, "an identity", id.Account+id.ARN+id.UserID+string(id.Partition), false)
				if err == nil {
					lab.NothingMoves(t, "keys", c.AccessKeyID+c.SecretAccessKey+c.SessionToken+c.AccountID, false)
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

// TestHostileSources: a process, a provider, files' names and values.
func TestHostileSources(t *testing.T) {
	for _, tests := range []hostileSetUps{hostileProcesses(), hostileProfiles(), hostileFiles(), hostileVariables()} {
		for name, setUp := range tests {
			t.Run(name, func(t *testing.T) { staysCalm(t, setUp) })
		}
	}
}

// hostileSetUps are set-ups in which somebody else wrote a text, by its place.
type hostileSetUps map[string]func(w *lab.Place) []awsauth.Option

// hostileBytes move a cursor, ring, colour, turn the reading order or hide.
const hostileBytes = "\x1b[2J\x07\u009b31m\u202eab\u2066\u200b"

// hostileLine is as much of it as fits into a line of a file or a variable.
func hostileLine() string {
	return strings.NewReplacer("\x00", "", "\n", " ", "\r", " ", "\u2028", "").Replace(hostileBytes)
}

// staysCalm asks that no text of the library holds such bytes.
func staysCalm(t *testing.T, setUp func(w *lab.Place) []awsauth.Option) {
	t.Helper()
	w := lab.New(t, awsauth.AWS)
	log := new(lab.Records)
	s, err := w.Try(append(setUp(w), log.Option())...)
	lab.AllIsCalm(t, s, log, err)
	if s == nil {
		require.Error(t, err)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = s.Retrieve(ctx)
	lab.AllIsCalm(t, s, log, err)
	id, err := s.Identity(ctx)
	lab.ErrorIsCalm(t, err)
	lab.NothingMoves(t, "an identity", id.Account+id.ARN+id.UserID, false)
}

func hostileProcesses() hostileSetUps {
	return hostileSetUps{
		"process says": func(w *lab.Place) []awsauth.Option {
			w.Write("p", lab.HostileText)
			w.Files("[default]\ncredential_process = cat $DIR/p; cat $DIR/p >&2; exit 3\n", "")
			return nil
		},
		"process, JSON": func(w *lab.Place) []awsauth.Option {
			text, _ := json.Marshal(map[string]any{"Version": 1, "AccessKeyId": lab.HostileText, "SecretAccessKey": lab.HostileText, "Expiration": lab.HostileText})
			w.Write("p", string(text))
			w.Files("[default]\ncredential_process = cat $DIR/p\n", "")
			return nil
		},
		"process, account": func(w *lab.Place) []awsauth.Option {
			text, _ := json.Marshal(map[string]any{"Version": 1, "AccessKeyId": "$ID", "SecretAccessKey": "$SECRET", "AccountId": lab.HostileText})
			w.Write("p", string(text))
			w.Files("[default]\ncredential_process = cat $DIR/p\n", "")
			return nil
		},
		"provider's error": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(hostileProvider{err: errors.New(lab.HostileText)})}
		},
		"provider's keys": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithCredentialsProvider(hostileProvider{creds: aws.Credentials{AccessKeyID: lab.HostileText, SecretAccessKey: "x", Source: lab.HostileText}})}
		},
		"provider's source": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithAccount(lab.Target), awsauth.WithCredentialsProvider(hostileProvider{creds: aws.Credentials{AccessKeyID: lab.SomeID, SecretAccessKey: "x", Source: lab.HostileText, AccountID: lab.HostileText}})}
		},
	}
}

func hostileProfiles() hostileSetUps {
	h, line := hostileBytes, hostileLine()
	file := func(text string) func(w *lab.Place) []awsauth.Option {
		return func(w *lab.Place) []awsauth.Option { w.Files(text, ""); return nil }
	}
	keys := "[profile k]\n" + lab.KeyLines
	return hostileSetUps{
		"profile's name": func(w *lab.Place) []awsauth.Option {
			w.Files("[profile "+line+"]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile(line)}
		},
		"no such profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[profile "+line+"]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("x" + h)}
		},
		"AWS_PROFILE": func(w *lab.Place) []awsauth.Option { w.Env("AWS_PROFILE=" + line); return nil },
		"source_profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\nrole_arn=$BASE\nsource_profile="+line+"\n", "")
			return nil
		},
		"role_arn":                file("[default]\nrole_arn=arn:aws:iam::123456789012:role/" + line + "\nsource_profile=k\n" + keys),
		"role_session_name":       file("[default]\nrole_arn=$BASE\nrole_session_name=" + line + "\nsource_profile=k\n" + keys),
		"external_id":             file("[default]\nrole_arn=$BASE\nexternal_id=" + line + "\nsource_profile=k\n" + keys),
		"mfa_serial":              file("[default]\nrole_arn=$BASE\nmfa_serial=" + line + "\nsource_profile=k\n" + keys),
		"duration":                file("[default]\nrole_arn=$BASE\nduration_seconds=" + line + "\nsource_profile=k\n" + keys),
		"region":                  file("[default]\nregion=" + line + "\n" + lab.KeyLines),
		"endpoint_url":            file("[default]\nendpoint_url=http://localhost/" + line + "\n" + lab.KeyLines),
		"endpoint_url, host":      file("[default]\nendpoint_url=http://x" + line + "y/\n" + lab.KeyLines),
		"services":                file("[default]\nservices=" + line + "\n" + lab.KeyLines),
		"sso_session":             file("[default]\nsso_session=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n"),
		"sso, named":              file("[default]\nsso_session=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n[sso-session " + line + "]\nsso_region=us-east-1\nsso_start_url=https://x\n"),
		"sso_account_id":          file("[default]\nsso_session=c\nsso_account_id=" + line + "\nsso_role_name=x\n[sso-session c]\nsso_region=us-east-1\nsso_start_url=https://x\n"),
		"sso_region":              file("[default]\nsso_session=c\nsso_account_id=111111111111\nsso_role_name=x\n[sso-session c]\nsso_region=" + line + "\nsso_start_url=https://x\n"),
		"sso_start_url":           file("[default]\nsso_region=us-east-1\nsso_start_url=" + line + "\nsso_account_id=111111111111\nsso_role_name=x\n"),
		"login_session":           file("[default]\nlogin_session=" + line + "\n"),
		"credential_source":       file("[default]\nrole_arn=$BASE\ncredential_source=" + line + "\n"),
		"ca_bundle":               file("[default]\nca_bundle=/nowhere/" + line + "\n" + lab.KeyLines),
		"key":                     file("[default]\naws_access_key_id=" + line + "\naws_secret_access_key=x\n"),
		"malformed":               file("[default]\n" + line + "\n" + lab.KeyLines),
		"half heading":            file("[profile " + line + "\n" + lab.KeyLines),
		"other section":           file("[" + line + "]\nx=y\n[default]\n" + lab.KeyLines),
		"metadata endpoint":       file("[default]\nec2_metadata_service_endpoint=http://" + line + "\n"),
		"token file of a profile": file("[default]\nrole_arn=$BASE\nweb_identity_token_file=/nowhere/" + line + "\n"),
	}
}

func hostileFiles() hostileSetUps {
	line := hostileLine()
	return hostileSetUps{
		"token file": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/"+line, "AWS_ROLE_ARN=$BASE")
			return nil
		},
		"AWS_ROLE_ARN": func(w *lab.Place) []awsauth.Option {
			w.WebToken()
			w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN="+line)
			return nil
		},
		"AWS_ROLE_SESSION_NAME": func(w *lab.Place) []awsauth.Option {
			w.WebToken()
			w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token", "AWS_ROLE_ARN=$BASE", "AWS_ROLE_SESSION_NAME="+line)
			return nil
		},
		"AWS_CONFIG_FILE": func(w *lab.Place) []awsauth.Option {
			path := filepath.Join(w.Dir, line)
			require.NoError(w.T, os.WriteFile(path, []byte(w.Text("[default]\n"+lab.KeyLines)), 0o644))
			w.Env("AWS_CONFIG_FILE=" + path)
			return nil
		},
		"AWS_CONFIG_FILE, broken": func(w *lab.Place) []awsauth.Option {
			path := filepath.Join(w.Dir, line)
			require.NoError(w.T, os.WriteFile(path, []byte("[default\nx"), 0o644))
			w.Env("AWS_CONFIG_FILE=" + path)
			return nil
		},
		"AWS_SHARED_CREDENTIALS_FILE, a directory": func(w *lab.Place) []awsauth.Option {
			path := filepath.Join(w.Dir, line)
			require.NoError(w.T, os.Mkdir(path, 0o755))
			w.Env("AWS_SHARED_CREDENTIALS_FILE=" + path)
			return nil
		},
		"container token file": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nowhere/"+line)
			return nil
		},
		"container token": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=a\r\nX-Evil: 1"+line)
			return nil
		},
		"container URI": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/" + line)
			return nil
		},
		"container path": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/" + line)
			return nil
		},
	}
}

func hostileVariables() hostileSetUps {
	h, line := hostileBytes, hostileLine()
	return hostileSetUps{
		"AWS_REGION": func(w *lab.Place) []awsauth.Option { w.Env("AWS_REGION=" + line); return []awsauth.Option{w.Static()} },
		"AWS_MAX_ATTEMPTS": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_MAX_ATTEMPTS=" + line)
			return []awsauth.Option{w.Static()}
		},
		"AWS_CA_BUNDLE": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CA_BUNDLE=/nowhere/" + line)
			return []awsauth.Option{w.Static()}
		},
		"AWS_ENDPOINT_URL": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL=" + line)
			return []awsauth.Option{w.Static()}
		},
		"AWS_ACCESS_KEY_ID": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ACCESS_KEY_ID="+line, "AWS_SECRET_ACCESS_KEY=x")
			return nil
		},
		"options": func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithStaticCredentials(h, h, h), awsauth.WithRegion(h), awsauth.WithPartition(awsauth.Partition(h)), awsauth.WithSTSEndpoint(h),
				awsauth.WithRoleARN(h), awsauth.WithAccount(h), awsauth.WithRole(h), awsauth.WithSessionName(h), awsauth.WithExternalID(h), awsauth.WithSourceIdentity(h),
				awsauth.WithTags(map[string]string{h: h}), awsauth.WithTransitiveTags(map[string]string{h: h}), awsauth.WithPolicy(h), awsauth.WithPolicyARNs(h)}
		},
	}
}

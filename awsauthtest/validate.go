package awsauthtest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// validator collects what is wrong with the fields of a request, in the words of
// AWS: "2 validation errors detected: Value '…' at '…' failed to satisfy
// constraint: …; Value …".
type validator struct{ wrong []string }

func validation(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

func (v *validator) problem() *problem {
	switch len(v.wrong) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", v.wrong[0])
	}
	return validation("%d validation errors detected: %s", len(v.wrong), strings.Join(v.wrong, "; "))
}

func (v *validator) reject(value, field, constraint string) {
	v.wrong = append(v.wrong, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", value, field, constraint))
}

// limit is what AWS demands of one field.
type limit struct {
	field    string // as AWS spells it in the message
	min, max int    // characters
	pattern  *regexp.Regexp
}

// See https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var (
	limitRoleARN        = limit{"roleArn", 20, 2048, regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{7E}\x{85}\x{A0}-\x{10FFFF}]+$`)}
	limitSessionName    = limit{"roleSessionName", 2, 64, regexp.MustCompile(`^[\w+=,.@-]*$`)}
	limitExternalID     = limit{"externalId", 2, 1224, regexp.MustCompile(`^[\w+=,.@:\/-]*$`)}
	limitSourceIdentity = limit{"sourceIdentity", 2, 64, regexp.MustCompile(`^[\w+=,.@-]*$`)}
	limitSerialNumber   = limit{"serialNumber", 9, 256, regexp.MustCompile(`^[\w+=/:,.@-]*$`)}
	limitTokenCode      = limit{"tokenCode", 6, 6, regexp.MustCompile(`^[\d]*$`)}
	limitPolicyARN      = limit{"policyArns.arn", 20, 2048, regexp.MustCompile(`^[\x21-\x7e]+$`)}
	limitToken          = limit{"webIdentityToken", 4, 20000, regexp.MustCompile(`(?s)^.*$`)}
	limitKeyID          = limit{"accessKeyId", 16, 128, regexp.MustCompile(`^[\w]*$`)}
	limitTagKey         = limit{"tags.key", 1, 128, regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)}
	limitTagValue       = limit{"tags.value", 0, 256, regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)}
)

// check holds a value against a limit; one that is secret is not repeated.
func (v *validator) check(value string, l limit) {
	shown := value
	if l.field == limitTokenCode.field || l.field == limitToken.field {
		shown = "***"
	}
	switch n := utf8.RuneCountInString(value); {
	case n < l.min:
		v.reject(shown, l.field, fmt.Sprintf("Member must have length greater than or equal to %d", l.min))
	case n > l.max:
		v.reject(shown, l.field, fmt.Sprintf("Member must have length less than or equal to %d", l.max))
	}
	if !l.pattern.MatchString(value) {
		pattern := strings.TrimSuffix(strings.TrimPrefix(l.pattern.String(), "^"), "$")
		v.reject(shown, l.field, "Member must satisfy regular expression pattern: "+pattern)
	}
}

// given checks a field only if it is there.
func (v *validator) given(form url.Values, name string, l limit) string {
	if form.Has(name) {
		v.check(form.Get(name), l)
	}
	return form.Get(name)
}

// required checks a field that must be there.
func (v *validator) required(form url.Values, name string, l limit) string {
	if !form.Has(name) {
		v.wrong = append(v.wrong, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", l.field))
		return ""
	}
	v.check(form.Get(name), l)
	return form.Get(name)
}

// duration reads DurationSeconds.
func (v *validator) duration(s string, fallback, longest time.Duration) time.Duration {
	if s == "" {
		return fallback
	}
	n, err := strconv.Atoi(s)
	switch d := time.Duration(n) * time.Second; {
	case err != nil:
		v.reject(s, "durationSeconds", "Member must be a number")
	case n < int(minSession/time.Second):
		v.reject(s, "durationSeconds", fmt.Sprintf("Member must have value greater than or equal to %d", int(minSession.Seconds())))
	case n > int(longest/time.Second):
		v.reject(s, "durationSeconds", fmt.Sprintf("Member must have value less than or equal to %d", int(longest.Seconds())))
	default:
		return d
	}
	return fallback
}

func (v *validator) mfa(in *request) {
	v.given(in.form, "SerialNumber", limitSerialNumber)
	v.given(in.form, "TokenCode", limitTokenCode)
}

// members reads a list of the Query protocol: name.member.1, .2, … as long as
// they go on. field, if any, follows the number: Tags.member.1.Key.
func members(form url.Values, name, field string) []string {
	var out []string
	for i := 1; ; i++ {
		key := fmt.Sprintf("%s.member.%d%s", name, i, field)
		if !form.Has(key) {
			return out
		}
		out = append(out, form.Get(key))
	}
}

const maxTags = 50

// tags reads the session tags of a request.
func (v *validator) tags(form url.Values) (tags map[string]string, transitive []string) {
	keys := members(form, "Tags", ".Key")
	if len(keys) > maxTags {
		v.reject("[…]", "tags", fmt.Sprintf("Member must have length less than or equal to %d", maxTags))
		return nil, nil
	}
	tags = map[string]string{}
	seen := map[string]bool{}
	for i, key := range keys {
		value := form.Get(fmt.Sprintf("Tags.member.%d.Value", i+1))
		v.check(key, limitTagKey)
		v.check(value, limitTagValue)
		lower := strings.ToLower(key)
		if strings.HasPrefix(lower, "aws:") {
			v.reject(key, "tags.key", "Member must not begin with aws:")
		}
		if seen[lower] {
			v.reject(key, "tags.key", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[lower] = true
		tags[key] = value
	}
	transitive = members(form, "TransitiveTagKeys", "")
	for _, key := range transitive {
		if !seen[strings.ToLower(key)] {
			v.reject(key, "transitiveTagKeys", "The specified transitive tag key must be included in the requested tags.")
		}
	}
	return tags, transitive
}

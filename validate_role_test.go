package awsauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// manyTags makes n tags.
func manyTags(n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags["k"+strings.Repeat("x", i)] = "v"
	}
	return tags
}

// badRoleOption is a role option that New and Assume must refuse, whatever else
// is right.
type badRoleOption struct {
	name string
	opts []awsauth.RoleOption
	kind awsauth.Kind
	text []string
}

func badAccounts() (bad []badRoleOption) {
	for id, hint := range map[string]string{
		"12345678901":     `"012345678901"`, // a spreadsheet ate the zero
		"123456789":       `"000123456789"`,
		"1234567890123":   "12 digits, this has 13",
		"1":               "12 digits, this has 1",
		"1234-5678-9012":  `"123456789012"`,
		"1234 5678 9012":  `"123456789012"`,
		"12345678901a":    "12 digits",
		" 123456789012":   `"123456789012"`,
		"１２３４５６７８９０１２":    "12 digits",
		"123456789012\n":  "12 digits",
		"ops":             "12 digits",
		"000000000000000": "12 digits",
	} {
		bad = append(bad, badRoleOption{
			"account " + id, []awsauth.RoleOption{awsauth.WithAccount(id)}, awsauth.InvalidOption, []string{"WithAccount(", hint},
		})
	}
	return bad
}

func badRoles() (bad []badRoleOption) {
	for name, hint := range map[string]string{
		"/manage-role":                     `"manage-role"`,
		"//manage-role":                    `"manage-role"`,
		"team/":                            "no role name",
		"team//ops":                        "team//",
		"manage role":                      "manage role",
		"manage:role":                      "manage:role",
		"röle":                             "röle",
		"role\n":                           "role",
		strings.Repeat("r", 65):            "64",
		strings.Repeat("p", 511) + "/role": "512",
		lab.ManageRole:                     "WithRoleARN",
	} {
		bad = append(bad, badRoleOption{
			"role " + name, []awsauth.RoleOption{awsauth.WithAccount(lab.Target), awsauth.WithRole(name)}, awsauth.InvalidOption, []string{"WithRole(", hint},
		})
	}
	for arn, hint := range map[string]string{
		"manage-role":                                       "not an ARN",
		"arn:aws:iam::123456789012":                         "not an ARN",
		"arn:aws:iam::123456789012:role/":                   "no role name",
		"arn:aws:iam::123456789012:role":                    "not the ARN of an IAM role",
		"arn:aws:iam::123456789012:role//x":                 "leading slash",
		"arn:aws:iam::123456789012:role/a b":                "a b",
		"arn:aws:iam::12345678901:role/x":                   `"012345678901"`,
		"arn:aws:iam:us-east-1:123456789012:role/x":         "not the ARN of an IAM role",
		"arn:aws:iam:::role/x":                              "12 digits",
		"arn:aws-mars:iam::123456789012:role/x":             "aws-mars",
		"arn::iam::123456789012:role/x":                     "partition",
		"ARN:aws:iam::123456789012:role/x":                  "not an ARN",
		" arn:aws:iam::123456789012:role/x":                 "not an ARN",
		"arn:aws:iam::123456789012:role/x\n":                "role name",
		"arn:aws:iam::123456789012:user/ana":                "not the ARN of an IAM role",
		"arn:aws:iam::123456789012:root":                    "not the ARN of an IAM role",
		"arn:aws:s3:::bucket/role/x":                        "not the ARN of an IAM role",
		"arn:aws:iam::123456789012:instance-profile/web":    "instance profile",
		"arn:aws:sts::123456789012:assumed-role/ops/ana":    "arn:aws:iam::123456789012:role/ops",
		"arn:aws-cn:sts::123456789012:assumed-role/ops/ana": "arn:aws-cn:iam::123456789012:role/ops",
	} {
		bad = append(bad, badRoleOption{
			"ARN " + arn, []awsauth.RoleOption{awsauth.WithRoleARN(arn)}, awsauth.InvalidOption, []string{"WithRoleARN(", hint},
		})
	}
	return append(bad,
		badRoleOption{
			"ARN and account", []awsauth.RoleOption{awsauth.WithRoleARN(lab.ManageRole), awsauth.WithAccount(lab.Target)}, awsauth.InvalidOption,
			[]string{"WithRoleARN(", "WithAccount"},
		},
		badRoleOption{
			"ARN and role", []awsauth.RoleOption{awsauth.WithRoleARN(lab.ManageRole), awsauth.WithRole("ops")}, awsauth.InvalidOption,
			[]string{"WithRoleARN(", "WithRole"},
		})
}

func badParameters() (bad []badRoleOption) {
	add := func(name string, kind awsauth.Kind, o awsauth.RoleOption, text ...string) {
		bad = append(bad, badRoleOption{name, []awsauth.RoleOption{awsauth.WithAccount(lab.Target), o}, kind, text})
	}
	for _, s := range []string{"a", "two words", "a/b", "ana:x", "änne", strings.Repeat("s", 65), "ok\n"} {
		add("session name "+s, awsauth.InvalidOption, awsauth.WithSessionName(s), "WithSessionName(", "2 to 64")
		add("source identity "+s, awsauth.InvalidOption, awsauth.WithSourceIdentity(s), "WithSourceIdentity(", "2 to 64")
	}
	for _, s := range []string{"x", "two words", "ext\n", "ü-ü", strings.Repeat("x", 1225)} {
		add("external id "+s, awsauth.InvalidOption, awsauth.WithExternalID(s), "WithExternalID(", "2 to 1224")
	}
	for d, hint := range map[time.Duration]string{
		-time.Hour: "15m", 1: "nanoseconds", 3600: "write 3600*time.Second", 5: "write 5*time.Hour", 45: "write 45*time.Minute", 13: "write time.Hour, for example", 15*time.Minute - time.Second: "15m", 12*time.Hour + time.Second: "12h", time.Hour + time.Millisecond: "whole seconds",
	} {
		add("duration "+d.String(), awsauth.InvalidDuration, awsauth.WithDuration(d), "WithDuration("+d.String()+")", hint)
	}
	for policy, place := range map[string]string{
		"arn:aws:iam::aws:policy/ReadOnlyAccess": "line 1", "{": "line 1", "{\n\"Version\": \"2012-10-17\",\n}": "line 3", "[]": "WithPolicy",
		"null": "WithPolicy", `"policy"`: "WithPolicy", " ": "WithPolicy", "{} {}": "line 1", `{"a": "` + strings.Repeat("x", 2048) + `"}`: "2048",
	} {
		add("policy "+policy, awsauth.InvalidOption, awsauth.WithPolicy(policy), "WithPolicy", place)
	}
	for _, arn := range []string{"ReadOnlyAccess", lab.ManageRole, "arn:aws:iam::aws:policy/", "arn:aws-mars:iam::aws:policy/X", "arn:aws:iam::12345:policy/X"} {
		add("policy ARN "+arn, awsauth.InvalidOption, awsauth.WithPolicyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess", arn), "WithPolicyARNs(")
	}
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = "arn:aws:iam::aws:policy/P" + strings.Repeat("x", i)
	}
	add("11 policy ARNs", awsauth.InvalidOption, awsauth.WithPolicyARNs(eleven...), "WithPolicyARNs", "11")
	for name, tags := range map[string]map[string]string{
		"empty key": {"": "v"}, "long key": {strings.Repeat("k", 129): "v"}, "long value": {"k": strings.Repeat("v", 257)},
		"bad key": {"a*b": "v"}, "bad value": {"a": "b\n"}, "reserved": {"aws:x": "v"}, "reserved, other case": {"AWS:x": "v"},
		"twice": {"Team": "a", "team": "a"},
	} {
		add("tags: "+name, awsauth.InvalidOption, awsauth.WithTags(tags), "WithTags(")
		add("transitive tags: "+name, awsauth.InvalidOption, awsauth.WithTransitiveTags(tags), "WithTransitiveTags(")
	}
	add("51 tags", awsauth.InvalidOption, awsauth.WithTags(manyTags(51)), "WithTags", "51", "50")
	return bad
}

// TestBadRoleOptions: each is refused by New and by Assume, offline.
func TestBadRoleOptions(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	for _, tt := range append(append(badAccounts(), badRoles()...), badParameters()...) {
		t.Run(tt.name, func(t *testing.T) {
			opts := []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")}
			for _, o := range tt.opts {
				opts = append(opts, o)
			}
			_, err := w.Try(opts...)
			lab.RequireBad(t, err, tt.kind, tt.text...)
			assert.NotContains(t, err.Error(), "\n", "one fault, one line")
			_, err = s.Assume(tt.opts...)
			lab.RequireBad(t, err, tt.kind, tt.text...)
		})
	}
	assert.Empty(t, w.Said())
}

// TestRoleOptionsAtTheirLimits: what is just inside the bounds is accepted.
func TestRoleOptionsAtTheirLimits(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	for _, o := range []awsauth.RoleOption{
		awsauth.WithRole(strings.Repeat("r", 64)),
		awsauth.WithRole(strings.Repeat("p", 510) + "/r"),
		awsauth.WithRole("a/b!c/ops"),
		awsauth.WithSessionName(strings.Repeat("s", 64)),
		awsauth.WithSessionName("_x"),
		awsauth.WithExternalID(strings.Repeat("x", 1224)),
		awsauth.WithTags(manyTags(50)),
		awsauth.WithTags(map[string]string{strings.Repeat("ü", 128): strings.Repeat("ü", 256)}),
		awsauth.WithPolicy(`{"a": "` + strings.Repeat("x", 2048-9) + `"}`),
		awsauth.WithDuration(15 * time.Minute),
		awsauth.WithDuration(12 * time.Hour),
	} {
		_, err := s.Assume(awsauth.WithAccount(lab.Target), o)
		assert.NoError(t, err)
	}
}

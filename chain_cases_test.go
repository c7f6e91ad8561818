package awsauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// cast is a place with more people in it: a second and a third user, and a
// machine whose identity nobody named. A session that fell through to the
// machine is seen by its role.
type cast struct {
	*lab.Place
	other, third awsauthtest.Keys
	machineNamed bool   // the machine is who the case names
	session      string // the lines of a session's keys in a file
}

// bystander is the role of the instance and of the container.
const bystander = "machine"

func newCast(t testing.TB, p awsauth.Partition) *cast {
	t.Helper()
	w := lab.New(t, p)
	c := &cast{Place: w}
	c.other = w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/other")})
	c.third = w.AddUser(awsauthtest.User{ARN: w.ARN(lab.Home, "user/third")})
	w.AddRole(awsauthtest.Role{ARN: w.ARN(lab.Home, "role/"+bystander), Trust: []string{lab.Home}})
	w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/"+bystander), Region: lab.DefaultRegion(p)})
	return c
}

// text fills in the names of the cast, then those of the place.
func (c *cast) text(s string) string {
	return c.Place.Text(strings.NewReplacer(
		"$OTHERID", c.other.AccessKeyID, "$OTHERSECRET", c.other.SecretAccessKey,
		"$THIRDID", c.third.AccessKeyID, "$THIRDSECRET", c.third.SecretAccessKey,
		"$OTHER\n", "aws_access_key_id = "+c.other.AccessKeyID+"\naws_secret_access_key = "+c.other.SecretAccessKey+"\n",
		"$THIRD\n", "aws_access_key_id = "+c.third.AccessKeyID+"\naws_secret_access_key = "+c.third.SecretAccessKey+"\n",
		"$KEYS\n", lab.KeyLines, "$SESSION", c.session, "$REGION", lab.OtherRegion(c.Partition),
	).Replace(s))
}

// left asserts that nobody asked the machine.
func (c *cast) left() {
	c.T.Helper()
	for _, call := range c.Calls() {
		if call.Service == "ec2metadata" || call.Service == "container" {
			c.T.Errorf("the machine was asked: %s %s", call.Action, call.Host)
		}
	}
}

// identityCase is a set of files and variables, and who one is with them: the
// user or role whose keys sign, or a refusal before any call.
type identityCase struct {
	name                string
	config, credentials string
	env                 []string
	opts                func(*cast) []awsauth.Option
	setup               func(*cast)

	who    string // "user/other", "role/base"; or
	kind   awsauth.Kind
	text   []string // what the refusal says: file:line, the variable, the mend
	region string   // where it matters; "$REGION" is filled in
	way    string   // one of ways alone; "" for all
}

// ways are how the profile "ops" of a case can come into force.
var ways = map[string]func(*cast, *identityCase) []awsauth.Option{
	"WithProfile": func(*cast, *identityCase) []awsauth.Option { return []awsauth.Option{awsauth.WithProfile("ops")} },
	"AWS_PROFILE": func(c *cast, _ *identityCase) []awsauth.Option {
		c.Env("AWS_PROFILE=ops")
		return nil
	},
	"default": func(_ *cast, tt *identityCase) []awsauth.Option {
		r := strings.NewReplacer("[profile ops]", "[default]", "[ops]", "[default]", "source_profile = ops", "source_profile = default")
		tt.config, tt.credentials = r.Replace(tt.config), r.Replace(tt.credentials)
		return nil
	},
}

// asWritten is for cases that bring their profile into force themselves.
var asWritten = map[string]func(*cast, *identityCase) []awsauth.Option{
	"": func(*cast, *identityCase) []awsauth.Option { return nil },
}

// runIdentity runs cases in every way, and the first of the ways in China too.
func runIdentity(t *testing.T, how map[string]func(*cast, *identityCase) []awsauth.Option, cases []identityCase) {
	t.Helper()
	for _, tt := range cases {
		for way, option := range how {
			if tt.way != "" && tt.way != way {
				continue
			}
			name := strings.TrimSuffix(tt.name+"/"+way, "/")
			t.Run(name, func(t *testing.T) { tt.run(newCast(t, awsauth.AWS), option) })
			if way == "WithProfile" || way == "" {
				t.Run(name+"/China", func(t *testing.T) {
					tt.run(newCast(t, awsauth.China), option, awsauth.WithPartition(awsauth.China))
				})
			}
		}
	}
}

// run takes its case by value: a way may change the files.
func (tt identityCase) run(c *cast, how func(*cast, *identityCase) []awsauth.Option, opts ...awsauth.Option) {
	c.T.Helper()
	if tt.setup != nil {
		tt.setup(c)
	}
	opts = append(opts, how(c, &tt)...)
	for _, pair := range tt.env {
		c.Env(c.text(pair))
	}
	c.Files(c.text(tt.config), c.text(tt.credentials))
	if tt.opts != nil {
		opts = append(opts, tt.opts(c)...)
	}
	s, err := c.Try(opts...)
	if tt.who == "" {
		kind := tt.kind
		if kind == "" {
			kind = awsauth.InvalidOption
		}
		if err == nil {
			c.T.Fatalf("accepted: it is %s", c.IdentityOf(s))
		}
		lab.RequireBad(c.T, err, kind, tt.filled(c)...)
		for _, k := range []awsauthtest.Keys{c.Keys, c.other, c.third} {
			assert.NotContains(c.T, err.Error(), k.SecretAccessKey)
		}
		assert.Empty(c.T, c.Said(), "no call leaves")
		return
	}
	require.NoError(c.T, err)
	assert.Equal(c.T, c.arnOf(tt.who), c.IdentityOf(s))
	if tt.region != "" {
		assert.Equal(c.T, c.text(tt.region), s.Config().Region)
	}
	if tt.who != "role/"+bystander && !c.machineNamed {
		c.left()
	}
}

// filled are the texts that the refusal must have.
func (tt identityCase) filled(c *cast) (parts []string) {
	for _, part := range tt.text {
		parts = append(parts, c.text(part))
	}
	return parts
}

// arnOf is the ARN, as identity shows it, of "user/x", or of "role/x" of the home
// account, or of "target/x" of the other.
func (c *cast) arnOf(who string) string {
	if role, ok := strings.CutPrefix(who, "role/"); ok {
		return c.Became(lab.Home, role)
	}
	if role, ok := strings.CutPrefix(who, "target/"); ok {
		return c.Became(lab.Target, role)
	}
	return c.ARN(lab.Home, who)
}

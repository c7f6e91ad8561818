package main

import (
	"context"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// step is one thing that a user comes for. code is what is printed, and one of run, hours
// and fleet is what happens; a test holds the one against the other. What the func has
// beside the code is the option local, which sends the calls to the AWS in this process,
// and the return at its end.
type step struct {
	title string
	given given
	code  string
	run   func(id, secret string, local awsauth.Option) (*awsauth.Session, error)
	hours func(ctx context.Context, local awsauth.Option) ([]error, error)
	fleet func(ctx context.Context, accounts []string, whoami visitor, local awsauth.Option) (map[string]awsauth.Identity, error)
	note  string // what to see in the result; may be empty
	want  want
}

// given is the machine that the code runs on.
type given struct {
	words       string                // what cannot be shown as a file or a command; may be empty
	user        string                // whose keys are $KEY_ID and $SECRET below, and keys in the code
	env         []string              // NAME=value
	config      string                // ~/.aws/config
	credentials string                // ~/.aws/credentials
	instance    *awsauthtest.Instance // where the code runs; nil for a laptop
}

// want is what the step must come to: an identity, or an error of a kind.
type want struct {
	identity string // an ARN; a role session's without the name of the session
	region   string
	found    []string // account ids, of many accounts
	calls    []string // "host action"
	fails    awsauth.Kind
}

// sharedFiles are those that are there, as their owner names them.
func (g given) sharedFiles() (files []sharedText) {
	for _, file := range []sharedText{{"~/.aws/config", g.config}, {"~/.aws/credentials", g.credentials}} {
		if file.text != "" {
			files = append(files, file)
		}
	}
	return files
}

type sharedText struct{ path, text string }

// Who is there in the demo's AWS; see newWorld for the roles.
const (
	ana    = "arn:aws:iam::111111111111:user/ana"
	anaCN  = "arn:aws-cn:iam::444444444444:user/ana"
	server = "arn:aws:iam::111111111111:role/web"
)

// Calls that many steps make.
const (
	askUS    = "sts.us-east-1.amazonaws.com GetCallerIdentity"
	assumeUS = "sts.us-east-1.amazonaws.com AssumeRole"
	assumeCN = "sts.cn-north-1.amazonaws.com.cn AssumeRole"
)

// inEnv are the keys of given.user where most people have them first.
var inEnv = []string{"AWS_ACCESS_KEY_ID=$KEY_ID", "AWS_SECRET_ACCESS_KEY=$SECRET"}

// starts are the steps about who one starts as.
var starts = []step{
	{
		title: "Keys in the environment: the default chain",
		given: given{user: ana, env: inEnv},
		code:  `s, err := awsauth.New()`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(local)
			return s, err
		},
		want: want{identity: ana, region: "us-east-1", calls: []string{askUS}},
	},
	{
		title: "The same line on an EC2 instance in eu-central-1, nothing configured",
		given: given{
			words:    "an instance in eu-central-1 with the role web",
			instance: &awsauthtest.Instance{RoleARN: server, Region: "eu-central-1"},
		},
		code: `s, err := awsauth.New()`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(local)
			return s, err
		},
		note: "Keys and region both came from the instance metadata (169.254.169.254).",
		want: want{
			identity: "arn:aws:sts::111111111111:assumed-role/web", region: "eu-central-1",
			calls: []string{
				"169.254.169.254 GetToken, GetRegion, GetRole, GetCredentials",
				"sts.eu-central-1.amazonaws.com GetCallerIdentity",
			},
		},
	},
	{
		title: "Keys that the program has: from a vault, a form, a database",
		given: given{words: "keys of ana in id and secret", user: ana},
		code: `s, err := awsauth.New(awsauth.WithRegion("eu-west-1"),
	awsauth.WithStaticCredentials(id, secret, ""))`,
		run: func(id, secret string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithRegion("eu-west-1"),
				awsauth.WithStaticCredentials(id, secret, ""), local)
			return s, err
		},
		want: want{identity: ana, region: "eu-west-1", calls: []string{"sts.eu-west-1.amazonaws.com GetCallerIdentity"}},
	},
	{
		title: "A profile that jumps to a role",
		given: given{user: ana, config: `[profile prod]
role_arn = arn:aws:iam::222222222222:role/manage-role
source_profile = dev
region = eu-central-1
`, credentials: `[dev]
aws_access_key_id = $KEY_ID
aws_secret_access_key = $SECRET
`},
		code: `s, err := awsauth.New(awsauth.WithProfile("prod"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithProfile("prod"), local)
			return s, err
		},
		note: "The end of the ARN is user@host, so that CloudTrail tells callers apart (WithSessionName).",
		want: want{
			identity: "arn:aws:sts::222222222222:assumed-role/manage-role", region: "eu-central-1",
			calls: []string{"sts.eu-central-1.amazonaws.com AssumeRole manage-role in 222222222222"},
		},
	},
}

// roles are the steps about becoming somebody else.
var roles = []step{
	{
		title: "A role in another account",
		given: given{user: ana, env: inEnv},
		code: `s, err := awsauth.New(awsauth.WithAccount("222222222222"),
	awsauth.WithRole("deploy"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithAccount("222222222222"),
				awsauth.WithRole("deploy"), local)
			return s, err
		},
		note: "Without WithRole the role is " + awsauth.DefaultRole + ".",
		want: want{
			identity: "arn:aws:sts::222222222222:assumed-role/deploy", region: "us-east-1",
			calls: []string{assumeUS + " deploy in 222222222222"},
		},
	},
	{
		title: "The same in China, from a laptop set up for us-east-1",
		given: given{user: anaCN, env: []string{"AWS_REGION=us-east-1"}, credentials: `[china] # keys of partition aws-cn
aws_access_key_id = $KEY_ID
aws_secret_access_key = $SECRET
`},
		code: `s, err := awsauth.New(awsauth.WithProfile("china"),
	awsauth.WithPartition(awsauth.China),
	awsauth.WithAccount("555555555555"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithProfile("china"),
				awsauth.WithPartition(awsauth.China),
				awsauth.WithAccount("555555555555"), local)
			return s, err
		},
		note: "us-east-1 is not in aws-cn, so it gave way: role, region and STS host are China's.",
		want: want{
			identity: "arn:aws-cn:sts::555555555555:assumed-role/manage-role", region: "cn-north-1",
			calls: []string{assumeCN + " manage-role in 555555555555"},
		},
	},
	{
		title: "Over a hub role to a second one, which trusts only the hub",
		given: given{user: ana, env: inEnv},
		code: `hub, err := awsauth.New(awsauth.WithAccount("222222222222"),
	awsauth.WithRole("hub"))
if err != nil {
	return nil, err
}
s, err := hub.Assume(awsauth.WithAccount("333333333333"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			hub, err := awsauth.New(awsauth.WithAccount("222222222222"),
				awsauth.WithRole("hub"), local)
			if err != nil {
				return nil, err
			}
			s, err := hub.Assume(awsauth.WithAccount("333333333333"))
			return s, err
		},
		note: "The session hub stays usable, and any number of others can start from it.",
		want: want{
			identity: "arn:aws:sts::333333333333:assumed-role/manage-role", region: "us-east-1",
			calls: []string{assumeUS + " hub in 222222222222", assumeUS + " manage-role in 333333333333"},
		},
	},
}

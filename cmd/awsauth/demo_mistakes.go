package main

import (
	"github.com/chaoxiaodi/awsauth"
)

// mistakes are the steps that go wrong, as they do for everybody once.
var mistakes = []step{
	{
		title: "An account id that lost its leading zero in a spreadsheet",
		given: given{user: ana, env: inEnv},
		code:  `s, err := awsauth.New(awsauth.WithAccount("12345678901"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithAccount("12345678901"), local)
			return s, err
		},
		want: want{fails: awsauth.InvalidOption},
	},
	{
		title: "A role in China, a region that is not",
		given: given{words: "keys of partition aws-cn", user: anaCN, env: inEnv},
		code: `s, err := awsauth.New(awsauth.WithRegion("us-east-1"),
	awsauth.WithRoleARN("arn:aws-cn:iam::555555555555:role/ops"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithRegion("us-east-1"),
				awsauth.WithRoleARN("arn:aws-cn:iam::555555555555:role/ops"), local)
			return s, err
		},
		want: want{fails: awsauth.WrongPartition},
	},
	{
		title: "Half a key pair in the environment, and other keys behind it",
		given: given{user: ana, env: []string{"AWS_ACCESS_KEY_ID=$KEY_ID"}, credentials: `[default]
aws_access_key_id = $KEY_ID
aws_secret_access_key = $SECRET
`},
		code: `s, err := awsauth.New()`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(local)
			return s, err
		},
		note: "aws-sdk-go-v2 alone says nothing here: it goes on with the keys of the default profile.",
		want: want{fails: awsauth.InvalidOption},
	},
	{
		title: "Keys of AWS, sent to China",
		given: given{words: "keys of partition aws", user: ana, env: inEnv},
		code: `s, err := awsauth.New(awsauth.WithPartition(awsauth.China),
	awsauth.WithAccount("555555555555"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithPartition(awsauth.China),
				awsauth.WithAccount("555555555555"), local)
			return s, err
		},
		want: want{fails: awsauth.InvalidKey, calls: []string{assumeCN + " → InvalidClientTokenId"}},
	},
	{
		title: "A role that does not trust you",
		given: given{user: ana, env: inEnv},
		code:  `s, err := awsauth.New(awsauth.WithAccount("333333333333"))`,
		run: func(_, _ string, local awsauth.Option) (*awsauth.Session, error) {
			s, err := awsauth.New(awsauth.WithAccount("333333333333"), local)
			return s, err
		},
		want: want{fails: awsauth.AccessDenied, calls: []string{assumeUS + " → AccessDenied"}},
	},
}

// kindNames are the kinds above as a program writes them.
var kindNames = map[awsauth.Kind]string{
	awsauth.InvalidOption:  "awsauth.InvalidOption",
	awsauth.WrongPartition: "awsauth.WrongPartition",
	awsauth.InvalidKey:     "awsauth.InvalidKey",
	awsauth.AccessDenied:   "awsauth.AccessDenied",
}

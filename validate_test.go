package awsauth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestBadOptions are those of New alone.
func TestBadOptions(t *testing.T) {
	good := awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, "")
	failing := errors.New("no such certificate")
	tests := []struct {
		name string
		opts []awsauth.Option
		text []string
	}{
		{"id without secret", []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, "", "")}, []string{"WithStaticCredentials", "AKIA…MPLE"}},
		{"secret without id", []awsauth.Option{awsauth.WithStaticCredentials("", lab.SomeSecret, "")}, []string{"WithStaticCredentials", "access key id is empty"}},
		{"token alone", []awsauth.Option{awsauth.WithStaticCredentials("", "", lab.SomeSecret)}, []string{"WithStaticCredentials", "token"}},
		{"id and token", []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, "", "token")}, []string{"WithStaticCredentials"}},
		{"keys swapped, half", []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeSecret, "", "")}, []string{"WithStaticCredentials"}},
		{"line break in the secret", []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret+"\n", "")}, []string{"white space", "AKIA…MPLE"}},
		{"half a pair beside a provider", []awsauth.Option{
			awsauth.WithStaticCredentials(lab.SomeID, "", ""), awsauth.WithCredentialsProvider(lab.NoKeys{}),
		}, []string{"WithStaticCredentials"}},
		{"region", []awsauth.Option{good, awsauth.WithRegion("mars-east-1")}, []string{`WithRegion("mars-east-1")`}},
		{"availability zone", []awsauth.Option{good, awsauth.WithRegion("cn-north-1a")}, []string{"availability zone", `"cn-north-1"`}},
		{"region in capitals", []awsauth.Option{good, awsauth.WithRegion("US-EAST-1")}, []string{`"us-east-1"`}},
		{"region with a blank", []awsauth.Option{good, awsauth.WithRegion("us-east-1 ")}, []string{`"us-east-1"`}},
		{"host as region", []awsauth.Option{good, awsauth.WithRegion("us-east-1.example.com/")}, []string{"WithRegion("}},
		{"region of a load option", []awsauth.Option{good, awsauth.WithLoadOptions(config.WithRegion("mars-east-1"))}, []string{"mars-east-1"}},
		{"partition", []awsauth.Option{good, awsauth.WithPartition("aws-mars")}, []string{`WithPartition("aws-mars")`, "aws-us-gov"}},
		{"partition by another name", []awsauth.Option{good, awsauth.WithPartition("china")}, []string{`WithPartition("china")`, "aws-cn"}},
		{"endpoint over http", []awsauth.Option{good, awsauth.WithSTSEndpoint("http://sts.example.com")}, []string{"WithSTSEndpoint(", "https"}},
		{"endpoint without scheme", []awsauth.Option{good, awsauth.WithSTSEndpoint("sts.example.com")}, []string{"WithSTSEndpoint("}},
		{"endpoint of another scheme", []awsauth.Option{good, awsauth.WithSTSEndpoint("ftp://127.0.0.1")}, []string{"WithSTSEndpoint(", "https"}},
		{"endpoint with a password", []awsauth.Option{good, awsauth.WithSTSEndpoint("https://u:" + "s3cr3t" + "@sts.example.com")}, []string{"WithSTSEndpoint("}},
		{"endpoint that only looks like loopback", []awsauth.Option{good, awsauth.WithSTSEndpoint("http://127.0.0.1.example.com")}, []string{"may be on the internet", "https"}},
		{"load option", []awsauth.Option{good, awsauth.WithLoadOptions(func(*config.LoadOptions) error { return failing })}, []string{"WithLoadOptions", failing.Error()}},
		{"role without account", []awsauth.Option{good, awsauth.WithRole("ops")}, []string{"WithRole", "WithAccount"}},
		{"session name without account", []awsauth.Option{good, awsauth.WithSessionName("ana")}, []string{"WithSessionName", "WithAccount"}},
		{"duration without account", []awsauth.Option{good, awsauth.WithDuration(time.Hour)}, []string{"WithDuration", "WithAccount"}},
		{"tags without account", []awsauth.Option{good, awsauth.WithTags(map[string]string{"a": "b"})}, []string{"WithTags", "WithAccount"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			w.OnInstance()
			_, err := w.Try(tt.opts...)
			lab.RequireBad(t, err, awsauth.InvalidOption, tt.text...)
			assert.NotContains(t, err.Error(), "\n", "one fault, one line")
			assert.NotContains(t, err.Error(), "s3cr3t")
			assert.Empty(t, w.Said())
		})
	}
}

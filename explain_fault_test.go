package awsauth_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// faultOfNew is something that New refuses, and where its report ends.
type faultOfNew struct {
	opts   func(w *lab.Place) []awsauth.Option
	row    string // the last
	before string // a row before it, "" for none
}

// faultsOfSources are found where the source is decided.
func faultsOfSources() map[string]faultOfNew {
	mfa := "[profile admin]\nrole_arn = $BASE\nsource_profile = keys\nmfa_serial = arn:aws:iam::111111111111:mfa/ana\n[profile keys]\n" + lab.KeyLines
	return map[string]faultOfNew{
		"unknown profile": {func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("opss")}
		}, "profile (option)", ""},
		"unknown AWS_PROFILE": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_PROFILE=opss"); return nil }, "profile", "environment"},
		"half keys, option": {func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithStaticCredentials(lab.SomeID, "", "")}
		},
			"static keys (option)", "profile (option)"},
		"half keys, environment": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_ACCESS_KEY_ID=" + lab.SomeID); return nil }, "environment", "static keys (option)"},
		"half keys, profile": {func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\naws_access_key_id = x\n", "")
			return nil
		}, "profile \"default\"", "web identity"},
		"MFA": {func(w *lab.Place) []awsauth.Option {
			w.Files(mfa, "")
			return []awsauth.Option{awsauth.WithProfile("admin")}
		}, "profile (option)", ""},
		"MFA by AWS_PROFILE": {func(w *lab.Place) []awsauth.Option { w.Files(mfa, ""); w.Env("AWS_PROFILE=admin"); return nil }, "profile \"admin\"", "environment"},
		"nil provider":       {func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithCredentialsProvider(nil)} }, "provider (option)", "static keys (option)"},
		"web identity without a role": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_WEB_IDENTITY_TOKEN_FILE=/x"); return nil },
			"web identity", "environment"},
		"container": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=x"); return nil }, "container", "profile \"default\""},
		"metadata address": {func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT=127.0.0.1:1", "AWS_EC2_METADATA_DISABLED=false")
			return nil
		}, "EC2", "container"},
	}
}

// faultsBesideSources are found where the source is known.
func faultsBesideSources() map[string]faultOfNew {
	return map[string]faultOfNew{
		"region":     {func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static(), awsauth.WithRegion("mars")} }, "WithRegion", "static keys (option)"},
		"AWS_REGION": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_REGION=mars"); return []awsauth.Option{w.Static()} }, "region \"mars\"", "static keys (option)"},
		"wrong partition": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithRegion("us-east-1"), awsauth.WithRoleARN(lab.ChinaRole)}
		}, "partition", "static keys (option)"},
		"wrong partition, profile": {func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithRegion("cn-north-1")}
		}, "partition", "profile (option)"},
		"account": {func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static(), awsauth.WithAccount("12")} }, "WithAccount", "static keys (option)"},
		"STS endpoint": {func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{w.Static(), awsauth.WithSTSEndpoint("localhost:1")}
		}, "WithSTSEndpoint", "static keys (option)"},
		"endpoint": {func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL=localhost:1")
			return []awsauth.Option{w.Static()}
		}, "AWS_ENDPOINT_URL", "static keys (option)"},
		"temporary only": {func(w *lab.Place) []awsauth.Option { return []awsauth.Option{w.Static(), awsauth.WithTemporaryOnly()} }, "WithTemporaryOnly", "static keys (option)"},
		"chained": {func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("ops"), awsauth.WithAccount(lab.Target), awsauth.WithDuration(2 * time.Hour)}
		}, "WithDuration", "profile (option)"},
		"CA bundle": {func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_CA_BUNDLE=/nowhere")
			return []awsauth.Option{w.Static()}
		}, "AWS_CA_BUNDLE", "static keys (option)"},
		"environment": {func(w *lab.Place) []awsauth.Option { w.Env("AWS_MAX_ATTEMPTS=x"); return []awsauth.Option{w.Static()} }, "environment", ""},
		"load option": {func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(func(*config.LoadOptions) error { return errors.New("no") })}
		}, "WithLoadOptions", ""},
		"many": {func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ACCESS_KEY_ID=" + lab.SomeID)
			return []awsauth.Option{awsauth.WithRegion("mars"), awsauth.WithAccount("12")}
		}, "environment", "static keys (option)"},
	}
}

// TestReportUpToTheFault: an error of New has the rows up to the fault, and the last
// one is the fault.
func TestReportUpToTheFault(t *testing.T) {
	tests := faultsOfSources()
	maps.Copy(tests, faultsBesideSources())
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			_, err := w.Try(tt.opts(w)...)
			require.Error(t, err)
			for _, one := range eachError(err) {
				report, ok := one.Report()
				require.True(t, ok, "%v", one)
				require.NotEmpty(t, report.Steps)
				last := report.Steps[len(report.Steps)-1]
				assert.Equal(t, awsauth.Failed, last.Status, report.String())
				assert.Contains(t, last.Source, tt.row)
				assert.NotEmpty(t, last.Detail)
				assert.NotContains(t, report.String(), w.Keys.SecretAccessKey)
				var sources []string
				for _, step := range report.Steps[:len(report.Steps)-1] {
					assert.NotEqual(t, awsauth.Failed, step.Status, report.String())
					assert.NotEmpty(t, step.Detail)
					sources = append(sources, step.Source)
				}
				if tt.before != "" {
					assert.Contains(t, sources, tt.before, report.String())
				}
				lab.ReportIsCalm(t, report)
			}
			assert.Empty(t, w.Said())
		})
	}
}

// eachError lists the *Errors that an error of New joins.
func eachError(err error) (all []*awsauth.Error) {
	if e, ok := err.(*awsauth.Error); ok {
		return []*awsauth.Error{e}
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			all = append(all, eachError(one)...)
		}
	}
	return all
}

// TestNoReportOfOtherErrors: a session that could be made is asked itself.
func TestNoReportOfOtherErrors(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	s := w.Open(w.Static())
	_, err := s.Assume(awsauth.WithAccount("12"))
	require.Error(t, err)
	for _, one := range eachError(err) {
		_, ok := one.Report()
		assert.False(t, ok)
	}
	w.Deactivate(w.Keys.AccessKeyID)
	_, err = s.Identity(context.Background())
	require.Error(t, err)
	_, ok := err.(*awsauth.Error).Report()
	assert.False(t, ok)
	var none *awsauth.Error
	_, ok = none.Report()
	assert.False(t, ok)
	assert.False(t, strings.Contains(s.Explain().String(), "\x00"))
}

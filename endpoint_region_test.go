package awsauth_test

//lint:file-ignore SA1019 importers still use the older endpoint resolvers

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestEndpointNamesTheRegion: a request is signed for the region that the chosen
// host itself names, whatever the session's.
func TestEndpointNamesTheRegion(t *testing.T) {
	tests := []struct {
		partition               awsauth.Partition
		region, endpoint, scope string
	}{
		{awsauth.AWS, "me-central-1", "https://sts.us-east-1.amazonaws.com", "us-east-1"},
		{awsauth.AWS, "me-central-1", "https://sts.us-east-1.amazonaws.com/", "us-east-1"},
		{awsauth.AWS, "me-central-1", "https://STS.US-EAST-1.amazonaws.com", "us-east-1"},
		{awsauth.AWS, "us-east-1", "https://sts.eu-west-1.amazonaws.com", "eu-west-1"},
		{awsauth.AWS, "ap-south-2", "https://sts.amazonaws.com", "us-east-1"},
		{awsauth.AWS, "eu-west-1", "https://sts-fips.us-west-2.amazonaws.com", "us-west-2"},
		{awsauth.AWS, "eu-west-1", "https://sts.eu-central-1.api.aws", "eu-central-1"},
		{awsauth.AWS, "us-east-1", "https://vpce-0a1b-2c3d.sts.eu-west-1.vpce.amazonaws.com", "eu-west-1"},
		{awsauth.AWS, "us-east-1", "https://vpce-0a1b-2c3d-eu-west-1a.sts.eu-west-1.vpce.amazonaws.com", "eu-west-1"},
		{awsauth.China, "cn-north-1", "https://sts.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
		{awsauth.China, "cn-north-1", "https://vpce-0a1b.sts.cn-northwest-1.vpce.amazonaws.com.cn", "cn-northwest-1"},
		{awsauth.China, "cn-north-1", "https://sts.cn-northwest-1.api.amazonwebservices.com.cn", "cn-northwest-1"},
		{awsauth.GovCloud, "us-gov-west-1", "https://sts.us-gov-east-1.amazonaws.com", "us-gov-east-1"},
		{awsauth.GovCloud, "us-gov-west-1", "https://vpce-0a1b.sts.us-gov-east-1.vpce.amazonaws.com", "us-gov-east-1"},
		{awsauth.EUSovereign, "eusc-de-east-1", "https://sts.eusc-de-east-9.api.amazonwebservices.eu", "eusc-de-east-9"},
		{awsauth.ISO, "us-iso-east-1", "https://sts.us-iso-west-1.c2s.ic.gov", "us-iso-west-1"},
		{awsauth.ISO, "us-iso-east-1", "https://sts.us-iso-west-1.api.aws.ic.gov", "us-iso-west-1"},
		{awsauth.ISOB, "us-isob-east-1", "https://sts.us-isob-west-1.api.aws.scloud", "us-isob-west-1"},
		{awsauth.ISOE, "eu-isoe-west-1", "https://sts.eu-isoe-west-9.api.cloud-aws.adc-e.uk", "eu-isoe-west-9"},
		{awsauth.ISOF, "us-isof-south-1", "https://sts.us-isof-east-1.api.aws.hci.ic.gov", "us-isof-east-1"},
	}
	for _, tt := range tests {
		for from, say := range endpointPlaces(tt.endpoint) {
			t.Run(tt.endpoint+"/"+from, func(t *testing.T) {
				w := lab.New(t, tt.partition)
				opts := say(w)
				s := w.Open(append(opts, w.Static(), awsauth.WithRegion(tt.region), awsauth.WithAccount(lab.Target))...)
				assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
				_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err, "a client of Config goes there too")
				require.NotEmpty(t, w.Calls())
				for _, c := range w.Calls("AssumeRole") {
					assert.Equal(t, tt.scope, c.Region)
					assert.Contains(t, strings.ToLower(tt.endpoint), strings.ToLower(c.Host))
				}
				assert.Equal(t, tt.region, s.Config().Region, "the session stays where it is")
				step, _ := lastStep(s)
				assert.Contains(t, strings.ToLower(step.Detail), strings.Trim(strings.ToLower(tt.endpoint[len("https://"):]), "/"))
			})
		}
	}
}

// endpointPlaces are the places that an address of STS may be written in.
func endpointPlaces(address string) map[string]func(*lab.Place) []awsauth.Option {
	return map[string]func(*lab.Place) []awsauth.Option{
		"WithSTSEndpoint": func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithSTSEndpoint(address)} },
		"AWS_ENDPOINT_URL_STS": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_ENDPOINT_URL_STS=" + address)
			return nil
		},
		"profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\nendpoint_url = "+address+"\n", "")
			return nil
		},
		"services section": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\nservices = here\n[services here]\nsts =\n  endpoint_url = "+address+"\n", "")
			return nil
		},
	}
}

// lastStep is the last row of what a session explains.
func lastStep(s *awsauth.Session) (awsauth.Step, bool) {
	steps := s.Explain().Steps
	if len(steps) == 0 {
		return awsauth.Step{}, false
	}
	return steps[len(steps)-1], true
}

// TestEndpointOfAnotherPartition is refused before any call: the keys would be
// shown to a world that does not know them.
func TestEndpointOfAnotherPartition(t *testing.T) {
	tests := []struct {
		partition awsauth.Partition
		opts      func(w *lab.Place) []awsauth.Option
		endpoint  string
	}{
		{awsauth.AWS, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion("us-east-1")} }, "https://sts.cn-north-1.amazonaws.com.cn"},
		{awsauth.AWS, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithPartition(awsauth.AWS)} }, "https://sts.us-gov-west-1.amazonaws.com"},
		{awsauth.AWS, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRoleARN(lab.ManageRole)} }, "https://vpce-0a1b.sts.cn-north-1.vpce.amazonaws.com.cn"},
		{awsauth.China, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRoleARN(lab.ChinaRole)} }, "https://sts.amazonaws.com"},
		{awsauth.China, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion("cn-north-1")} }, "https://sts.us-east-1.api.aws"},
		{awsauth.GovCloud, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRoleARN(lab.GovRole)} }, "https://sts-fips.us-east-1.amazonaws.com"},
		{awsauth.AWS, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion("us-east-1")} }, "https://sts.eusc-de-east-1.api.amazonwebservices.eu"},
		{awsauth.AWS, func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion("us-east-1")} }, "https://sts.us-iso-east-1.api.aws.ic.gov"},
		{awsauth.China, func(w *lab.Place) []awsauth.Option {
			w.Files("[profile ops]\nrole_arn = $BASE\nsource_profile = keys\n[profile keys]\n"+lab.KeyLines, "")
			return []awsauth.Option{awsauth.WithProfile("ops")}
		}, "https://sts.eu-west-1.amazonaws.com"},
	}
	for _, tt := range tests {
		for _, from := range []string{"option", "variable"} {
			t.Run(tt.endpoint+"/"+from, func(t *testing.T) {
				w := lab.New(t, tt.partition)
				opts := append(tt.opts(w), w.Static())
				if from == "option" {
					opts = append(opts, awsauth.WithSTSEndpoint(tt.endpoint))
				} else {
					w.Env("AWS_ENDPOINT_URL_STS=" + tt.endpoint)
				}
				_, err := w.Try(opts...)
				lab.RequireBad(t, err, awsauth.WrongPartition, tt.endpoint[len("https://"):])
				assert.Empty(t, w.Said())
			})
		}
	}
}

// TestEndpointBindsThePartition: a child of a session whose address of
// STS is in another partition is refused as well.
func TestEndpointBindsThePartition(t *testing.T) {
	w := lab.New(t, awsauth.China)
	s := w.Open(w.Static(), awsauth.WithSTSEndpoint("https://sts.cn-northwest-1.amazonaws.com.cn"))
	assert.Equal(t, awsauth.China, s.Explain().Partition)
	assert.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
	w.ResetCalls()
	_, err := s.Assume(awsauth.WithRoleARN(lab.ManageRole))
	lab.RequireBad(t, err, awsauth.WrongPartition, lab.ManageRole)
	assert.Empty(t, w.Said())
}

// TestGlobalEndpointWarns: the tokens of the global address do not work in regions
// that have to be enabled first.
func TestGlobalEndpointWarns(t *testing.T) {
	for _, tt := range []struct {
		endpoint, region string
		warns            bool
	}{
		{"https://sts.amazonaws.com", "me-central-1", true},
		{"https://sts.amazonaws.com/", "ap-south-2", true},
		{"https://sts.amazonaws.com:443", "il-central-1", true},
		{"https://STS.amazonaws.com", "eu-south-2", true},
		{"https://sts.amazonaws.com", "eu-west-1", false},
		{"https://sts.me-central-1.amazonaws.com", "me-central-1", false},
	} {
		t.Run(tt.endpoint+" "+tt.region, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			log := new(lab.Records)
			_ = w.Open(w.Static(), awsauth.WithRegion(tt.region), awsauth.WithSTSEndpoint(tt.endpoint), log.Option())
			assert.Equal(t, tt.warns, log.Has("WARN", "global address"), log.String())
		})
	}
}

// oldResolver is a resolver of the SDK's first kind.
func oldResolver(url string) func(*config.LoadOptions) error {
	return config.WithEndpointResolverWithOptions(aws.EndpointResolverWithOptionsFunc(
		func(service, region string, _ ...any) (aws.Endpoint, error) {
			return aws.Endpoint{URL: url, SigningRegion: "eu-west-3", HostnameImmutable: true}, nil
		}))
}

// olderResolver is one of the SDK's very first kind.
func olderResolver(url string) func(*config.LoadOptions) error {
	return config.WithEndpointResolver(aws.EndpointResolverFunc(
		func(service, region string) (aws.Endpoint, error) {
			return aws.Endpoint{URL: url, HostnameImmutable: true}, nil
		}))
}

// TestEndpointBeatsOldResolvers: WithSTSEndpoint, or a variable, wins over a
// resolver in WithLoadOptions. Explain and errors name the host that is called.
func TestEndpointBeatsOldResolvers(t *testing.T) {
	const host = "vpce-0a1b.sts.us-east-1.vpce.amazonaws.com"
	for name, resolver := range map[string]func(string) func(*config.LoadOptions) error{"with options": oldResolver, "without": olderResolver} {
		for from, say := range endpointPlaces("https://" + host) {
			t.Run(name+"/"+from, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				opts := append(say(w), w.Static(), awsauth.WithRoleARN(w.ARN(lab.Target, "role/nobody")),
					awsauth.WithLoadOptions(resolver("https://sts.eu-west-3.amazonaws.com")))
				s := w.Open(opts...)
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.AccessDenied)
				require.NotEmpty(t, w.Calls())
				for _, c := range w.Calls() {
					assert.Equal(t, host, c.Host)
				}
				step, _ := lastStep(s)
				assert.Contains(t, step.Detail, host)
				_, err = sts.NewFromConfig(w.Open(append(say(w), w.Static(), awsauth.WithLoadOptions(resolver("https://sts.eu-west-3.amazonaws.com")))...).Config()).
					GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err)
				assert.Equal(t, host, w.Calls("GetCallerIdentity")[0].Host)
			})
		}
	}
}

// TestOldResolverAlone decides where no address of STS is chosen: Explain and
// errors name the host that it leads to.
func TestOldResolverAlone(t *testing.T) {
	for name, resolver := range map[string]func(string) func(*config.LoadOptions) error{"with options": oldResolver, "without": olderResolver} {
		t.Run(name, func(t *testing.T) {
			const host = "sts.eu-west-3.amazonaws.com"
			w := lab.New(t, awsauth.AWS)
			w.Deactivate(w.Keys.AccessKeyID)
			s := w.Open(w.Static(), awsauth.WithRegion("eu-west-3"), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(resolver("https://vpce-9.sts.eu-west-3.vpce.amazonaws.com")))
			step, _ := lastStep(s)
			assert.Contains(t, step.Detail, "vpce-9.sts.eu-west-3.vpce.amazonaws.com")
			_, err := s.Retrieve(t.Context())
			lab.RequireBad(t, err, awsauth.InvalidKey, "vpce-9.sts.eu-west-3.vpce.amazonaws.com")
			assert.NotContains(t, err.Error(), host+" ")
			for _, c := range w.Calls() {
				assert.Equal(t, "vpce-9.sts.eu-west-3.vpce.amazonaws.com", c.Host)
			}
		})
	}
}

package awsauth_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

func lookup(host string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
}

// TestRegionsOfOthers: services that only look like AWS's have regions of their
// own. They pass where WithPartition says where STS is.
func TestRegionsOfOthers(t *testing.T) {
	tests := []struct {
		partition awsauth.Partition
		region    string
	}{
		{awsauth.AWS, "auto"}, {awsauth.AWS, "xx-local-1"}, {awsauth.AWS, "garage"}, {awsauth.AWS, "local"}, {awsauth.AWS, "us-east"},
		{awsauth.China, "auto"}, {awsauth.China, "minio-1"}, {awsauth.GovCloud, "auto"}, {awsauth.EUSovereign, "eu1"},
	}
	for _, tt := range tests {
		for from, say := range regionPlaces(tt.region) {
			t.Run(string(tt.partition)+"/"+tt.region+"/"+from, func(t *testing.T) {
				w := newPlace(t, tt.partition)
				opts := append(say(w), w.static(), awsauth.WithAccount(target))
				_, err := w.try(opts...)
				requireBad(t, err, awsauth.InvalidOption, tt.region, "WithPartition")
				assert.Empty(t, w.said())

				s := w.open(append(opts, awsauth.WithPartition(tt.partition))...)
				assert.Equal(t, tt.region, s.Config().Region)
				assert.Equal(t, w.became(target, "manage-role"), w.identity(s))
				main := regionsOf[tt.partition].main
				assert.Equal(t, []string{"AssumeRole/manage-role " + stsHost(main) + " " + main + " user"}, w.said())
				step, _ := lastStep(s)
				assert.Contains(t, step.Detail, stsHost(main))

				child, err := s.Assume(awsauth.WithAccount(target), awsauth.WithRole("team/ops"))
				require.NoError(t, err)
				assert.Equal(t, tt.region, child.Config().Region)
				assert.Equal(t, w.became(target, "ops"), w.identity(child))

				_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err, "a client of STS from Config finds it too")
			})
		}
	}
}

// regionPlaces are the places that a region may be written in.
func regionPlaces(region string) map[string]func(*place) []awsauth.Option {
	return map[string]func(*place) []awsauth.Option{
		"WithRegion": func(*place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion(region)} },
		"config.WithRegion": func(*place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithRegion(region))}
		},
		"AWS_REGION": func(w *place) []awsauth.Option {
			w.env("AWS_REGION=" + region)
			return nil
		},
		"profile": func(w *place) []awsauth.Option {
			w.files("[default]\nregion = "+region+"\n", "")
			return nil
		},
	}
}

// TestRegionsThatCannotBe are refused with WithPartition too: they would become
// part of a host's name.
func TestRegionsThatCannotBe(t *testing.T) {
	for _, region := range []string{"evil.example.com", "us-east-1.evil.example", "a/b", "auto@evil", "auto:80", "ünïcode", "a b", "auto\n", "US-EAST-1", "us-east-1a", "-auto", "x#", "x?y", strings.Repeat("a", 64)} {
		for from, say := range regionPlaces(region) {
			if from == "profile" && region == "auto\n" {
				continue // a line end ends the value
			}
			t.Run(region+"/"+from, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				_, err := w.try(append(say(w), w.static(), awsauth.WithAccount(target), awsauth.WithPartition(awsauth.AWS))...)
				requireBad(t, err, awsauth.InvalidOption)
				errorIsCalm(t, err)
				assert.Empty(t, w.said())
			})
		}
	}
}

// TestRegionPutIntoACopy of the configuration is refused before anything is signed
// where it is of another partition.
func TestRegionPutIntoACopy(t *testing.T) {
	regions := map[awsauth.Partition]string{awsauth.AWS: "us-west-2", awsauth.China: "cn-northwest-1", awsauth.GovCloud: "us-gov-east-1",
		awsauth.EUSovereign: "eusc-de-east-1", awsauth.ISO: "us-iso-east-1"}
	opts := map[string]func(w *place) []awsauth.Option{
		"WithPartition": func(w *place) []awsauth.Option { return []awsauth.Option{awsauth.WithPartition(w.p)} },
		"WithRegion":    func(w *place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion(regions[w.p])} },
		"role": func(w *place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithRoleARN(w.arn(target, "role/manage-role"))}
		},
		"AWS_REGION": func(w *place) []awsauth.Option { w.env("AWS_REGION=" + regions[w.p]); return nil },
		"AWS_REGION, hop": func(w *place) []awsauth.Option {
			w.env("AWS_REGION=" + regions[w.p])
			return []awsauth.Option{awsauth.WithAccount(target)}
		},
	}
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud} {
		for name, say := range opts {
			for other, region := range regions {
				if other == p {
					continue
				}
				t.Run(string(p)+"/"+name+"/"+region, func(t *testing.T) {
					w := newPlace(t, p)
					s := w.open(append(say(w), w.static())...)
					cfg := s.Config()
					cfg.Region = region
					_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
					requireBad(t, deepAwsauth(err), awsauth.WrongPartition, region, string(other), string(p))
					_, err = sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.Region = region }).GetCallerIdentity(t.Context(), nil)
					requireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.Region = region })
					requireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					_, err = sts.NewPresignClient(sts.NewFromConfig(cfg)).PresignGetCallerIdentity(t.Context(), nil)
					requireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					assert.Empty(t, w.said(), "nothing is assumed for it")
				})
			}
		}
	}
}

// deepAwsauth is the *Error in an error of a client.
func deepAwsauth(err error) error {
	for err != nil {
		if e, ok := err.(*awsauth.Error); ok {
			return e
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = u.Unwrap()
	}
	return nil
}

// TestRegionOfTheSamePartitionInACopy is nobody's business but the caller's.
func TestRegionOfTheSamePartitionInACopy(t *testing.T) {
	for p, regions := range regionsOf {
		w := newPlace(t, p)
		s := w.open(w.static(), awsauth.WithRegion(regions.main), awsauth.WithAccount(target))
		cfg := s.Config()
		cfg.Region = regions.second
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, regions.second, w.Calls("GetCallerIdentity")[0].Region)
	}
}

// TestInstanceRegionBehindAForeignOne: where an ambient region gives way and the
// chain ends at EC2, the instance's region comes before the default.
func TestInstanceRegionBehindAForeignOne(t *testing.T) {
	tests := []struct {
		partition awsauth.Partition
		instance  string
		ambient   string
		opts      func(w *place) []awsauth.Option
		want      string
	}{
		{awsauth.China, "cn-northwest-1", "us-east-1", withPartition, "cn-northwest-1"},
		{awsauth.China, "cn-northwest-1", "us-east-1", withManageRole, "cn-northwest-1"},
		{awsauth.GovCloud, "us-gov-east-1", "eu-west-1", withPartition, "us-gov-east-1"},
		{awsauth.GovCloud, "us-gov-east-1", "cn-north-1", withManageRole, "us-gov-east-1"},
		{awsauth.AWS, "eu-south-1", "cn-north-1", withPartition, "eu-south-1"},
		{awsauth.China, "cn-northwest-1", "cn-north-1", withPartition, "cn-north-1"},
		{awsauth.China, "cn-northwest-1", "aws-global", withPartition, "cn-northwest-1"},
	}
	for _, tt := range tests {
		for _, from := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "profile"} {
			t.Run(string(tt.partition)+"/"+tt.ambient+"/"+from, func(t *testing.T) {
				w := newPlace(t, tt.partition)
				w.SetInstance(&awsauthtest.Instance{RoleARN: w.arn(home, "role/base"), Region: tt.instance})
				if from == "profile" {
					w.files("[default]\nregion = "+tt.ambient+"\n", "")
				} else {
					w.env(from + "=" + tt.ambient)
				}
				s := w.open(tt.opts(w)...)
				assert.Equal(t, tt.want, s.Config().Region)
				_ = w.identity(s)
				for _, c := range w.Calls("AssumeRole", "GetCallerIdentity") {
					assert.Equal(t, stsHost(tt.want), c.Host)
				}
			})
		}
	}
}

func withPartition(w *place) []awsauth.Option { return []awsauth.Option{awsauth.WithPartition(w.p)} }

func withManageRole(w *place) []awsauth.Option {
	return []awsauth.Option{awsauth.WithRoleARN(w.arn(target, "role/manage-role"))}
}

// TestWhatNamedThePartition: keys of another partition are refused by STS. The
// error says what named the partition, if nobody said it.
func TestWhatNamedThePartition(t *testing.T) {
	for _, tt := range []struct {
		partition awsauth.Partition // of the keys
		ambient   string
		want      string
	}{
		{awsauth.AWS, "cn-north-1", "aws-cn was taken from"}, {awsauth.China, "us-east-1", "aws was taken from"},
		{awsauth.AWS, "us-gov-west-1", "aws-us-gov was taken from"}, {awsauth.GovCloud, "eu-west-1", "aws was taken from"},
		{awsauth.AWS, "eusc-de-east-1", "aws-eusc was taken from"},
	} {
		for _, from := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "profile", "WithProfile"} {
			for _, child := range []bool{false, true} {
				t.Run(tt.ambient+"/"+from, func(t *testing.T) {
					w := newPlace(t, tt.partition)
					opts := []awsauth.Option{w.static()}
					said := from + "=" + tt.ambient
					switch from {
					case "profile":
						w.files("[default]\nregion = "+tt.ambient+"\n", "")
						said = tt.ambient
					case "WithProfile":
						w.files("[profile ops]\nregion = "+tt.ambient+"\n"+keyLines, "")
						opts, said = []awsauth.Option{awsauth.WithProfile("ops")}, tt.ambient
					default:
						w.env(from + "=" + tt.ambient)
					}
					if child {
						opts = append(opts, awsauth.WithAccount(target))
					}
					s := w.open(opts...)
					_, err := s.Identity(t.Context())
					requireBad(t, err, awsauth.InvalidKey, said, tt.want, "WithPartition(")
					assert.NotContains(t, err.Error(), "use aws-cn keys")
				})
			}
		}
	}
}

// TestPlainHTTPOneRule: plain http passes to hosts that are not on the internet, and
// the rule is the same in the option, the variables and the profile.
func TestPlainHTTPOneRule(t *testing.T) {
	tests := map[string]bool{
		"http://localstack:4566": true, "http://localhost:4566": true, "http://127.0.0.1:4566": true, "http://[::1]:4566": true,
		"http://10.1.2.3": true, "http://172.16.0.9": true, "http://192.168.1.1:1": true, "http://sts.corp.internal": true, "http://x.local:9000": true,
		"http://a.localhost": true, "http://[fd00::1]": true,
		"http://sts.example.com": false, "http://sts.amazonaws.com": false, "http://8.8.8.8": false, "http://134744072": false, "http://0x08080808": false,
		"http://172.32.0.1": false, "http://100.64.0.1": false, "http://internal.example": false, "http://notlocal": true, "http://x.local.evil.com": false,
		"http://[2600::1]": false, "http://[::ffff:8.8.8.8]": false, "http://localhost.": true, "http://ai.": false,
		"ftp://localhost": false, "localhost:4566": false, "//localhost:4566": false, "http://": false, "http://u:p@localhost": false, "https://x?y": false,
		" https://localhost": false, "https://localhost:99999": false, "https://local host": false,
	}
	for address, good := range tests {
		places := endpointPlaces(address)
		places["AWS_ENDPOINT_URL"] = func(w *place) []awsauth.Option { w.env("AWS_ENDPOINT_URL=" + address); return nil }
		for from, say := range places {
			if strings.HasPrefix(address, " ") && (from == "profile" || from == "services section") {
				continue // blanks round a value belong to the file
			}
			if address == "http://localhost." {
				continue
			}
			t.Run(address+"/"+from, func(t *testing.T) {
				w := newPlace(t, awsauth.AWS)
				_, err := w.try(append(say(w), w.static(), awsauth.WithAccount(target))...)
				if good {
					require.NoError(t, err)
					return
				}
				requireBad(t, err, awsauth.InvalidOption)
				assert.NotContains(t, err.Error(), "u:p")
				assert.Empty(t, w.said())
			})
		}
	}
}

// userAgents is the SDK's user agent of each request.
type userAgents struct {
	next http.RoundTripper
	all  []string
}

func (u *userAgents) RoundTrip(r *http.Request) (*http.Response, error) {
	u.all = append(u.all, r.Header.Get("User-Agent"))
	if r.Body != nil {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(text)))
	}
	return u.next.RoundTrip(r)
}

// TestProviderSources: a Session names the kinds of its sources, as the SDK's own
// config does, for the user agent of the services' clients.
func TestProviderSources(t *testing.T) {
	var _ aws.CredentialProviderSource = (*awsauth.Session)(nil)
	for _, src := range baseSources() {
		if src.name == "static keys with a token" || strings.HasPrefix(src.name, "static") || src.name == "provider" {
			continue // options of ours: the SDK has no such place
		}
		t.Run(src.name, func(t *testing.T) {
			w := newPlace(t, awsauth.AWS)
			opts := src.fill(w, "us-east-1")
			s := w.open(opts...)
			load := []func(*config.LoadOptions) error{w.LoadOptions()}
			if src.opts != nil {
				load = append(load, config.WithSharedConfigProfile("ops"))
			}
			cfg, err := config.LoadDefaultConfig(t.Context(), load...)
			require.NoError(t, err)
			want := cfg.Credentials.(aws.CredentialProviderSource).ProviderSources()
			got := s.ProviderSources()
			assert.Equal(t, want, got)
			agent := &userAgents{next: w.Client().Transport}
			call := func(c aws.Config) string {
				c.HTTPClient = &http.Client{Transport: agent}
				_, err := sts.NewFromConfig(c).GetCallerIdentity(context.Background(), nil)
				require.NoError(t, err)
				_, features, _ := strings.Cut(agent.all[len(agent.all)-1], " m/")
				features, _, _ = strings.Cut(features, " ")
				return features
			}
			assert.Equal(t, call(cfg), call(s.Config()))
			child, err := s.Assume(awsauth.WithAccount(target))
			require.NoError(t, err)
			assert.Subset(t, child.ProviderSources(), want)
			assert.Contains(t, child.ProviderSources(), aws.CredentialSourceSTSAssumeRole)
		})
	}
}

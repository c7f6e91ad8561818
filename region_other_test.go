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
	"github.com/chaoxiaodi/awsauth/internal/lab"
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
				w := lab.New(t, tt.partition)
				opts := append(say(w), w.Static(), awsauth.WithAccount(lab.Target))
				_, err := w.Try(opts...)
				lab.RequireBad(t, err, awsauth.InvalidOption, tt.region, "WithPartition")
				assert.Empty(t, w.Said())

				s := w.Open(append(opts, awsauth.WithPartition(tt.partition))...)
				assert.Equal(t, tt.region, s.Config().Region)
				assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
				main := lab.DefaultRegion(tt.partition)
				assert.Equal(t, []string{"AssumeRole/manage-role " + lab.STSHost(main) + " " + main + " user"}, w.Said())
				step, _ := lastStep(s)
				assert.Contains(t, step.Detail, lab.STSHost(main))

				child, err := s.Assume(awsauth.WithAccount(lab.Target), awsauth.WithRole("team/ops"))
				require.NoError(t, err)
				assert.Equal(t, tt.region, child.Config().Region)
				assert.Equal(t, w.Became(lab.Target, "ops"), w.IdentityOf(child))

				_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err, "a client of STS from Config finds it too")
			})
		}
	}
}

// regionPlaces are the places that a region may be written in.
func regionPlaces(region string) map[string]func(*lab.Place) []awsauth.Option {
	return map[string]func(*lab.Place) []awsauth.Option{
		"WithRegion": func(*lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion(region)} },
		"config.WithRegion": func(*lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithLoadOptions(config.WithRegion(region))}
		},
		"AWS_REGION": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_REGION=" + region)
			return nil
		},
		"profile": func(w *lab.Place) []awsauth.Option {
			w.Files("[default]\nregion = "+region+"\n", "")
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
				w := lab.New(t, awsauth.AWS)
				_, err := w.Try(append(say(w), w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithPartition(awsauth.AWS))...)
				lab.RequireBad(t, err, awsauth.InvalidOption)
				lab.ErrorIsCalm(t, err)
				assert.Empty(t, w.Said())
			})
		}
	}
}

// TestRegionPutIntoACopy of the configuration is refused before anything is signed
// where it is of another partition.
func TestRegionPutIntoACopy(t *testing.T) {
	regions := map[awsauth.Partition]string{awsauth.AWS: "us-west-2", awsauth.China: "cn-northwest-1", awsauth.GovCloud: "us-gov-east-1",
		awsauth.EUSovereign: "eusc-de-east-1", awsauth.ISO: "us-iso-east-1"}
	opts := map[string]func(w *lab.Place) []awsauth.Option{
		"WithPartition": func(w *lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithPartition(w.Partition)} },
		"WithRegion":    func(w *lab.Place) []awsauth.Option { return []awsauth.Option{awsauth.WithRegion(regions[w.Partition])} },
		"role": func(w *lab.Place) []awsauth.Option {
			return []awsauth.Option{awsauth.WithRoleARN(w.ARN(lab.Target, "role/manage-role"))}
		},
		"AWS_REGION": func(w *lab.Place) []awsauth.Option { w.Env("AWS_REGION=" + regions[w.Partition]); return nil },
		"AWS_REGION, hop": func(w *lab.Place) []awsauth.Option {
			w.Env("AWS_REGION=" + regions[w.Partition])
			return []awsauth.Option{awsauth.WithAccount(lab.Target)}
		},
	}
	for _, p := range []awsauth.Partition{awsauth.AWS, awsauth.China, awsauth.GovCloud} {
		for name, say := range opts {
			for other, region := range regions {
				if other == p {
					continue
				}
				t.Run(string(p)+"/"+name+"/"+region, func(t *testing.T) {
					w := lab.New(t, p)
					s := w.Open(append(say(w), w.Static())...)
					cfg := s.Config()
					cfg.Region = region
					_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
					lab.RequireBad(t, deepAwsauth(err), awsauth.WrongPartition, region, string(other), string(p))
					_, err = sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.Region = region }).GetCallerIdentity(t.Context(), nil)
					lab.RequireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					_, err = sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.Region = region })
					lab.RequireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					_, err = sts.NewPresignClient(sts.NewFromConfig(cfg)).PresignGetCallerIdentity(t.Context(), nil)
					lab.RequireBad(t, deepAwsauth(err), awsauth.WrongPartition, region)
					assert.Empty(t, w.Said(), "nothing is assumed for it")
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
	for _, p := range lab.Partitions {
		w := lab.New(t, p)
		s := w.Open(w.Static(), awsauth.WithRegion(lab.DefaultRegion(p)), awsauth.WithAccount(lab.Target))
		cfg := s.Config()
		cfg.Region = lab.OtherRegion(p)
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, lab.OtherRegion(p), w.Calls("GetCallerIdentity")[0].Region)
	}
}

// TestInstanceRegionBehindAForeignOne: where an ambient region gives way and the
// chain ends at EC2, the instance's region comes before the default.
func TestInstanceRegionBehindAForeignOne(t *testing.T) {
	tests := []struct {
		partition awsauth.Partition
		instance  string
		ambient   string
		opts      func(w *lab.Place) []awsauth.Option
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
				w := lab.New(t, tt.partition)
				w.SetInstance(&awsauthtest.Instance{RoleARN: w.ARN(lab.Home, "role/base"), Region: tt.instance})
				if from == "profile" {
					w.Files("[default]\nregion = "+tt.ambient+"\n", "")
				} else {
					w.Env(from + "=" + tt.ambient)
				}
				s := w.Open(tt.opts(w)...)
				assert.Equal(t, tt.want, s.Config().Region)
				_ = w.IdentityOf(s)
				for _, c := range w.Calls("AssumeRole", "GetCallerIdentity") {
					assert.Equal(t, lab.STSHost(tt.want), c.Host)
				}
			})
		}
	}
}

func withPartition(w *lab.Place) []awsauth.Option {
	return []awsauth.Option{awsauth.WithPartition(w.Partition)}
}

func withManageRole(w *lab.Place) []awsauth.Option {
	return []awsauth.Option{awsauth.WithRoleARN(w.ARN(lab.Target, "role/manage-role"))}
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
					w := lab.New(t, tt.partition)
					opts := []awsauth.Option{w.Static()}
					said := from + "=" + tt.ambient
					switch from {
					case "profile":
						w.Files("[default]\nregion = "+tt.ambient+"\n", "")
						said = tt.ambient
					case "WithProfile":
						w.Files("[profile ops]\nregion = "+tt.ambient+"\n"+lab.KeyLines, "")
						opts, said = []awsauth.Option{awsauth.WithProfile("ops")}, tt.ambient
					default:
						w.Env(from + "=" + tt.ambient)
					}
					if child {
						opts = append(opts, awsauth.WithAccount(lab.Target))
					}
					s := w.Open(opts...)
					_, err := s.Identity(t.Context())
					lab.RequireBad(t, err, awsauth.InvalidKey, said, tt.want, "WithPartition(")
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
		places["AWS_ENDPOINT_URL"] = func(w *lab.Place) []awsauth.Option { w.Env("AWS_ENDPOINT_URL=" + address); return nil }
		for from, say := range places {
			if strings.HasPrefix(address, " ") && (from == "profile" || from == "services section") {
				continue // blanks round a value belong to the file
			}
			if address == "http://localhost." {
				continue
			}
			t.Run(address+"/"+from, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				_, err := w.Try(append(say(w), w.Static(), awsauth.WithAccount(lab.Target))...)
				if good {
					require.NoError(t, err)
					return
				}
				lab.RequireBad(t, err, awsauth.InvalidOption)
				assert.NotContains(t, err.Error(), "u:p")
				assert.Empty(t, w.Said())
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
	for _, src := range lab.Sources() {
		if src.Name == "static keys with a token" || strings.HasPrefix(src.Name, "static") || src.Name == "provider" {
			continue // options of ours: the SDK has no such place
		}
		t.Run(src.Name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			opts := src.Fill(w, "us-east-1")
			s := w.Open(opts...)
			load := []func(*config.LoadOptions) error{w.LoadOptions()}
			if src.Opts != nil {
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
			child, err := s.Assume(awsauth.WithAccount(lab.Target))
			require.NoError(t, err)
			assert.Subset(t, child.ProviderSources(), want)
			assert.Contains(t, child.ProviderSources(), aws.CredentialSourceSTSAssumeRole)
		})
	}
}

// TestPartitionOfForeignProfile: keys of the environment are of the partition that the
// environment's region names, and not of that of a profile that they do not come from.
func TestPartitionOfForeignProfile(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Files("[profile ops]\nregion = cn-north-1\n", "")
	w.Env(append(lab.KeyEnv, "AWS_PROFILE=ops", "AWS_REGION=eu-west-1")...)
	s := w.Open()
	assert.Equal(t, "eu-west-1", s.Config().Region)
	assert.Equal(t, awsauth.AWS, s.Explain().Partition)
}

// TestRegionThatIsNoHost: a region is a part of a host's name, and is held to its form.
func TestRegionThatIsNoHost(t *testing.T) {
	for _, region := range []string{"us-gov_x-1", "us-foo_bar-1", "eu-" + strings.Repeat("a", 80) + "-1"} {
		c := newCast(t, awsauth.AWS)
		err := c.Who(c.Static(), awsauth.WithRegion(region))
		require.Empty(t, c.Calls())
		assert.NotContains(t, err.Error(), "answered")
		assert.Contains(t, err.Error(), "region")
	}
}

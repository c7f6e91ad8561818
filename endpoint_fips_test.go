package awsauth_test

import (
	"net/http"
	"net/http/httptest"
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

// variants are the ways in which FIPS or dual stack can be asked for.
func variants() map[string]func(*lab.Place, string) []awsauth.Option {
	variable := func(pair string) func(*lab.Place, string) []awsauth.Option {
		return func(w *lab.Place, config string) []awsauth.Option {
			w.Files(config, "")
			w.Env(pair)
			return nil
		}
	}
	line := func(text string) func(*lab.Place, string) []awsauth.Option {
		return func(w *lab.Place, config string) []awsauth.Option {
			if config == "" {
				config = "[default]\n"
			}
			w.Files(strings.Replace(config, "[default]\n", "[default]\n"+text+"\n", 1), "")
			return nil
		}
	}
	option := func(fn func(*config.LoadOptions) error) func(*lab.Place, string) []awsauth.Option {
		return func(w *lab.Place, config string) []awsauth.Option {
			w.Files(config, "")
			return []awsauth.Option{awsauth.WithLoadOptions(fn)}
		}
	}
	return map[string]func(*lab.Place, string) []awsauth.Option{
		"AWS_USE_FIPS_ENDPOINT":           variable("AWS_USE_FIPS_ENDPOINT=true"),
		"AWS_USE_FIPS_ENDPOINT=TRUE":      variable("AWS_USE_FIPS_ENDPOINT=TRUE"),
		"use_fips_endpoint":               line("use_fips_endpoint = true"),
		"config.WithUseFIPSEndpoint":      option(config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled)),
		"AWS_USE_DUALSTACK_ENDPOINT":      variable("AWS_USE_DUALSTACK_ENDPOINT=true"),
		"use_dualstack_endpoint":          line("use_dualstack_endpoint = true"),
		"config.WithUseDualStackEndpoint": option(config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled)),
	}
}

// TestChosenAddressBeatsFIPS: where an address of STS is chosen, FIPS and dual
// stack are given up there; for FIPS with a warning.
func TestChosenAddressBeatsFIPS(t *testing.T) {
	const address = "https://vpce-0a1b.sts.us-east-1.vpce.amazonaws.com"
	for variant, ask := range variants() {
		for _, from := range []string{"WithSTSEndpoint", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL", "endpoint_url", "config.WithBaseEndpoint"} {
			t.Run(variant+"/"+from, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				log := new(lab.Records)
				text := "[default]\nregion = us-east-1\n"
				var opts []awsauth.Option
				switch from {
				case "WithSTSEndpoint":
					opts = append(opts, awsauth.WithSTSEndpoint(address))
				case "endpoint_url":
					text += "endpoint_url = " + address + "\n"
				case "config.WithBaseEndpoint":
					opts = append(opts, awsauth.WithLoadOptions(config.WithBaseEndpoint(address)))
				default:
					w.Env(from + "=" + address)
				}
				opts = append(opts, ask(w, text)...)
				s := w.Open(append(opts, w.Static(), awsauth.WithAccount(lab.Target), log.Option())...)
				assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
				_, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err)
				require.Len(t, w.Calls(), 2)
				for _, c := range w.Calls() {
					assert.Equal(t, "vpce-0a1b.sts.us-east-1.vpce.amazonaws.com", c.Host)
				}
				step, _ := lastStep(s)
				assert.Contains(t, step.Detail, "vpce-0a1b.sts.us-east-1.vpce.amazonaws.com")
				assert.Equal(t, strings.Contains(strings.ToLower(variant), "fips"), log.Has("WARN", "FIPS"), log.String())
			})
		}
	}
}

// TestFIPSHosts: without a chosen address the host is the one of FIPS or dual
// stack, and Explain names it.
func TestFIPSHosts(t *testing.T) {
	for _, tt := range []struct {
		partition awsauth.Partition
		region    string
		variable  string
		host      string
	}{
		{awsauth.AWS, "us-east-2", "AWS_USE_FIPS_ENDPOINT=true", "sts-fips.us-east-2.amazonaws.com"},
		{awsauth.GovCloud, "us-gov-west-1", "AWS_USE_FIPS_ENDPOINT=true", "sts.us-gov-west-1.amazonaws.com"},
		{awsauth.AWS, "eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT=true", "sts.eu-west-1.api.aws"},
		{awsauth.China, "cn-north-1", "AWS_USE_DUALSTACK_ENDPOINT=true", "sts.cn-north-1.api.amazonwebservices.com.cn"},
	} {
		t.Run(tt.host, func(t *testing.T) {
			w := lab.New(t, tt.partition)
			w.Env(tt.variable)
			s := w.Open(w.Static(), awsauth.WithRegion(tt.region), awsauth.WithAccount(lab.Target))
			assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
			assert.Equal(t, []string{"AssumeRole/manage-role " + tt.host + " " + tt.region + " user"}, w.Said())
			step, _ := lastStep(s)
			assert.Contains(t, step.Detail, tt.host)
		})
	}
}

// noSuchHost is a client to which some hosts do not exist.
type noSuchHost struct {
	next   http.RoundTripper
	prefix string
}

func (c noSuchHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Hostname(), c.prefix) {
		return nil, lookup(r.URL.Hostname())
	}
	return c.next.RoundTrip(r)
}

// TestFIPSWhereThereIsNone names what asked for it.
func TestFIPSWhereThereIsNone(t *testing.T) {
	for _, region := range []string{"eu-west-1", "ap-southeast-2", "sa-east-1", "me-central-1"} {
		for variant, ask := range variants() {
			if !strings.Contains(strings.ToLower(variant), "fips") {
				continue
			}
			t.Run(region+"/"+variant, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				opts := ask(w, "[default]\nregion = "+region+"\n")
				client := &http.Client{Transport: noSuchHost{w.Client().Transport, "sts-fips."}}
				s := w.Open(append(opts, w.Static(), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithHTTPClient(client)))...)
				_, err := s.Retrieve(t.Context())
				lab.RequireBad(t, err, awsauth.Unreachable, "sts-fips."+region+".amazonaws.com", "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
			})
		}
	}
}

// ssoPortal is SSO and its token service on the loopback.
func ssoPortal(t *testing.T) (url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Path)
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`{"roleCredentials": {"accessKeyId": "` + lab.SomeID + `", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4102444800000}}`))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

// TestChosenAddressBeatsFIPSForSSO: the SDK refuses the two together.
func TestChosenAddressBeatsFIPSForSSO(t *testing.T) {
	for variant, ask := range variants() {
		for _, from := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSO", "endpoint_url"} {
			t.Run(variant+"/"+from, func(t *testing.T) {
				w := lab.New(t, awsauth.AWS)
				w.ByName()
				url, asked := ssoPortal(t)
				w.SSOLogin("corp")
				text := "[default]\nregion = us-east-1\nsso_session = corp\nsso_account_id = " + lab.Home + "\nsso_role_name = base\n"
				if from == "endpoint_url" {
					text += "endpoint_url = " + url + "\n"
				} else {
					w.Env(from + "=" + url)
				}
				opts := ask(w, text+"[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n")
				s, err := awsauth.New(opts...)
				require.NoError(t, err)
				c, err := s.Retrieve(t.Context())
				require.NoError(t, err)
				assert.Equal(t, lab.SomeID, c.AccessKeyID)
				assert.Len(t, *asked, 1)
			})
		}
	}
}

package awsauth_test

//lint:file-ignore SA1019 importers still use the older endpoint resolvers

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// TestChosenSTS: an address of STS that somebody chose wins over everything that
// the SDK would make of region, FIPS, dual stack and an older resolver, for the
// library's calls and for STS clients of a changed Config.
func TestChosenSTS(t *testing.T) {
	older := config.WithEndpointResolverWithOptions(aws.EndpointResolverWithOptionsFunc(
		func(string, string, ...any) (aws.Endpoint, error) {
			return aws.Endpoint{URL: "https://old.example"}, nil
		}))
	for name, load := range map[string]func(*config.LoadOptions) error{
		"nothing":        func(*config.LoadOptions) error { return nil },
		"FIPS":           config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled),
		"dual stack":     config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled),
		"older resolver": older,
	} {
		t.Run(name, func(t *testing.T) {
			w := lab.New(t, awsauth.AWS)
			s := w.Open(w.Static(), awsauth.WithRegion("us-east-1"), awsauth.WithLoadOptions(load), awsauth.WithSTSEndpoint("https://sts.eu-west-1.amazonaws.com"))
			require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
			for _, region := range []string{"us-east-1", "us-west-2"} {
				cfg := s.Config()
				cfg.Region = region
				_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err)
			}
			said := "GetCallerIdentity sts.eu-west-1.amazonaws.com eu-west-1 user"
			assert.Equal(t, []string{said, said, said}, w.Said())
			w.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "RegionDisabledException"})
			lab.RequireBad(t, w.Who(w.Static(), awsauth.WithSTSEndpoint("https://sts.eu-west-1.amazonaws.com")), awsauth.AccessDenied, "STS in eu-west-1 is not activated")
		})
	}
}

// TestOlderResolver: an error names the host that an older resolver of the
// caller's says.
func TestOlderResolver(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	w.Inject(awsauthtest.Fault{Kind: awsauthtest.Reset})
	err := w.Who(w.Static(), awsauth.WithLoadOptions(config.WithRetryMaxAttempts(1)), awsauth.WithLoadOptions(config.WithEndpointResolverWithOptions(
		aws.EndpointResolverWithOptionsFunc(func(string, string, ...any) (aws.Endpoint, error) {
			return aws.Endpoint{URL: "https://sts.eu-west-3.amazonaws.com"}, nil
		}))))
	lab.RequireBad(t, err, awsauth.Unreachable, "sts.eu-west-3.amazonaws.com")
}

// TestRegionWithoutSTS: STS has no host in a pseudo region, nor in a region that
// is not AWS's. There the partition's default is asked, and a client for another
// region stays there.
func TestRegionWithoutSTS(t *testing.T) {
	for _, region := range []string{"aws-cn-global", "lab1"} {
		w := lab.New(t, awsauth.China)
		s, err := w.Try(w.Static(), awsauth.WithPartition(awsauth.China), awsauth.WithRegion(region))
		require.NoError(t, err)
		require.Equal(t, w.ARN(lab.Home, "user/ci"), w.IdentityOf(s))
		for _, region := range []string{region, "cn-northwest-1"} {
			cfg := s.Config()
			cfg.Region = region
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
			require.NoError(t, err)
		}
		const north, west = "GetCallerIdentity sts.cn-north-1.amazonaws.com.cn cn-north-1 user", "GetCallerIdentity sts.cn-northwest-1.amazonaws.com.cn cn-northwest-1 user"
		assert.Equal(t, []string{north, north, west}, w.Said())
	}
}

// TestAttemptsOfTheCaller: AWS_MAX_ATTEMPTS counts, in both retry modes.
func TestAttemptsOfTheCaller(t *testing.T) {
	for mode, load := range map[string]func(*config.LoadOptions) error{"standard": config.WithRetryMode(aws.RetryModeStandard), "adaptive": config.WithRetryMode(aws.RetryModeAdaptive)} {
		t.Run(mode, func(t *testing.T) {
			lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
				w.Env("AWS_MAX_ATTEMPTS=5")
				w.Down(awsauthtest.ServerError)
				s := w.InRole(awsauth.WithLoadOptions(load))
				require.Error(t, lab.Ask(t.Context(), s).Err)
				require.Len(t, w.Calls("AssumeRole"), 5)
			})
		})
	}
}

// TestAttemptsInBackground: a call that nobody waits for is tried twice.
func TestAttemptsInBackground(t *testing.T) {
	lab.OnItsClock(t, func(t *testing.T, w *lab.Place) {
		s := w.InRole()
		lab.Get(t, s)
		time.Sleep(40 * time.Minute)
		w.ResetCalls()
		w.Down(awsauthtest.ServerError)
		lab.Get(t, s)
		time.Sleep(20 * time.Second)
		require.Len(t, w.Calls("AssumeRole"), 2)
	})
}

// TestNoRequestsInTheLog, even where the caller's log mode asks for them.
func TestNoRequestsInTheLog(t *testing.T) {
	w := lab.New(t, awsauth.AWS)
	var log lab.Records
	s := w.InRole(log.Option(), awsauth.WithLoadOptions(config.WithClientLogMode(aws.LogRequestWithBody|aws.LogResponseWithBody|aws.LogSigning)))
	lab.Get(t, s)
	for _, record := range log.At(slog.LevelDebug) {
		assert.NotContains(t, record.Message, "AssumeRole")
	}
}

// sayer is an STS of another make, which says who the caller is.
func sayer(t *testing.T, arn, account string) awsauth.Option {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.NewReplacer("$ARN", arn, "$ACCOUNT", account).Replace("<GetCallerIdentityResponse><GetCallerIdentityResult>" +
			"<Arn>$ARN</Arn><UserId>U</UserId><Account>$ACCOUNT</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")))
	}))
	t.Cleanup(server.Close)
	return awsauth.WithSTSEndpoint(server.URL)
}

// TestIdentityOfOtherSTS: ARNs of another make are believed, impossible ones are not.
func TestIdentityOfOtherSTS(t *testing.T) {
	for _, tt := range []struct {
		arn, account string
		ok           bool
	}{
		{"arn:aws:iam::111111111111:user/ana", "111111111111", true},
		{"arn:aws:iam:::user/ana", "111111111111", true},
		{"arn:aws:iam::tenant:user/ana", "111111111111", true},
		{"arn:aws:iam::222222222222:user/ana", "111111111111", false},
		{"arn:aws:iam::111111111111:user/a&#10;na", "111111111111", false},
		{"arn:aws:iam::111111111111:user/ana", "1", false},
	} {
		w := lab.New(t, awsauth.AWS)
		s, err := awsauth.New(w.Static(), sayer(t, tt.arn, tt.account))
		require.NoError(t, err)
		_, err = s.Identity(t.Context())
		assert.Equal(t, tt.ok, err == nil, "%q: %v", tt.arn, err)
	}
}

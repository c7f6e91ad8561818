package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/console"
)

// arrive is where a login URL leads.
func arrive(t *testing.T, host, destination string) (page string, sent bool, err error) {
	t.Helper()
	login, err := console.URL(t.Context(), answers(func(r *http.Request) (*http.Response, error) {
		sent = true
		return answer(200, strings.NewReader(`{"SigninToken":"x"}`))(r)
	}), console.Request{Host: host, Destination: destination})
	if err != nil {
		return "", sent, err
	}
	u, err := url.Parse(login)
	require.NoError(t, err)
	return u.Query().Get("Destination"), sent, nil
}

// TestDestination: the home is that of the host, in every partition.
func TestDestination(t *testing.T) {
	for _, tt := range []struct{ host, destination, want string }{
		{"us-east-1.signin.aws.amazon.com", "", "https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1"},
		{"signin.aws.amazon.com", "", "https://console.aws.amazon.com/console/home"},
		{"signin.aws.amazon.com", "cloudwatch", "https://console.aws.amazon.com/cloudwatch/home"},
		{"cn-northwest-1.signin.amazonaws.cn", "", "https://cn-northwest-1.console.amazonaws.cn/console/home?region=cn-northwest-1"},
		{"us-gov-west-1.signin.amazonaws-us-gov.com", "iam", "https://us-gov-west-1.console.amazonaws-us-gov.com/iam/home?region=us-gov-west-1"},
		{"eusc-de-east-1.signin.amazonaws-eusc.eu", "", "https://eusc-de-east-1.console.amazonaws-eusc.eu/console/home?region=eusc-de-east-1"},
		{"us-iso-east-1.signin.c2shome.ic.gov", "", "https://us-iso-east-1.console.c2shome.ic.gov/console/home?region=us-iso-east-1"},
		{"us-isob-east-1.signin.sc2shome.sgov.gov", "", "https://us-isob-east-1.console.sc2shome.sgov.gov/console/home?region=us-isob-east-1"},
		{"eu-isoe-west-1.signin.csphome.adc-e.uk", "", "https://eu-isoe-west-1.console.csphome.adc-e.uk/console/home?region=eu-isoe-west-1"},
		{"us-isof-south-1.signin.csphome.hci.ic.gov", "", "https://us-isof-south-1.console.csphome.hci.ic.gov/console/home?region=us-isof-south-1"},
		{"eu-west-1.signin.aws.amazon.com", "https://us-east-1.console.aws.amazon.com/iam?q=a b", "https://us-east-1.console.aws.amazon.com/iam?q=a b"},
		{"eu-west-1.signin.aws.amazon.com", "https://S3.Console.AWS.amazon.com:443/s3", "https://S3.Console.AWS.amazon.com:443/s3"},
		{"eu-west-1.signin.aws.amazon.com", "https://console.aws.amazon.com", "https://console.aws.amazon.com"},
	} {
		page, _, err := arrive(t, tt.host, tt.destination)
		require.NoError(t, err)
		require.Equal(t, tt.want, page)
	}
}

// TestDestinationNames: what may be the name of a service, to the last letter.
func TestDestinationNames(t *testing.T) {
	for _, name := range []string{"a", "z", "azAZ09", "e-c2", "ec2-", strings.Repeat("x", 63)} {
		page, _, err := arrive(t, "eu-west-1.signin.aws.amazon.com", name)
		require.NoError(t, err, name)
		require.Equal(t, "https://eu-west-1.console.aws.amazon.com/"+strings.ToLower(name)+"/home?region=eu-west-1", page)
	}
	for _, name := range []string{"-", "-ec2", "ec`2", "ec{2", "ec@2", "ec[2", "ec/2", "ec:2", "é", strings.Repeat("x", 64)} {
		_, sent, err := arrive(t, "eu-west-1.signin.aws.amazon.com", name)
		require.Error(t, err, name)
		require.False(t, sent)
	}
}

// TestDestinationReason: an error says what is wrong with the page, and what would do.
func TestDestinationReason(t *testing.T) {
	for page, says := range map[string][2]string{
		"https://example.com/":          {"https://example.com/ is not in the console of these credentials", "console.aws.amazon.com, or a host below it"},
		"http://console.aws.amazon.com": {"is not an https URL", "https only"},
		"e c2":                          {"is neither a service nor a URL", "begins with https://console.aws.amazon.com"},
	} {
		_, _, err := arrive(t, "eu-west-1.signin.aws.amazon.com", page)
		var wrong *console.DestinationError
		require.ErrorAs(t, err, &wrong)
		require.Contains(t, wrong.Reason, says[0])
		require.Contains(t, wrong.Hint, says[1])
	}
}

// TestStatusErrorText: the status is named, whatever it is.
func TestStatusErrorText(t *testing.T) {
	require.EqualError(t, &console.StatusError{Status: 418}, "the federation endpoint answers HTTP 418")
}

// TestDestinationElsewhere: a login URL leads nowhere but into the console, and
// the keys do not leave for it.
func TestDestinationElsewhere(t *testing.T) {
	for _, destination := range []string{
		"https://example.com/", "http://console.aws.amazon.com/", "https://console.amazonaws.cn/", "https://aws.amazon.com/",
		"https://console.aws.amazon.com.evil.com/", "https://evilconsole.aws.amazon.com/", "https://user@console.aws.amazon.com/",
		"https://console.aws.amazon.com@evil.com/", "https://evil.com/console.aws.amazon.com", "https://evil.com?.console.aws.amazon.com",
		"https://evil.com#.console.aws.amazon.com", `https://evil.com\.console.aws.amazon.com`, "https://console.aws.amazon.com:8443/",
		"//console.aws.amazon.com/", "javascript:alert(1)", "console.aws.amazon.com", "/ec2/home", "ec2/home", "ec2?x", "../x", "e c2", "ec2\n",
		"https:///ec2", "https://evil.com／.console.aws.amazon.com", "https://evil_com.console.aws.amazon.com", "%zz", "data:text/html,x",
	} {
		t.Run(destination, func(t *testing.T) {
			_, sent, err := arrive(t, "eu-west-1.signin.aws.amazon.com", destination)
			var wrong *console.DestinationError
			require.ErrorAs(t, err, &wrong)
			require.NotEmpty(t, wrong.Hint)
			require.NotContains(t, err.Error(), "\n")
			require.False(t, sent)
		})
	}
	for _, host := range []string{"", "example.com", "eu-west-1.signin."} {
		_, sent, err := arrive(t, host, "")
		require.Error(t, err)
		require.False(t, sent)
	}
}

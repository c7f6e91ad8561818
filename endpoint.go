package awsauth

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// endpoint is an address of STS that somebody chose. The zero value leaves the
// address to the SDK's rules for the region.
type endpoint struct {
	url  string
	from string // what said it: "WithSTSEndpoint", a variable, "file:line"
}

func (e endpoint) orNone() endpoint {
	if e.url == "" {
		return endpoint{}
	}
	return e
}

// check holds the address against the one rule for them all.
func (e endpoint) check() error {
	return wrongAddress(fmt.Sprintf("%s %q", redact.OneLine(e.from), redact.URL(redact.Clip(e.url))), transport.CheckEndpoint(e.url))
}

// checkForAll is check for an address of all services, of which STS may be the least
// that is meant.
func (e endpoint) checkForAll() error {
	err := e.check()
	if fault := deepest(err); fault != nil && fault.Hint == "use https" {
		fault.Hint += ", or give it to the one service that it is for, as AWS_ENDPOINT_URL_S3 or a services section does"
	}
	return err
}

// host is the address without scheme and path.
func (e endpoint) host() string { return hostOf(e.url) }

// Of AWS's own hosts: what stands behind the region's name in them.
var awsSuffixes = []string{
	"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov",
	// of dual stack:
	"api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu", "api.aws.ic.gov", "api.aws.scloud", "api.cloud-aws.adc-e.uk", "api.aws.hci.ic.gov",
}

// region is the region that the host itself names: sts.eu-west-1.amazonaws.com,
// vpce-1-2.sts.eu-west-1.vpce.amazonaws.com. For the global host,
// sts.amazonaws.com, it is us-east-1. A host that is not AWS's names none.
//
// See https://docs.aws.amazon.com/general/latest/gr/sts.html
func (e endpoint) region() string {
	host := e.hostname()
	if host == globalSTS {
		return AWS.defaultRegion()
	}
	for _, suffix := range awsSuffixes {
		rest, ok := strings.CutSuffix(host, "."+suffix)
		if !ok {
			continue
		}
		labels := strings.Split(strings.TrimSuffix(rest, ".vpce"), ".")
		if n := len(labels); n >= 2 && (labels[n-2] == "sts" || labels[n-2] == "sts-fips") {
			if _, ok := PartitionOf(labels[n-1]); ok {
				return labels[n-1]
			}
		}
	}
	return ""
}

const globalSTS = "sts.amazonaws.com"

// global reports whether it is STS's host of all regions.
func (e endpoint) global() bool { return e.hostname() == globalSTS }

// hostname is the host in one form: without port and final dot, in small letters.
func (e endpoint) hostname() string {
	u, err := url.Parse(e.url)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

// claim is what the host says of the partition.
func (e endpoint) claim() (claim, bool) {
	p, ok := PartitionOf(e.region())
	return claim{partition: p, what: fmt.Sprintf("%s (host %s)", redact.OneLine(e.from), e.host()), inferred: true}, ok
}

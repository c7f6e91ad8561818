package awsauthtest

import (
	"regexp"
	"strings"
)

// partition is one of AWS's worlds and its host names. The table repeats what
// the SDK's partitions.json says instead of asking the library under test: a
// fake that shares a table with what it tests shares its mistakes.
type partition struct {
	id        string
	suffix    string
	dualStack string
	regions   *regexp.Regexp
}

// partitions is constant.
var partitions = []partition{
	{"aws", "amazonaws.com", "api.aws", regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`)},
	{"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", regexp.MustCompile(`^cn-\w+-\d+$`)},
	{"aws-us-gov", "amazonaws.com", "api.aws", regexp.MustCompile(`^us-gov-\w+-\d+$`)},
	{"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", regexp.MustCompile(`^eusc-(de)-\w+-\d+$`)},
	{"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", regexp.MustCompile(`^us-iso-\w+-\d+$`)},
	{"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", regexp.MustCompile(`^us-isob-\w+-\d+$`)},
	{"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", regexp.MustCompile(`^eu-isoe-\w+-\d+$`)},
	{"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", regexp.MustCompile(`^us-isof-\w+-\d+$`)},
}

// partitionOf finds the partition of a region by the shape of its name.
func partitionOf(region string) (partition, bool) {
	for _, p := range partitions {
		if p.regions.MatchString(region) {
			return p, true
		}
	}
	return partition{}, false
}

func knownPartition(id string) bool {
	for _, p := range partitions {
		if p.id == id {
			return true
		}
	}
	return false
}

// The services of the Cloud, by the names that Call.Service shows.
const (
	serviceSTS       = "sts"
	serviceMetadata  = "ec2metadata"
	serviceContainer = "container"
	serviceSSO       = "sso"
)

// place is what a host name says of a request.
type place struct {
	service   string
	region    string // empty on the loopback socket: the scope says it
	partition string // likewise
}

const (
	metadataHost   = "169.254.169.254"
	metadataHost6  = "fd00:ec2::254"
	containerHost  = "169.254.170.2"
	podHost        = "169.254.170.23" // EKS Pod Identity
	podHost6       = "fd00:ec2::23"
	globalSTS      = "sts.amazonaws.com"
	globalScope    = "us-east-1"
	podCredentials = "/v1/credentials"
)

// locate finds the service behind a host name without port; false: there is no
// such host.
func locate(host string) (place, bool) {
	switch host = strings.ToLower(strings.TrimSuffix(host, ".")); host {
	case metadataHost, metadataHost6:
		return place{service: serviceMetadata}, true
	case containerHost, podHost, podHost6:
		return place{service: serviceContainer}, true
	case globalSTS:
		return place{serviceSTS, globalScope, "aws"}, true
	}
	for _, p := range partitions {
		for _, suffix := range []string{p.suffix, p.dualStack} {
			name, ok := strings.CutSuffix(host, "."+suffix)
			if !ok {
				continue
			}
			if at, ok := p.locate(name, suffix == p.suffix); ok {
				return at, true
			}
		}
	}
	return place{}, false
}

// locate reads what stands before the partition's suffix. VPC endpoints and
// the SSO portal have no dual-stack form here.
func (p partition) locate(name string, plain bool) (place, bool) {
	labels := strings.Split(name, ".")
	switch {
	case len(labels) == 2 && (labels[0] == "sts" || labels[0] == "sts-fips"):
		return place{serviceSTS, labels[1], p.id}, p.regions.MatchString(labels[1])
	case !plain:
		return place{}, false
	case len(labels) == 4 && strings.HasPrefix(labels[0], "vpce-") && labels[1] == "sts" && labels[3] == "vpce":
		return place{serviceSTS, labels[2], p.id}, p.regions.MatchString(labels[2])
	case len(labels) == 3 && labels[0] == "portal" && labels[1] == "sso":
		return place{serviceSSO, labels[2], p.id}, p.regions.MatchString(labels[2])
	}
	return place{}, false
}

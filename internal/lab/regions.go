package lab

import (
	"maps"
	"slices"
	"strings"

	"github.com/chaoxiaodi/awsauth"
)

// Partitions are all there are.
var Partitions = slices.Sorted(maps.Keys(regionsOf))

// DefaultRegion is the region that a partition falls back to.
func DefaultRegion(p awsauth.Partition) string { return regionsOf[p].main }

// OtherRegion is another one.
func OtherRegion(p awsauth.Partition) string { return regionsOf[p].second }

// regionsOf are two regions of each partition, the default one first.
var regionsOf = map[awsauth.Partition]struct{ main, second string }{
	awsauth.AWS:         {"us-east-1", "eu-west-3"},
	awsauth.China:       {"cn-north-1", "cn-northwest-1"},
	awsauth.GovCloud:    {"us-gov-west-1", "us-gov-east-1"},
	awsauth.EUSovereign: {"eusc-de-east-1", "eusc-de-east-9"},
	awsauth.ISO:         {"us-iso-east-1", "us-iso-west-1"},
	awsauth.ISOB:        {"us-isob-east-1", "us-isob-west-1"},
	awsauth.ISOE:        {"eu-isoe-west-1", "eu-isoe-west-9"},
	awsauth.ISOF:        {"us-isof-south-1", "us-isof-east-1"},
}

// STSHost is the host of a region's STS, written down apart from the library.
func STSHost(region string) string {
	suffix := "amazonaws.com"
	for prefix, other := range map[string]string{"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu", "us-iso-": "c2s.ic.gov",
		"us-isob-": "sc2s.sgov.gov", "eu-isoe-": "cloud.adc-e.uk", "us-isof-": "csp.hci.ic.gov"} {
		if strings.HasPrefix(region, prefix) {
			suffix = other
		}
	}
	return "sts." + region + "." + suffix
}

package awsauthtest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// partition is one of AWS's worlds: its host names and its regions. The table
// repeats what the SDK's partitions.json says instead of asking the library
// under test: a fake that shares a table with what it tests shares its mistakes.
type partition struct {
	id        string
	suffix    string
	dualStack string
	pattern   *regexp.Regexp // of the names of its regions, those to come included
	regions   []string       // enabled in every account
	optIn     []string       // that an account has to enable
	fips      []string       // where STS has a FIPS host of its own, and Roles Anywhere
	anywhere  bool           // it has Roles Anywhere
}

// partitions is constant.
var partitions = []partition{
	{
		id: "aws", suffix: "amazonaws.com", dualStack: "api.aws",
		pattern: regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`),
		regions: strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 " +
			"ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2"),
		optIn: strings.Fields("af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 " +
			"ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-west-1"),
		fips: strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2"), anywhere: true,
	},
	{
		id: "aws-cn", suffix: "amazonaws.com.cn", dualStack: "api.amazonwebservices.com.cn",
		pattern: regexp.MustCompile(`^cn-\w+-\d+$`), regions: []string{"cn-north-1", "cn-northwest-1"}, anywhere: true,
	},
	{
		// The plain hosts of STS are FIPS hosts here. Only the dual-stack ones have
		// another name.
		id: "aws-us-gov", suffix: "amazonaws.com", dualStack: "api.aws",
		pattern: regexp.MustCompile(`^us-gov-\w+-\d+$`), regions: []string{"us-gov-east-1", "us-gov-west-1"}, anywhere: true,
	},
	{
		id: "aws-eusc", suffix: "amazonaws.eu", dualStack: "api.amazonwebservices.eu",
		pattern: regexp.MustCompile(`^eusc-(de)-\w+-\d+$`), regions: []string{"eusc-de-east-1"},
	},
	{
		id: "aws-iso", suffix: "c2s.ic.gov", dualStack: "api.aws.ic.gov",
		pattern: regexp.MustCompile(`^us-iso-\w+-\d+$`), regions: []string{"us-iso-east-1", "us-iso-west-1"},
	},
	{
		id: "aws-iso-b", suffix: "sc2s.sgov.gov", dualStack: "api.aws.scloud",
		pattern: regexp.MustCompile(`^us-isob-\w+-\d+$`), regions: []string{"us-isob-east-1", "us-isob-west-1"},
	},
	{
		id: "aws-iso-e", suffix: "cloud.adc-e.uk", dualStack: "api.cloud-aws.adc-e.uk",
		pattern: regexp.MustCompile(`^eu-isoe-\w+-\d+$`), regions: []string{"eu-isoe-west-1"},
	},
	{
		id: "aws-iso-f", suffix: "csp.hci.ic.gov", dualStack: "api.aws.hci.ic.gov",
		pattern: regexp.MustCompile(`^us-isof-\w+-\d+$`), regions: []string{"us-isof-east-1", "us-isof-south-1"},
	},
}

// hasFIPS reports whether STS has a host sts-fips.<region>.<suffix>.
func (p partition) hasFIPS(region, suffix string) bool {
	return slices.Contains(p.fips, region) || p.id == "aws-us-gov" && suffix == p.dualStack
}

func knownPartition(id string) bool {
	return slices.ContainsFunc(partitions, func(p partition) bool { return p.id == id })
}

// atlas knows which regions exist: those of the table and those that were
// added. It has its own lock, which is never held while anything else is called.
type atlas struct {
	mu    sync.Mutex
	added map[string]bool
}

// AddRegion makes a region exist that is newer than this package: its hosts
// answer from now on. A region that exists already stays as it is. A name that
// has the form of no partition's regions panics.
func (c *Cloud) AddRegion(region string) {
	if !slices.ContainsFunc(partitions, func(p partition) bool { return p.pattern.MatchString(region) }) {
		panic(fmt.Sprintf("awsauthtest: AddRegion: %q has the form of no partition's regions", region))
	}
	a := &c.regions
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.added == nil {
		a.added = map[string]bool{}
	}
	a.added[region] = true
}

// partitionOf finds the partition of a region; false: there is no such region.
func (a *atlas) partitionOf(region string) (partition, bool) {
	a.mu.Lock()
	added := a.added[region]
	a.mu.Unlock()
	for _, p := range partitions {
		if slices.Contains(p.regions, region) || slices.Contains(p.optIn, region) || added && p.pattern.MatchString(region) {
			return p, true
		}
	}
	return partition{}, false
}

// optIn reports whether accounts have to enable a region. All regions of aws that
// came after March 2019 are such; the other partitions have none.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
func (a *atlas) optIn(region string) bool {
	p, ok := a.partitionOf(region)
	return ok && p.id == "aws" && !slices.Contains(p.regions, region)
}

func (a *atlas) known(region string) bool {
	_, ok := a.partitionOf(region)
	return ok
}

// The services of the Cloud, by the names that Call.Service shows.
const (
	serviceSTS       = "sts"
	serviceMetadata  = "ec2metadata"
	serviceContainer = "container"
	serviceSSO       = "sso"
	serviceOIDC      = "sso-oidc"
	serviceSignin    = "signin"
	serviceAnywhere  = "rolesanywhere"
	serviceHandled   = "handled" // of Handle; Call.Service shows the service of the signature
)

// place is what a host name says of a request.
type place struct {
	service   string
	region    string // empty on the loopback socket: the scope says it
	partition string // likewise
	global    bool   // STS without a region in its name

	anyPath bool // STS where Isolate sends it

	handler http.Handler // of Handle
}

// port is where the service listens; it hears nothing on others.
func (at place) port() string {
	if at.service == serviceMetadata || at.service == serviceContainer {
		return "80"
	}
	return "443"
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
func (a *atlas) locate(host string) (place, bool) {
	switch host = strings.ToLower(strings.TrimSuffix(host, ".")); host {
	case metadataHost, metadataHost6:
		return place{service: serviceMetadata}, true
	case containerHost, podHost, podHost6:
		return place{service: serviceContainer}, true
	case globalSTS:
		return place{service: serviceSTS, region: globalScope, partition: "aws", global: true}, true
	}
	if at, ok := a.locateSignin(host); ok {
		return at, true
	}
	for _, p := range partitions {
		for _, suffix := range []string{p.suffix, p.dualStack} {
			name, ok := strings.CutSuffix(host, "."+suffix)
			if !ok {
				continue
			}
			at, ok := p.locate(name, suffix)
			if of, known := a.partitionOf(at.region); ok && known && of.id == p.id {
				return at, true
			}
		}
	}
	return place{}, false
}

// locate reads what stands before one of the partition's suffixes, whether the
// region exists or not. VPC endpoints have no dual-stack form here.
func (p partition) locate(name, suffix string) (place, bool) {
	labels := strings.Split(name, ".")
	switch {
	case len(labels) == 2 && labels[0] == "sts":
		return place{service: serviceSTS, region: labels[1], partition: p.id}, true
	case len(labels) == 2 && labels[0] == "sts-fips":
		return place{service: serviceSTS, region: labels[1], partition: p.id}, p.hasFIPS(labels[1], suffix)
	case len(labels) == 3 && labels[0] == "portal" && labels[1] == "sso":
		return place{service: serviceSSO, region: labels[2], partition: p.id}, true
	case len(labels) == 2 && labels[0] == "oidc":
		return place{service: serviceOIDC, region: labels[1], partition: p.id}, true
	case len(labels) == 2 && labels[0] == "rolesanywhere":
		return place{service: serviceAnywhere, region: labels[1], partition: p.id}, p.anywhere
	case len(labels) == 2 && labels[0] == "rolesanywhere-fips":
		return place{service: serviceAnywhere, region: labels[1], partition: p.id}, p.id == "aws-us-gov" || slices.Contains(p.fips, labels[1])
	case suffix == p.dualStack:
		return place{}, false
	case len(labels) == 4 && strings.HasPrefix(labels[0], "vpce-") && labels[1] == "sts" && labels[3] == "vpce":
		return place{service: serviceSTS, region: labels[2], partition: p.id}, true
	case len(labels) == 4 && strings.HasPrefix(labels[0], "vpce-") && labels[1] == "rolesanywhere" && labels[3] == "vpce":
		return place{service: serviceAnywhere, region: labels[2], partition: p.id}, p.anywhere
	}
	return place{}, false
}

// unmodelled reports whether AWS has such a host, so far as its name tells, for a
// service that the Cloud does not have.
func (a *atlas) unmodelled(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if isConsoleHost(host) {
		return true
	}
	for _, p := range partitions {
		for _, suffix := range []string{p.suffix, p.dualStack} {
			name, ok := strings.CutSuffix(host, "."+suffix)
			if ok && a.plausible(p, strings.Split(name, ".")) {
				return true
			}
		}
	}
	return false
}

// plausible reports whether labels can be a service's: the region among them, if
// there is one, exists in the partition, and they are none of those that locate
// reads.
func (a *atlas) plausible(p partition, labels []string) bool {
	for _, own := range []string{"", "sts", "sts-fips", "rolesanywhere", "rolesanywhere-fips"} {
		if slices.Contains(labels, own) {
			return false
		}
	}
	if labels[0] == "portal" {
		return false
	}
	for _, label := range labels {
		like := func(of partition) bool { return of.pattern.MatchString(label) }
		if of, known := a.partitionOf(label); slices.ContainsFunc(partitions, like) && (!known || of.id != p.id) {
			return false
		}
	}
	return true
}

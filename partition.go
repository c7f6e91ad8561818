package awsauth

import (
	"slices"
	"strings"
)

// Partition is one of the worlds of AWS. Partitions share nothing: an access
// key of one is unknown in the others, and so are its ARNs and endpoints.
//
// See https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
type Partition string

// The partitions of AWS, each by the name that stands second in its ARNs.
const (
	AWS         Partition = "aws"        // the commercial regions outside China
	China       Partition = "aws-cn"     // Beijing and Ningxia
	GovCloud    Partition = "aws-us-gov" // AWS GovCloud (US)
	EUSovereign Partition = "aws-eusc"   // AWS European Sovereign Cloud
	ISO         Partition = "aws-iso"    // AWS Secret and Top Secret regions: C2S
	ISOB        Partition = "aws-iso-b"  // SC2S
	ISOE        Partition = "aws-iso-e"  // cloud.adc-e.uk
	ISOF        Partition = "aws-iso-f"  // CSP HCI
)

// partitionInfo is what there is to know of one partition.
type partitionInfo struct {
	id            Partition
	defaultRegion string   // where a session goes when nothing says a region
	prefixes      []string // of its regions, today's and tomorrow's: <prefix>-<word>-<number>
}

// partitionTable is the package's only state, and constant. The prefixes are
// those of the patterns in the SDK's partitions.json, against which a test
// holds them.
var partitionTable = []partitionInfo{
	{AWS, "us-east-1", []string{"us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"}},
	{China, "cn-north-1", []string{"cn"}},
	{GovCloud, "us-gov-west-1", []string{"us-gov"}},
	{EUSovereign, "eusc-de-east-1", []string{"eusc-de"}},
	{ISO, "us-iso-east-1", []string{"us-iso"}},
	{ISOB, "us-isob-east-1", []string{"us-isob"}},
	{ISOE, "eu-isoe-west-1", []string{"eu-isoe"}},
	{ISOF, "us-isof-south-1", []string{"us-isof"}},
}

// PartitionOf reports which partition a region belongs to. It goes by the
// shape of the name, as the SDK does, so that a region AWS opens tomorrow is
// known today; unlike the SDK it does not take a name of no known shape for
// one of partition aws, but reports false. The pseudo regions of global
// services ("aws-global", "aws-cn-global", …) belong to their partition.
func PartitionOf(region string) (Partition, bool) {
	prefix := regionPrefix(region)
	for _, p := range partitionTable {
		if prefix != "" && slices.Contains(p.prefixes, prefix) || region == p.id.pseudoRegion() {
			return p.id, true
		}
	}
	return "", false
}

// regionPrefix is what stands before "-<word>-<number>" in a region's name, or
// "" if it does not end so.
func regionPrefix(region string) string {
	i := strings.LastIndexByte(region, '-')
	j := strings.LastIndexByte(region[:max(i, 0)], '-')
	if j < 0 || !isDigits(region[i+1:]) || !isName(region[j+1:i], "", 1, len(region)) {
		return ""
	}
	return region[:j]
}

// info returns the table's row for p.
func (p Partition) info() (partitionInfo, bool) {
	i := slices.IndexFunc(partitionTable, func(row partitionInfo) bool { return row.id == p })
	if i < 0 {
		return partitionInfo{}, false
	}
	return partitionTable[i], true
}

// defaultRegion is the region that p's sessions use when nothing says one.
func (p Partition) defaultRegion() string {
	row, _ := p.info()
	return row.defaultRegion
}

// pseudoRegion is the name under which p's global services are signed for.
func (p Partition) pseudoRegion() string { return string(p) + "-global" }

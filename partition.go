package awsauth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
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

// partitionTable never changes. The prefixes are those of the patterns in the
// SDK's partitions.json; a test holds the table against that file.
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
	if j < 0 || !names.IsDigits(region[i+1:]) || !names.Is(region[j+1:i], "", 1, len(region)) {
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

// another is a partition for an example that is not p, as Go code: the commonest.
func (p Partition) another() string {
	if p == AWS {
		return "awsauth.China"
	}
	return "awsauth.AWS"
}

// enabledRegions are the regions of aws that every account has. All others must
// be enabled first, and a key of an account that has not is unknown there.
//
// See https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var enabledRegions = []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1",
	"eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1",
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"}

// optIn reports whether an account must enable a region before it can use it.
func optIn(region string) bool {
	p, ok := PartitionOf(region)
	return ok && p == AWS && !slices.Contains(enabledRegions, region)
}

// pseudoRegion is the name under which p's global services are signed for.
func (p Partition) pseudoRegion() string { return string(p) + "-global" }

// roleARN is a role ARN taken apart: arn:<partition>:iam::<account>:role/<path/name>.
type roleARN struct {
	partition Partition
	account   string
	name      string // with its path, without a leading slash
}

func (r roleARN) String() string {
	return "arn:" + string(r.partition) + ":iam::" + r.account + ":role/" + r.name
}

// maxRolePath is IAM's limit for a path with its leading and trailing slash:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxRolePath = 512

// parseRoleARN takes a role ARN apart. The error says what is wrong with it,
// and does not name the option: the caller does.
func parseRoleARN(s string) (roleARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return roleARN{}, fmt.Errorf("not an ARN; a role's is arn:aws:iam::123456789012:role/name")
	}
	r := roleARN{partition: Partition(parts[1]), account: parts[4]}
	if _, ok := r.partition.info(); !ok {
		return roleARN{}, fmt.Errorf("unknown partition %q; there are %s", redact.Clip(parts[1]), partitionNames())
	}
	if parts[2] != "iam" || parts[3] != "" {
		return roleARN{}, notARole(parts)
	}
	if err := checkAccount(r.account); err != nil {
		return roleARN{}, err
	}
	name, ok := strings.CutPrefix(parts[5], "role/")
	if !ok {
		return roleARN{}, notARole(parts)
	}
	r.name = name
	if err := checkRoleName(name); err != nil {
		return roleARN{}, err
	}
	return r, nil
}

// notARole names the ARN that a person who pasted a neighbouring one wants.
func notARole(parts []string) error {
	if rest, ok := strings.CutPrefix(parts[5], "assumed-role/"); ok && parts[2] == "sts" {
		name, _, _ := strings.Cut(rest, "/")
		role := roleARN{Partition(parts[1]), parts[4], name}.String()
		if _, err := parseRoleARN(role); err != nil {
			return fmt.Errorf("the ARN of a role session, not of a role; a role's is arn:aws:iam::123456789012:role/name")
		}
		return fmt.Errorf("the ARN of a role session, not of a role; use %s, with the role's path if it has one", role)
	}
	if strings.HasPrefix(parts[5], "instance-profile/") {
		return fmt.Errorf("the ARN of an instance profile, not of a role; a role's ends in role/name")
	}
	return fmt.Errorf("not the ARN of an IAM role; a role's is arn:aws:iam::123456789012:role/name")
}

// checkAccount holds an account id against its one rule, twelve digits, and
// recognises the spreadsheet that ate a leading zero.
func checkAccount(id string) error {
	if names.IsAccount(id) {
		return nil
	}
	if names.IsAccount(strings.Trim(id, "\r\n")) {
		return fmt.Errorf("an account id is 12 digits, and here a line end stands beside them; trim what was read from a file")
	}
	if strings.Trim(id, "0123456789") != "" {
		if digits := strings.NewReplacer("-", "", " ", "").Replace(id); names.IsAccount(digits) {
			return fmt.Errorf("an account id is 12 digits and nothing else; write %q", digits)
		}
		return fmt.Errorf("an account id has 12 digits and nothing else")
	}
	switch n := len(id); n {
	case 9, 10, 11:
		padded := strings.Repeat("0", 12-n) + id
		return fmt.Errorf("an account id has 12 digits, this has %d; a leading zero may have been lost (%q?)", n, padded)
	}
	return fmt.Errorf("an account id has 12 digits, this has %d", len(id))
}

// checkRoleName holds a role name with an optional path against IAM's rules.
func checkRoleName(s string) error {
	i := strings.LastIndexByte(s, '/') + 1
	path, name := s[:i], s[i:]
	switch {
	case strings.HasPrefix(s, "/"):
		return fmt.Errorf("a leading slash; write %q", redact.Clip(strings.TrimLeft(s, "/")))
	case name == "":
		return fmt.Errorf("no role name")
	case !names.Is(name, names.Signs, 1, 64):
		return fmt.Errorf("the role name %q must be 1 to 64 letters, digits or _+=,.@-", redact.Clip(name))
	case !names.IsPath(path):
		return fmt.Errorf("the role path %q must be printable ASCII between single slashes", redact.Clip(path))
	case len(path)+1 > maxRolePath:
		return fmt.Errorf("the role path has %d characters; at most %d are allowed", len(path)+1, maxRolePath)
	}
	return nil
}

// partitionNames lists the partitions for an error.
func partitionNames() string {
	names := make([]string, len(partitionTable))
	for i, row := range partitionTable {
		names[i] = string(row.id)
	}
	return strings.Join(names, ", ")
}

// base is the role's name without its path.
func (r roleARN) base() string { return r.name[strings.LastIndexByte(r.name, '/')+1:] }

// parseSessionARN takes the ARN of a role session apart,
// arn:<partition>:sts::<account>:assumed-role/<role>/<session>. It reports false
// for what has another form. What has this form but impossible parts comes back
// without a name, and equals no role.
func parseSessionARN(s string) (r roleARN, ok bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sts" {
		return roleARN{}, false
	}
	rest, ok := strings.CutPrefix(parts[5], "assumed-role/")
	if !ok {
		return roleARN{}, false
	}
	role, session, _ := strings.Cut(rest, "/")
	if !names.IsSession(session) {
		role = ""
	}
	return roleARN{Partition(parts[1]), parts[4], role}, true
}

package awsauth

import "strings"

// What the external tests need of the inside.
var (
	ParseRoleARN  = func(s string) (string, error) { r, err := parseRoleARN(s); return r.String(), err }
	CheckRoleName = checkRoleName
	IsSetting     = isSetting
)

// PartitionRow is one row of the partition table.
type PartitionRow struct {
	ID                             Partition
	DefaultRegion, Regions, Pseudo string
}

// PartitionRows is the partition table.
func PartitionRows() (rows []PartitionRow) {
	for _, p := range partitionTable {
		prefixes := strings.Join(p.prefixes, "|")
		if len(p.prefixes) > 1 {
			prefixes = "(" + prefixes + ")"
		}
		rows = append(rows, PartitionRow{p.id, p.defaultRegion, "^" + prefixes + `-\w+-\d+$`, p.id.pseudoRegion()})
	}
	return rows
}

// Children is how many sessions s remembers to have made.
func Children(s *Session) int { return s.children.Len() }

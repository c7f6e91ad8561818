package awsauth

import "strings"

// What the external tests need of the inside.
var (
	ParseRoleARN       = func(s string) (string, error) { r, err := parseRoleARN(s); return r.String(), err }
	CheckRoleName      = checkRoleName
	SessionName        = sessionName
	DefaultSessionName = defaultSessionName
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

// ScanSharedFile looks a shared file's text over and returns all that the scan
// keeps of it, faults included.
func ScanSharedFile(text string, credentials bool) (kept []string) {
	f := &sharedFile{path: "file", credentials: credentials}
	f.parse(text)
	for _, err := range f.faults {
		kept = append(kept, err.Error())
	}
	for _, name := range f.profileNames() {
		files := sharedFiles{f}
		for _, err := range files.checkProfile(name) {
			kept = append(kept, err.Error())
		}
		kept = append(kept, files.place(name, "aws_secret_access_key"))
		if s := f.profile(name); s != nil {
			kept = append(kept, s.values["aws_secret_access_key"].text, s.values["aws_session_token"].text)
		}
	}
	return kept
}

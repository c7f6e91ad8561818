package awsauth

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Status says what became of one step of a Report.
type Status string

// The statuses of a Step.
const (
	Used     Status = "USED"      // this supplies the credentials, or will when they are first needed
	Skipped  Status = "SKIPPED"   // looked at, and not there
	Failed   Status = "FAILED"    // there, but did not deliver; no later source has its turn
	NotTried Status = "NOT TRIED" // an earlier step decided, or nothing needed it yet
)

// Step is one place that was looked at, or one role on the way, in order.
type Step struct {
	Source string `json:"source"` // the place: "environment", `profile "ops"`, "assume role arn:…"
	Status Status `json:"status"`
	Detail string `json:"detail"` // the reason: which variable is not set, which file lacks which profile
}

// Report says where the credentials of a session come from, and why not from
// elsewhere. It holds no secret.
type Report struct {
	Steps      []Step    `json:"steps"`
	Source     string    `json:"source"` // the way to the identity: `profile "ops" → arn:aws:iam::123456789012:role/manage-role`
	Partition  Partition `json:"partition"`
	Region     string    `json:"region"`
	RegionFrom string    `json:"region_from"` // "WithRegion", "AWS_REGION", `profile "ops"`, …
}

// String is the report as an aligned table, one step a line, each with its
// line end.
func (r Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Status, s.Source, s.Detail)
	}
	_ = w.Flush() // into memory: cannot fail
	return b.String()
}

package awsauth

import (
	"fmt"
	"strings"
)

// place is where a session works: a region, the partition it is in, and what
// said so.
type place struct {
	region    string
	from      string // "WithRegion", "AWS_REGION", `profile "ops"`, "EC2 instance metadata", "default of aws-cn"
	partition Partition
	said      string // what named the partition: "AWS_REGION=cn-north-1", "WithPartition(\"aws-cn\")"; "" if nothing did
	fixed     bool   // an option or a role says the partition, so no region changes it;
	inferred  bool   // it does not name it: the ARN of a device, a host of STS
	gaveWay   string // the region that was passed over, and why; "" if none was
}

// inside is the place of a role's session: its parent's, unless the parent is in
// another partition only because nothing said which.
func (p *place) inside(role roleARN) (*place, error) {
	if role.partition == p.partition {
		if p.fixed {
			return p, nil
		}
		same := *p
		same.fixed = true
		return &same, nil
	}
	if p.fixed {
		e := &Error{Kind: WrongPartition}
		e.what = fmt.Sprintf("role %s is in partition %s, but this session is in %s (region %s, from %s)",
			role, role.partition, p.partition, p.region, p.from)
		return nil, e.mend("credentials work in one partition only; correct the ARN, or start a session with credentials of %s", role.partition)
	}
	return &place{
		region:    role.partition.defaultRegion(),
		from:      "default of " + string(role.partition),
		partition: role.partition,
		fixed:     true,
		gaveWay:   fmt.Sprintf("%s (from %s) is not in %s", p.region, p.from, role.partition),
	}, nil
}

// step is the row of the region in a Report.
func (p place) step() Step {
	detail := "from " + p.from
	if strings.HasPrefix(p.from, "default of") {
		detail = p.from
	}
	if p.gaveWay != "" {
		detail += "; " + p.gaveWay
	}
	return Step{"region " + p.region, Used, detail}
}

// claim is something that says a partition.
type claim struct {
	partition Partition
	what      string // as an error shows it
	role      bool   // it is the ARN of a role
	inferred  bool   // it stands for a partition, and was given for something else
}

// agree returns WrongPartition for the first claim that contradicts the first.
// region is that of WithRegion, "" if it was not given.
func agree(claims []claim, region string) error {
	if len(claims) == 0 {
		return nil
	}
	first := claims[0]
	for _, other := range claims[1:] {
		if other.partition == first.partition {
			continue
		}
		a, b := first, other
		if !a.role && b.role {
			a, b = b, a // the ARN first: it is what a person compares the region with
		}
		e := &Error{Kind: WrongPartition}
		e.what = fmt.Sprintf("%s is in partition %s, but %s is in %s", a.what, a.partition, b.what, b.partition)
		switch in, _ := PartitionOf(region); {
		case in == b.partition && a.role:
			return e.mend("use WithRegion(%q) or correct the ARN", a.partition.defaultRegion())
		case b.role:
			return e.mend("credentials work in one partition only; correct the ARN, or start from credentials of %s", a.partition)
		}
		if strings.HasPrefix(a.what, "WithPartition") {
			e.what = fmt.Sprintf("%s and %s, which is in %s, disagree", a.what, b.what, b.partition)
		}
		return e.mend("drop one of the two, or correct it")
	}
	return nil
}

package awsauth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// place is where a session works: a region, the partition it is in, and what
// said so.
type place struct {
	region    string
	from      string // "WithRegion", "AWS_REGION", `profile "ops"`, "EC2 instance", "default of aws-cn"
	partition Partition
	fixed     bool // an option or the credentials say the partition; no region changes it
	gaveWay   string
}

// claim is something that says a partition.
type claim struct {
	partition Partition
	what      string // as an error shows it
	role      bool
}

// locate settles partition and region. What the caller said must agree. An
// ambient region of another partition gives way: a laptop whose AWS_REGION is
// us-east-1 still reaches China. lookUp allows the question to the instance
// metadata.
func (b *base) locate(s *settings, lookUp bool) (place, error) {
	said := s.claims()
	all := append(said, b.claims()...)
	if err := agree(all, s.region); err != nil {
		return place{}, err
	}
	ambient, err := b.ambientRegions(s.region != "")
	if err != nil {
		return place{}, err
	}
	p := place{partition: AWS, fixed: len(all) > 0}
	switch {
	case len(all) > 0:
		p.partition = all[0].partition
	case len(ambient) > 0:
		p.partition = b.ambientPartition(ambient)
	}
	if s.region != "" {
		p.region, p.from = s.region, "WithRegion"
		return p, nil
	}
	if lookUp && len(ambient) == 0 && (b.source.kind == sourceEC2 || b.opts.UseEC2IMDSRegion != nil) {
		if region := b.wire.instanceRegion(); region != "" {
			ambient = []ambientRegion{{region, "EC2 instance metadata"}}
			if len(all) == 0 {
				p.partition, _ = PartitionOf(region)
			}
		}
	}
	for _, a := range ambient {
		if a.region == p.partition.pseudoRegion() {
			p.gaveWay = fmt.Sprintf("%s (from %s) is the pseudo region of global services", a.region, a.from)
			continue
		}
		if in, _ := PartitionOf(a.region); in == p.partition {
			p.region, p.from = a.region, a.from
			return p, nil
		}
		p.gaveWay = fmt.Sprintf("%s (from %s) is not in %s", a.region, a.from, p.partition)
	}
	p.region, p.from = p.partition.defaultRegion(), "default of "+string(p.partition)
	return p, nil
}

// claims are what the options say of the partition, in the order in which they
// are believed.
func (s *settings) claims() (c []claim) {
	if s.partition != "" {
		c = append(c, claim{partition: s.partition, what: fmt.Sprintf("WithPartition(%q)", s.partition)})
	}
	if r, err := parseRoleARN(s.role.arn); err == nil {
		c = append(c, claim{r.partition, "role " + s.role.arn, true})
	}
	if p, ok := PartitionOf(s.region); ok {
		c = append(c, claim{partition: p, what: "region " + s.region + " (from WithRegion)"})
	}
	return c
}

// claims are what the credentials themselves say: the roles they pass through
// and the region of their SSO.
func (b *base) claims() (c []claim) {
	for _, hop := range b.source.hops {
		c = append(c, claim{hop.partition, fmt.Sprintf("role %s of %s", hop, b.source), true})
	}
	if b.source.kind != sourceSSO {
		return c
	}
	for sc := &b.shared; sc != nil; sc = sc.Source {
		region := sc.SSORegion
		if sc.SSOSession != nil {
			region = sc.SSOSession.SSORegion
		}
		if p, ok := PartitionOf(region); ok {
			c = append(c, claim{partition: p, what: fmt.Sprintf("sso_region %s of %s", region, b.source)})
		}
	}
	return c
}

// agree returns WrongPartition for the first claim that contradicts the first.
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
		case region != "" && in == b.partition && a.role:
			return e.mend("use WithRegion(%q) or correct the ARN", a.partition.defaultRegion())
		case a.role && b.role:
			return e.mend("credentials work in one partition only; correct the ARN, or start from credentials of %s", a.partition)
		}
		if strings.HasPrefix(a.what, "WithPartition") {
			e.what = fmt.Sprintf("%s and %s, which is in %s, disagree", a.what, b.what, b.partition)
		}
		return e.mend("drop one of the two, or correct it")
	}
	return nil
}

// ambientRegion is a region that nobody passed to New.
type ambientRegion struct{ region, from string }

// ambientRegions lists the environment's region and the profile's, in the
// SDK's order. A region of no known shape is an error: it would be signed for,
// and sent to, a host of the wrong partition. With a given region it is not
// looked at.
func (b *base) ambientRegions(given bool) (regions []ambientRegion, err error) {
	if region, name := firstEnv("AWS_REGION", "AWS_DEFAULT_REGION"); region != "" {
		regions = append(regions, ambientRegion{region, name})
	}
	for sc := &b.shared; sc != nil; sc = sc.Source {
		if sc.Region != "" {
			regions = append(regions, ambientRegion{sc.Region, fmt.Sprintf("profile %q", sc.Profile)})
		}
	}
	if b.opts.DefaultRegion != "" {
		regions = append(regions, ambientRegion{b.opts.DefaultRegion, "config.WithDefaultRegion"})
	}
	for _, a := range regions {
		if err := checkRegion(a.region); err != nil && !given {
			return nil, invalid(fmt.Sprintf("region %q (from %s)", clip(a.region), a.from), "%v", err)
		}
	}
	return regions, nil
}

// ambientPartition is the partition that the ambient regions stand for. The
// region of the profile that holds the keys says more of the keys than the
// environment's does.
func (b *base) ambientPartition(regions []ambientRegion) Partition {
	best := regions[0]
	if b.source.profile != "" {
		for _, a := range regions {
			if a.from == fmt.Sprintf("profile %q", b.source.profile) {
				best = a
			}
		}
	}
	p, _ := PartitionOf(best.region)
	return p
}

// instanceRegion asks the instance metadata for the region: the only call that
// New may make, for one second at most. "" if there is no answer.
func (w *wire) instanceRegion() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := w.metadata().GetRegion(ctx, &imds.GetRegionInput{}, metadataRetries)
	if err != nil {
		return ""
	}
	if _, ok := PartitionOf(out.Region); !ok {
		return ""
	}
	return out.Region
}

// stsRegion is the region whose STS endpoint serves a session in region: the
// pseudo region of a partition's global services has none of its own.
func stsRegion(region string) string {
	if p, ok := PartitionOf(region); ok && region == p.pseudoRegion() {
		return p.defaultRegion()
	}
	return region
}

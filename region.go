package awsauth

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/chaoxiaodi/awsauth/internal/redact"
)

// claims are what the options say of the partition, in the order in which they
// are believed.
func (s *settings) claims(at endpoint) (c []claim) {
	if s.partition != "" {
		c = append(c, claim{partition: s.partition, what: fmt.Sprintf("WithPartition(%q)", s.partition)})
	}
	if r, err := parseRoleARN(s.role.arn); err == nil {
		c = append(c, claim{partition: r.partition, what: "role " + s.role.arn, role: true})
	}
	if p, ok := PartitionOf(s.region); ok {
		c = append(c, claim{partition: p, what: "region " + s.region + " (from WithRegion)"})
	}
	if p, ok := serialPartition(s.mfa.serial); ok {
		c = append(c, claim{partition: p, what: "the MFA device " + s.mfa.serial, inferred: true})
	}
	if named, ok := at.claim(); ok {
		c = append(c, named)
	}
	return c
}

// ambientRegion is a region that nobody passed to New.
type ambientRegion struct {
	region, from string
	at           string // its file and line, "" if it has none
	profile      bool   // of the profile that leads to the credentials
}

// said is what named the region, as an error shows it.
func (a ambientRegion) said() string {
	if a.from == "AWS_REGION" || a.from == "AWS_DEFAULT_REGION" {
		return a.from + "=" + a.region
	}
	return "region " + a.region + " of " + a.from
}

// locate settles partition and region. What the caller said must agree. An
// ambient region of another partition gives way: a laptop whose AWS_REGION is
// us-east-1 still reaches China. ask is for the region of the instance, where the
// chain ends there.
func (l *look) locate(src *source, device *mfaDevice, at endpoint, ask func() *imds.Client) (place, error) {
	claims := append(l.settings.claims(at), src.claims...)
	if device != nil {
		if p, ok := serialPartition(device.serial); ok {
			claims = append(claims, claim{partition: p, what: fmt.Sprintf("the MFA device %s (%s)", device.serial, device.said), inferred: true})
		}
	}
	if err := agree(claims, l.settings.region); err != nil {
		return place{}, err
	}
	ambient, err := l.ambientRegions(src)
	if err != nil {
		return place{}, err
	}
	p := partitionOf(claims, ambient, src)
	if region := l.settings.region; region != "" {
		p.region, p.from = region, "WithRegion"
		return p, nil
	}
	if src.region != "" {
		p.region, p.from = src.region, src.String()
		return p, nil
	}
	if p.take(ambient) {
		return p, nil
	}
	if src.kind == sourceEC2 || l.opts.UseEC2IMDSRegion != nil {
		if region := instanceRegion(ask); region != "" {
			own := ambientRegion{region: region, from: "EC2 instance metadata"}
			if len(claims) == 0 && len(ambient) == 0 {
				p.partition, _ = PartitionOf(region)
				p.said = "the instance's region " + region
			}
			if p.take([]ambientRegion{own}) {
				return p, nil
			}
		}
	}
	p.region, p.from = p.partition.defaultRegion(), "default of "+string(p.partition)
	return p, nil
}

// partitionOf is the partition that the claims name, else the one that the
// ambient regions stand for. The region of the profile that holds the keys says
// more of the keys than the environment's does.
func partitionOf(claims []claim, ambient []ambientRegion, src *source) place {
	if len(claims) > 0 {
		return place{partition: claims[0].partition, said: claims[0].what, fixed: true, inferred: claims[0].inferred}
	}
	if len(ambient) == 0 {
		return place{partition: AWS}
	}
	best := ambient[0]
	for _, a := range ambient {
		if a.profile && src.profile != "" {
			best = a
			break
		}
	}
	p, _ := PartitionOf(best.region)
	return place{partition: p, said: best.said()}
}

// take makes the first of the regions that is in the partition the place's own,
// and reports whether there is one. The others give way.
func (p *place) take(regions []ambientRegion) bool {
	for _, a := range regions {
		in, known := PartitionOf(a.region)
		switch {
		case a.region == p.partition.pseudoRegion():
			p.gaveWay = fmt.Sprintf("%s (from %s) is the pseudo region of global services", a.region, a.from)
		case in == p.partition || !known:
			p.region, p.from = a.region, a.from
			return true
		default:
			p.gaveWay = fmt.Sprintf("%s (from %s) is not in %s", a.region, a.from, p.partition)
		}
	}
	return false
}

// ambientRegions lists the environment's region and the profiles', in the SDK's
// order. A region of no known shape is an error, as it would be signed for and
// sent to a host of the wrong partition, unless WithPartition says where STS is.
// Where WithRegion is given they do not matter.
func (l *look) ambientRegions(src *source) (regions []ambientRegion, err error) {
	if region, name := firstEnv("AWS_REGION", "AWS_DEFAULT_REGION"); region != "" {
		regions = append(regions, ambientRegion{region: region, from: name})
	}
	profiles := []string{l.profile}
	if src.profile != "" {
		profiles = src.profiles
	}
	for i, profile := range profiles {
		if region := l.get(profile, "region"); region != "" {
			regions = append(regions, ambientRegion{region, fmt.Sprintf("profile %q", profile), l.at(profile, "region"), i == 0})
		}
	}
	if l.opts.DefaultRegion != "" {
		regions = append(regions, ambientRegion{region: l.opts.DefaultRegion, from: "config.WithDefaultRegion"})
	}
	if l.settings.region != "" {
		return regions, nil
	}
	for _, a := range regions {
		err := checkRegion(a.region, l.settings.partition)
		if err != nil && a.at != "" {
			return nil, invalid(a.at, "region %q of %s: %v", redact.Clip(a.region), a.from, err)
		}
		if err != nil {
			return nil, invalid(fmt.Sprintf("region %q (from %s)", redact.Clip(a.region), a.from), "%v", err)
		}
	}
	return regions, nil
}

// chosenEndpoint is the address of STS that the options, the environment or the
// profile choose, and what is wrong with any of them.
func chosenEndpoint(s *settings, l *look) (endpoint, faults) {
	chosen, f := l.serviceEndpoint("sts")
	if s.stsEndpoint != "" {
		chosen = endpoint{s.stsEndpoint, "WithSTSEndpoint"}
	}
	return chosen, f
}

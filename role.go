package awsauth

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// roleSpec is a role to be assumed, checked and complete.
type roleSpec struct {
	arn roleARN
	roleSettings
	durationName string // what says how long: an option, or duration_seconds of a profile
	mfa          mfaDevice
}

// mfaLifetime is how long an MFA session lasts: one code serves a working day. STS
// allows 36 hours, and gives root users one hour whatever they ask for.
//
// See https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const mfaLifetime = 12 * time.Hour

// mfaDevice is a user's second factor. Without a serial there is none.
type mfaDevice struct {
	serial  string
	code    func(context.Context) (string, error)
	said    string // what names the device: "WithMFA", or the file and line of mfa_serial
	profile string // whose mfa_serial it is, if it is one's
}

// behind is the role as it is assumed from an MFA session: without a code of its own.
func (r *roleSpec) behind(session *mfaDevice) *roleSpec {
	if session == nil {
		return r
	}
	return r.asking(mfaDevice{})
}

// asking is the role assumed with a code of the device.
func (r *roleSpec) asking(d mfaDevice) *roleSpec {
	other := *r
	other.mfa = d
	return &other
}

// tooLong is the error of a role of more than an hour that temporary keys assume.
func (r *roleSpec) tooLong() error {
	e := &Error{Kind: InvalidDuration, Op: fmt.Sprintf("%s(%v)", r.durationName, r.duration), also: []Kind{InvalidOption}}
	if r.durationName != "WithDuration" {
		e.Op = fmt.Sprintf("%s of role %s", r.durationName, r.arn)
	}
	e.what = "a role assumed with temporary keys lasts at most 1h"
	return e.mend("lower it to 1h, or start from the user's long-lived keys")
}

// apply hands the role's options to the SDK's provider.
func (r *roleSpec) apply(o *stscreds.AssumeRoleOptions) {
	o.RoleSessionName = r.sessionName
	o.Duration = r.duration
	o.ExternalID = optional(r.externalID)
	o.SourceIdentity = optional(r.sourceIdentity)
	o.Policy = optional(r.policy)
	o.PolicyARNs = policyARNs(r.policyARNs)
	all := merged(r.tags, r.transitive)
	for _, key := range sortedKeys(all) {
		o.Tags = append(o.Tags, types.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	o.TransitiveTagKeys = sortedKeys(r.transitive)
}

func policyARNs(arns []string) (list []types.PolicyDescriptorType) {
	for _, arn := range arns {
		list = append(list, types.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	return list
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// roleKey stands for a role and everything that it is assumed with.
type roleKey = diskcache.Key

// key is a digest over all fields.
func (r *roleSpec) key() roleKey {
	b := diskcache.NewKey()
	r.identify(b)
	return b.Sum()
}

// identify adds a role and everything that it is assumed with.
func (r *roleSpec) identify(b *diskcache.KeyBuilder) {
	b.Add("role", r.arn.String(), r.sessionName, r.duration.String(), r.externalID, r.sourceIdentity, r.policy, r.mfa.serial)
	b.Add("policies", r.policyARNs...)
	for _, tags := range []struct {
		kind string
		tags map[string]string
	}{{"tags", r.tags}, {"transitive tags", r.transitive}} {
		var fields []string
		for _, key := range sortedKeys(tags.tags) {
			fields = append(fields, key, tags.tags[key])
		}
		b.Add(tags.kind, fields...)
	}
}

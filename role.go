package awsauth

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// roleSpec is a role to be assumed, checked and complete.
type roleSpec struct {
	arn roleARN
	roleSettings
	durationName string // what says how long: an option, or duration_seconds of a profile
	mfa          mfaDevice
}

// mfaDevice is whose code goes with an AssumeRole; without a serial there is none.
type mfaDevice struct {
	serial string
	code   func() (string, error)
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
	if r.mfa.serial != "" {
		o.SerialNumber, o.TokenProvider = aws.String(r.mfa.serial), r.mfa.code
	}
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

// call is the AssumeRole that the spec makes, for what an error says of it.
func (r *roleSpec) call(w *wire, at *place, by signer) stsCall {
	return stsCall{
		op: "assume role", target: r.arn.String(), host: w.host(at), region: w.signedFor(at), by: by, started: time.Now(),
		duration: r.duration.String(), durationName: r.durationName, mfaSerial: r.mfa.serial,
		sent: sentWith(r.externalID != "", r.mfa.serial != "", r.sourceIdentity != "", len(r.tags)+len(r.transitive) > 0),
	}
}

// roleKey stands for a role and everything that it is assumed with.
type roleKey [sha256.Size]byte

// key is a digest over all fields, each with its length before it, so that no
// two specs run into one.
func (r *roleSpec) key() (k roleKey) {
	h := sha256.New()
	hashStrings(h, r.arn.String(), r.sessionName, r.duration.String(), r.externalID, r.sourceIdentity, r.policy, r.mfa.serial)
	hashStrings(h, r.policyARNs...)
	for _, tags := range []map[string]string{r.tags, r.transitive} {
		for _, key := range sortedKeys(tags) {
			hashStrings(h, key, tags[key])
		}
		hashStrings(h) // the end of this map
	}
	h.Sum(k[:0])
	return k
}

func hashStrings(h hash.Hash, fields ...string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(fields)))
	h.Write(n[:])
	for _, field := range fields {
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
}

package awsauth

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/singleflight"
)

// Identity is who a session is, in AWS's words.
type Identity struct {
	Account   string    // 12 digits
	ARN       string    // of the user, or of the role session: arn:aws:sts::123456789012:assumed-role/manage-role/ana@laptop
	UserID    string    // AWS's own id: AIDA… of a user, AROA…:name of a role session
	Partition Partition // of the ARN
}

// callTimeout bounds a call to STS that may outlive the caller who started it.
const callTimeout = 30 * time.Second

// callerCache is what GetCallerIdentity said, and for which key.
type callerCache struct {
	answer atomic.Pointer[callerAnswer]
	flight singleflight.Group
}

type callerAnswer struct {
	keyID    string
	identity Identity
}

// Identity returns the account, ARN, user id and partition of the session. For
// an assumed role they came with its credentials; else STS is asked once
// (GetCallerIdentity, which needs no permission) and the answer kept for as
// long as the access key is the same. Errors are *Error.
func (s *Session) Identity(ctx context.Context) (Identity, error) {
	creds, err := s.Retrieve(ctx)
	if err != nil {
		return Identity{}, err
	}
	if a := s.provider.assumedRole(); a != nil {
		return newIdentity(a.arn, a.userID, creds.AccountID), nil
	}
	if a := s.caller.answer.Load(); a != nil && a.keyID == creds.AccessKeyID {
		return a.identity, nil
	}
	answer := s.caller.flight.DoChan(creds.AccessKeyID, func() (any, error) {
		if a := s.caller.answer.Load(); a != nil && a.keyID == creds.AccessKeyID {
			return a.identity, nil // the flight before this one had just ended
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		return s.askCaller(ctx, creds.AccessKeyID)
	})
	select {
	case got := <-answer:
		if got.Err != nil {
			return Identity{}, got.Err
		}
		return got.Val.(Identity), nil
	case <-ctx.Done():
		return Identity{}, asError(ctx.Err(), "get caller identity")
	}
}

// askCaller asks STS who the session is.
func (s *Session) askCaller(ctx context.Context, keyID string) (Identity, error) {
	call := stsCall{op: "get caller identity", region: s.place.region, started: time.Now()}
	client := s.sts()
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, s.wire.options(ctx, s.place.region, s.wire.newRetryer(), s.pace))
	if err != nil {
		return Identity{}, s.classify(err, call)
	}
	id := newIdentity(aws.ToString(out.Arn), aws.ToString(out.UserId), aws.ToString(out.Account))
	s.caller.answer.Store(&callerAnswer{keyID, id})
	return id, nil
}

// newIdentity reads partition and account off the ARN.
func newIdentity(arn, userID, account string) Identity {
	id := Identity{Account: account, ARN: arn, UserID: userID}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		id.Partition = Partition(parts[1])
		if id.Account == "" {
			id.Account = parts[4]
		}
	}
	return id
}

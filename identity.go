package awsauth

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth/internal/names"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// Identity is who a session is, in AWS's words.
type Identity struct {
	Account   string    // 12 digits
	ARN       string    // of the user, or of the role session: arn:aws:sts::123456789012:assumed-role/manage-role/ana@laptop
	UserID    string    // AWS's own id: AIDA… of a user, AROA…:name of a role session
	Partition Partition // of the ARN
}

// Identity returns the account, ARN, user id and partition of the session. For
// an assumed role they came with its credentials; else STS is asked once
// (GetCallerIdentity, which needs no permission) and the answer kept for as
// long as the access key is the same. Errors are *Error.
func (s *Session) Identity(ctx context.Context) (Identity, error) {
	if s.gate != nil && !s.cache.Usable() { // the user is known without a code
		return s.parent.Identity(ctx)
	}
	keys, err := s.issued(ctx)
	if err != nil {
		return Identity{}, err
	}
	id, err := s.identityOf(ctx, keys)
	if err == nil {
		return id, nil
	}
	// The keys may have been refused, and others may have come meanwhile.
	if newer, noKeys := s.issued(ctx); noKeys == nil && newer.AccessKeyID != keys.AccessKeyID {
		return s.identityOf(ctx, newer)
	}
	return Identity{}, err
}

// identityOf is whose the keys are.
func (s *Session) identityOf(ctx context.Context, keys *refresh.Issued) (Identity, error) {
	if keys.ARN != "" {
		return newIdentity(who{keys.ARN, keys.UserID, keys.AccountID}), nil
	}
	found, err := s.caller.find(ctx, keys.AccessKeyID, func(ctx context.Context) (who, error) { return s.askCaller(ctx, keys.Credentials) })
	if err != nil {
		return Identity{}, asError(err, "get caller identity")
	}
	return newIdentity(found), nil
}

// askCaller asks STS whose the keys are. It signs with these very keys: the session
// may have others by then, and the answer is kept under the name of these.
func (s *Session) askCaller(ctx context.Context, keys aws.Credentials) (who, error) {
	call := s.callerCall()
	w := s.family.wire
	out, err := w.client().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, s.calls(ctx, s.place, credentials.StaticCredentialsProvider{Value: keys}, w.newRetryer(), call))
	if err != nil {
		return who{}, classifySTS(err, call)
	}
	found := who{aws.ToString(out.Arn), aws.ToString(out.UserId), aws.ToString(out.Account)}
	if !found.possible() {
		e := &Error{Op: call.op}
		e.notAWS(call.host, "STS", 0)
		return who{}, e
	}
	if role := s.assumedRole(); role != nil {
		if _, err := isRole(found.arn, role.arn, call.host); err != nil {
			return who{}, err
		}
	}
	found.userID = redact.OneLine(found.userID)
	return found, nil
}

// possible reports whether STS can have written it: accounts have 12 digits, and the
// one in the ARN is the same.
func (w who) possible() bool {
	if !names.IsPrintable(w.arn) || w.account != "" && !names.IsAccount(w.account) {
		return false
	}
	parts := strings.SplitN(w.arn, ":", 6)
	return len(parts) < 6 || w.account == "" || !names.IsAccount(parts[4]) || parts[4] == w.account
}

// assumedRole is the role that s is a session of, nil if it is none that was asked
// for.
func (s *Session) assumedRole() *roleSpec {
	if s.role != nil {
		return s.role
	}
	return s.source().opens
}

// newIdentity reads partition and account off the ARN.
func newIdentity(w who) Identity {
	id := Identity{Account: w.account, ARN: w.arn, UserID: w.userID}
	if parts := strings.SplitN(w.arn, ":", 6); len(parts) == 6 {
		id.Partition = Partition(parts[1])
		if id.Account == "" {
			id.Account = parts[4]
		}
	}
	return id
}

package bench

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/chaoxiaodi/awsauth"
)

// Footprint is what sessions cost while they are held, and what is left of
// them afterwards. All have their credentials.
type Footprint struct {
	Sessions         int
	Bytes            float64 // heap, per session
	Left             float64 // heap that stays when they are dropped, per session
	Goroutines       int     // while they are held and idle, more than before
	OfTheCredentials float64 // bytes of the credentials themselves
}

// Remember measures n sessions with the cache of that name.
func Remember(cache string, n int) (f Footprint, err error) {
	ctx := context.Background()
	one, err := opener(cache, keyID, secretKey, MemorySTS())
	if err != nil {
		return f, err
	}
	open := func(accounts []string) ([]aws.CredentialsProvider, error) {
		all := make([]aws.CredentialsProvider, len(accounts))
		for i, account := range accounts {
			p, err := one(account)
			if err != nil {
				return nil, err
			}
			if _, err := p.Retrieve(ctx); err != nil {
				return nil, err
			}
			all[i] = p
		}
		return all, nil
	}
	if _, err := open(Accounts(100)); err != nil { // what is made once is not per session
		return f, err
	}
	accounts := Accounts(n)
	before, goroutines := heapInUse(), runtime.NumGoroutine()
	all, err := open(accounts)
	if err != nil {
		return f, err
	}
	f.Sessions = n
	held := heapInUse()
	f.Goroutines = runtime.NumGoroutine() - goroutines
	f.Bytes = (held - before) / float64(n)
	runtime.KeepAlive(all)
	all = nil
	f.Left = (heapInUse() - before) / float64(n)
	runtime.KeepAlive(accounts)
	runtime.KeepAlive(one)
	f.OfTheCredentials = float64(len(keyID)+len(secretKey)+len(sessionToken)+12) + 16*6
	return f, nil
}

// opener returns a function that opens a role session in an account, with the
// cache of that name. All its sessions start from one user: from one session of
// ours, or from one STS client of the SDK.
func opener(cache, keyID, secretKey string, client *http.Client) (func(account string) (aws.CredentialsProvider, error), error) {
	if cache == Ours {
		s, err := base(keyID, secretKey, client)
		if err != nil {
			return nil, err
		}
		return func(account string) (aws.CredentialsProvider, error) { return s.Assume(awsauth.WithAccount(account)) }, nil
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(client), config.WithRegion(Region),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, secretKey, "")))
	if err != nil {
		return nil, err
	}
	shared := sts.NewFromConfig(cfg)
	return func(account string) (aws.CredentialsProvider, error) {
		return sdkCache(cache, stscreds.NewAssumeRoleProvider(shared, roleARN(account), oneHour)), nil
	}, nil
}

// base is the session of a user.
func base(keyID, secretKey string, client *http.Client) (*awsauth.Session, error) {
	return awsauth.New(awsauth.WithStaticCredentials(keyID, secretKey, ""), awsauth.WithRegion(Region),
		awsauth.WithLoadOptions(config.WithHTTPClient(client)))
}

// heapInUse is what is reachable; cleanups get their time to run.
func heapInUse() float64 {
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

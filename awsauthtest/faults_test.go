package awsauthtest_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// TestFaults lets AWS fail in each way, in memory and on a socket.
func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault  awsauthtest.Fault
		status int    // 0: no answer
		code   string // "?": not an error of AWS
		is     error
	}{
		"none":       {awsauthtest.Fault{}, 200, "", nil},
		"throttle":   {awsauthtest.Fault{Kind: awsauthtest.Throttle}, 400, "Throttling", nil},
		"5xx":        {awsauthtest.Fault{Kind: awsauthtest.ServerError}, 503, "ServiceUnavailable", nil},
		"500":        {awsauthtest.Fault{Kind: awsauthtest.ServerError, Status: 500, Code: "InternalFailure"}, 500, "InternalFailure", nil},
		"refuse":     {awsauthtest.Fault{Kind: awsauthtest.Refuse}, 403, "AccessDenied", nil},
		"refuse so":  {awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: 400, Code: "X", Message: "m"}, 400, "X", nil},
		"reset":      {awsauthtest.Fault{Kind: awsauthtest.Reset}, 0, "?", syscall.ECONNRESET},
		"hang":       {awsauthtest.Fault{Kind: awsauthtest.Hang}, 0, "?", context.DeadlineExceeded},
		"malformed":  {awsauthtest.Fault{Kind: awsauthtest.Malformed}, 200, "?", nil},
		"long delay": {awsauthtest.Fault{Delay: time.Hour}, 0, "?", context.DeadlineExceeded},
		"other":      {awsauthtest.Fault{Action: "AssumeRole", Kind: awsauthtest.Throttle}, 200, "", nil},
		"match":      {awsauthtest.Fault{Match: func(c awsauthtest.Call) bool { return c.Region == "us-east-1" }, Kind: awsauthtest.Throttle}, 400, "Throttling", nil},
		"no match":   {awsauthtest.Fault{Match: func(c awsauthtest.Call) bool { return c.Region == "x" }, Kind: awsauthtest.Throttle}, 200, "", nil},
	} {
		for _, where := range []string{"memory", "socket"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				c, keys := world(t)
				to, do := endpoint, c.Client()
				if where == "socket" {
					url, err := c.Serve()
					require.NoError(t, err)
					to, do = url, &http.Client{Transport: &http.Transport{}}
					defer do.CloseIdleConnections()
				}
				tt.fault.Times = 1
				c.Inject(tt.fault)
				patience := time.Minute
				if tt.is == context.DeadlineExceeded {
					patience = 100 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				from := client(c, "us-east-1", keys)
				_, err := from.GetCallerIdentity(ctx, nil, at(to, do))
				require.Equal(t, tt.code, refusal(err), "%v", err)
				var response *awshttp.ResponseError
				if tt.status > 200 {
					require.ErrorAs(t, err, &response)
					require.Equal(t, tt.status, response.HTTPStatusCode())
				}
				if tt.is != nil {
					require.ErrorIs(t, err, tt.is)
				}
				if tt.status != 0 {
					require.Equal(t, tt.status, c.Calls()[0].Status)
				}
				_, err = from.GetCallerIdentity(t.Context(), nil, at(to, do))
				require.NoError(t, err, "once")
			})
		}
	}
}

// TestFaultOrder covers delays that add up, faults that are used up one after
// the other, and removal.
func TestFaultOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awsauthtest.Start()
		from := client(c, "us-east-1", c.AddUser(awsauthtest.User{ARN: alice}))
		ask := func() (string, time.Duration) {
			start := time.Now()
			_, err := from.GetCallerIdentity(t.Context(), nil)
			return refusal(err), time.Since(start)
		}
		removeDelay := c.Inject(awsauthtest.Fault{Delay: time.Second})
		c.Inject(awsauthtest.Fault{Kind: awsauthtest.Throttle, Times: 2, Delay: time.Minute})
		removeRefusal := c.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Code: "X"})
		for _, want := range []string{"Throttling", "Throttling", "X", "X"} {
			code, took := ask()
			require.Equal(t, want, code)
			if want == "Throttling" {
				require.Equal(t, time.Minute+time.Second, took)
			} else {
				require.Equal(t, time.Second, took)
			}
		}
		removeRefusal()
		removeRefusal()
		removeDelay()
		code, took := ask()
		require.Empty(t, code)
		require.Zero(t, took)

		hung := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		c.Inject(awsauthtest.Fault{Kind: awsauthtest.Hang, Times: 1})
		c.ResetCalls()
		go func() {
			_, err := from.GetCallerIdentity(ctx, nil)
			hung <- err
		}()
		synctest.Wait()
		require.Zero(t, c.Calls()[0].Status, "on its way")
		require.Empty(t, c.Calls()[0].ErrorCode)
		cancel()
		require.ErrorIs(t, <-hung, context.Canceled)
		require.Equal(t, "ConnectionFailed", c.Calls()[0].ErrorCode)
		require.Empty(t, c.Calls("AssumeRole"))
	})
}

// TestLimit covers the token bucket: one for each account.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awsauthtest.Start()
		one := client(c, "us-east-1", c.AddUser(awsauthtest.User{ARN: alice}))
		two := client(c, "us-east-1", c.AddUser(awsauthtest.User{ARN: "arn:aws:iam::555555555555:user/x"}))
		c.LimitSTS(10)
		count := func(n int) (passed int) {
			for range n {
				_, err := one.GetCallerIdentity(t.Context(), nil)
				if err == nil {
					passed++
					continue
				}
				requireRefused(t, err, 400, "Throttling", "Rate exceeded")
			}
			return passed
		}
		require.Equal(t, 10, count(15))
		_, err := two.GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		time.Sleep(300 * time.Millisecond)
		require.Equal(t, 3, count(5))
		time.Sleep(time.Hour)
		require.Equal(t, 10, count(15))
		c.LimitSTS(0)
		require.Equal(t, 50, count(50))
	})
}

// TestConcurrent does everything at once, for the race detector.
func TestConcurrent(t *testing.T) {
	c, keys := world(t)
	c.SetInstance(&awsauthtest.Instance{RoleARN: manage})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			from := client(c, "us-east-1", keys)
			for range 5 {
				remove := c.Inject(awsauthtest.Fault{Action: "Other", Match: func(awsauthtest.Call) bool { return len(c.Calls("Other")) > 0 }})
				_, err := from.AssumeRole(context.Background(), role(manage))
				_, metaErr := metadata(c).GetRegion(context.Background(), nil)
				if err := errors.Join(err, metaErr); err != nil {
					t.Error(err)
				}
				c.AddUser(awsauthtest.User{ARN: bob})
				c.MFACode(phone)
				c.SetContainer(&awsauthtest.Container{RoleARN: manage})
				remove()
			}
		})
	}
	wg.Wait()
	require.Len(t, c.Calls("AssumeRole"), 160)
	ids := map[string]bool{}
	for _, call := range c.Calls() {
		ids[call.Action] = true
	}
	require.Len(t, ids, 3)
}

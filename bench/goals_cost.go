package bench

import "fmt"

// goalsOfCost are on the machine's clock, but for counts and sizes.
func goalsOfCost() []goal {
	return []goal{
		{"keys in memory: not slower than the SDK's cache, 0 allocations", func(in *reading) (string, string) {
			one, two := in.figure("hot", "ratio", "one caller"), in.figure("hot", "ratio", "*callers at once")
			allocations := in.within(`, (\d+)$`, "hot", "allocations", "one caller")
			return fmt.Sprintf("%v one caller, %v several; %v allocations", one, two, allocations),
				all("allocations", allocations.atMost(0), "one caller", one.atMost(1), "several", two.atMost(1))
		}},
		{"a few KiB per session, nothing left", func(in *reading) (string, string) {
			heap, left := in.figure("memory", "heap per session", Ours), in.figure("memory", "left when dropped", Ours)
			return fmt.Sprintf("%v, %v; %v the SDK's", heap, left, heap.over(in.figure("memory", "heap per session", SDK))), all("held", heap.atMost(4*1024), "left", left.atMost(256))
		}},
		{"1,000 accounts within 1.1× of the limit", func(in *reading) (string, string) {
			const head = "over the limit"
			far, near := in.figure("accounts", head, Ours, "50 ms", "1,000"), in.figure("accounts", head, Ours, "5 ms", "1,000")
			bare, bareNear := in.figure("accounts", head, BareHTTP.Name, "50 ms"), in.figure("accounts", head, BareHTTP.Name, "5 ms")
			return fmt.Sprintf("%v with STS at 50 ms, where bare HTTP needs %v; %v at 5 ms, bare HTTP %v", far, bare, near, bareNear), all("50 ms", far.atMost(1.1), "5 ms", near.atMost(1.1))
		}},
		{"at or below the best peer in time, calls and connections", func(in *reading) (string, string) {
			peer := func(head, sts string) (ours, theirs figure) {
				return in.figure("accounts", head, Ours, sts, "1,000"), in.figure("accounts", head, sharedSTS, sts, "1,000")
			}
			calls, theirCalls := peer("STS calls per account", "5 ms")
			open, theirOpen := peer("connections", "5 ms")
			near, theirNear := peer("time", "5 ms")
			far, theirFar := peer("time", "50 ms")
			return fmt.Sprintf("%v call an account and %v connections, against %v and %v; time %v of stscreds' at 5 ms, %v at 50 ms", calls, open, theirCalls, theirOpen, near.over(theirNear), far.over(theirFar)),
				all("calls", calls.below(theirCalls), "connections", open.below(theirOpen), "time at 5 ms", near.over(theirNear).atMost(1), "time at 50 ms", far.over(theirFar).atMost(1))
		}},
		{"at or below the best peer in bytes", func(in *reading) (string, string) {
			ratio := func(head string) figure {
				return in.figure("accounts", head, Ours, "5 ms", "1,000").over(in.figure("accounts", head, sharedSTS, "5 ms", "1,000"))
			}
			allocated, kept := ratio("allocated per account"), ratio("kept per account")
			return fmt.Sprintf("%v of stscreds' bytes allocated, %v of those kept", allocated, kept), all("allocated", allocated.atMost(1), "kept", kept.atMost(1))
		}},
		{"10,000 accounts cost at most 1.2× as much each as 1,000", func(in *reading) (string, string) {
			const head = "over the limit"
			each := in.figure("accounts", head, Ours, "5 ms", "10,000").over(in.figure("accounts", head, Ours, "5 ms", "1,000"))
			return each.String(), each.atMost(1.2)
		}},
	}
}

// goalsOfStarts are those of what begins: a session, a process, the command.
func goalsOfStarts() []goal {
	return []goal{
		{"New within 1.05× of LoadDefaultConfig + stscreds", func(in *reading) (string, string) {
			env, profile := in.figure("new", "ratio", "session", "environment"), in.figure("new", "ratio", "session", "profile")
			first, second := in.figure("new", "ratio", "session and first credentials", "environment"), in.figure("new", "ratio", "session and first credentials", "profile")
			return fmt.Sprintf("%v from the environment, %v from a profile; %v and %v with the first credentials", env, profile, first, second),
				all("environment", env.atMost(1.05), "profile", profile.atMost(1.05))
		}},
		{"process start within 1.1× of the bare SDK", func(in *reading) (string, string) {
			ours := in.figure("start", "over the bare SDK", Ours)
			return ours.String(), ours.atMost(1.1)
		}},
		{"process start 20 times faster than the class", func(in *reading) (string, string) {
			faster := in.figure("start", "awsauth is faster by", "boto3 class")
			return faster.String(), faster.atLeast(20)
		}},
		{"a fresh process with its credentials on the disk: within 1.5 ms of one that only loads the SDK's config", func(in *reading) (string, string) {
			over := in.figure("warm", "over LoadDefaultConfig", "awsauth, from the disk cache")
			return fmt.Sprintf("%v (%v); with a call to STS at 5 ms %v", over, in.text("warm", "ratio", "awsauth, from the disk cache"), in.text("warm", "over LoadDefaultConfig", "bare SDK, a call to STS")), over.atMost(1.5e6)
		}},
		{"the command, from a warm cache, 20 times faster than the AWS CLI's `export-credentials`", func(in *reading) (string, string) {
			const head = "faster than the AWS CLI by"
			process, exec := in.figure("warm", head, "the command: `awsauth process`"), in.figure("warm", head, "the command: `awsauth exec -- true`")
			return fmt.Sprintf("%v (`process`), %v (`exec -- true`)", process, exec), all("process", process.atLeast(20), "exec", exec.atLeast(20))
		}},
		{"many processes on one expired login all succeed, with one renewal each time", func(in *reading) (string, string) {
			of := func(head, way string) figure { return in.figure("login", head, way) }
			const asked = "renewals asked for"
			return fmt.Sprintf("%v of %v with %v renewals, against %v with %v", of("succeeded", Ours), of("processes", Ours), of(asked, Ours), of("succeeded", "bare SDK"), of(asked, "bare SDK")),
				all("succeed", of("succeeded", Ours).atLeast(of("processes", Ours).value), "renewals", of(asked, Ours).atMost(10))
		}},
	}
}

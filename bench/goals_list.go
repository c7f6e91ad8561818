package bench

import "fmt"

// Scenarios and rows, as the tables have them.
const (
	overExpiry  = "100 callers, once a second each, over an expiry"
	longOutage  = "STS down for 18 minutes, from minute 50"
	hungCall    = "one STS call is never answered; callers give up after 5 s"
	failing     = "1,000 callers, once a second each; the source fails from 1 s before the expiry to 5 s after it"
	endingKeys  = "1,000 callers at once, 500 ms before the expiry, nobody before them"
	throttled   = "2,000 sessions have to renew, STS allows 3 calls a second; one person takes 5 other roles in that minute"
	allAtOnce   = "2,000 accounts at once, STS allows 50 calls a second"
	inTurn      = "2,000 accounts, 16 at a time, STS allows 50 calls a second"
	refused     = "100 sessions want their first keys, STS refuses connections"
	unknownHost = "100 sessions want their first keys, the host of STS is unknown"
	sharedSTS   = "stscreds, shared client"
)

// goalsOfRotation are on the clock of synctest: the figures are exact.
func goalsOfRotation() []goal {
	return []goal{
		{"nobody waits at an expiry, while somebody calls", func(in *reading) (string, string) {
			ours, sdk := in.figure("rotation", "longest wait", overExpiry, Ours), in.figure("rotation", "longest wait", overExpiry, SDK)
			return fmt.Sprintf("%v against %v", ours, sdk), ours.atMost(0)
		}},
		{"an outage of 18 minutes: 0 errors, STS calls bounded", func(in *reading) (string, string) {
			ours, sdk := in.figure("rotation", "errors", longOutage, Ours), in.figure("rotation", "errors", longOutage, SDK)
			calls, theirs := in.figure("rotation", "STS calls", longOutage, Ours), in.figure("rotation", "STS calls", longOutage, SDK)
			return fmt.Sprintf("%v errors and %v calls, against %v and %v", ours, calls, sdk, theirs), all("errors", ours.atMost(0), "calls", calls.atMost(60))
		}},
		{"a hung refresh is survived", func(in *reading) (string, string) {
			ours, sdk := in.figure("rotation", "errors", hungCall, Ours), in.figure("rotation", "errors", hungCall, SDK)
			return fmt.Sprintf("%v errors, against %v", ours, sdk), ours.atMost(0)
		}},
		{"a fleet spreads out: 1.6 in hour 2, 1.2 from hour 3, 2.1 calls", func(in *reading) (string, string) { return judgeFleet(in, "30 s") }},
		{"the same, used every second", func(in *reading) (string, string) { return judgeFleet(in, "1 s") }},
		{"a source that fails is asked rarely, errors are shared", func(in *reading) (string, string) {
			ours, sdk := in.figure("crowds", "calls to the source", failing, Ours), in.figure("crowds", "calls to the source", failing, SDK)
			return fmt.Sprintf("%v calls for 1,000 callers in 6 s, against %v", ours, sdk), ours.atMost(10)
		}},
		{"it works again within 4 s of the recovery", func(in *reading) (string, string) {
			const after = `new keys (\S+ \S+) after`
			ours, sdk := in.within(after, "crowds", "beside that", failing, Ours), in.within(after, "crowds", "beside that", failing, SDK)
			return fmt.Sprintf("%v; the SDK's cache, which never pauses, %v", ours, sdk), ours.atMost(4e9)
		}},
		{"keys that end are not handed out", func(in *reading) (string, string) {
			const got = `^(\S+) got keys`
			ours, sdk, window := in.within(got, "crowds", "beside that", endingKeys, Ours), in.within(got, "crowds", "beside that", endingKeys, SDK), in.within(got, "crowds", "beside that", endingKeys, SDK5)
			return fmt.Sprintf("%v of 1,000 callers, against %v; with a window %v", ours, sdk, window), ours.atMost(0)
		}},
		{"a person is served within 2 s of 2,000 throttled sessions", func(in *reading) (string, string) {
			const fails, longest = `: (\d+) of 5 failed`, `longest wait (\S+ \S+)$`
			ours, sdk := in.within(fails, "crowds", "beside that", throttled, Ours), in.within(fails, "crowds", "beside that", throttled, SDK)
			wait := in.within(longest, "crowds", "beside that", throttled, Ours)
			errors, theirs := in.figure("crowds", "errors", throttled, Ours), in.figure("crowds", "errors", throttled, SDK)
			return fmt.Sprintf("%v, %v of 5 fail, against %v of 5; the sessions feel %v errors, against %v", wait, ours, sdk, errors, theirs),
				all("wait", wait.atMost(2e9), "errors", ours.atMost(0))
		}},
		{"2,000 accounts at 50 calls a second, all at once: none fails", func(in *reading) (string, string) { return judgeCrowd(in, allAtOnce) }},
		{"the same, 16 at a time", func(in *reading) (string, string) { return judgeCrowd(in, inTurn) }},
		{"no connection: an error within 2 s", func(in *reading) (string, string) {
			const within = `within (.+)$`
			ours, sdk := in.within(within, "crowds", "beside that", refused, Ours), in.within(within, "crowds", "beside that", refused, SDK)
			host, theirs := in.within(within, "crowds", "beside that", unknownHost, Ours), in.within(within, "crowds", "beside that", unknownHost, SDK)
			return fmt.Sprintf("%v, against %v; for an unknown host %v, against %v of the SDK, which does not try again", ours, sdk, host, theirs),
				all("refused", ours.atMost(2e9), "unknown", host.atMost(2e9))
		}},
	}
}

func judgeFleet(in *reading, every string) (here, verdict string) {
	hour := func(cache string, h int) figure { return in.figure("fleet", fleetHead(cache, every), fmt.Sprint(h)) }
	third := hour(Ours, 3)
	for h := 4; h <= 12; h++ {
		if later := hour(Ours, h); later.value > third.value {
			third = later
		}
	}
	calls, theirs := in.figure("fleet", fleetHead(Ours, every), callsPerHour), in.figure("fleet", fleetHead(SDK5, every), callsPerHour)
	return fmt.Sprintf("%v, %v and %v calls, against %v, %v (hour 6) and %v with a window", hour(Ours, 2), third, calls, hour(SDK5, 2), hour(SDK5, 6), theirs),
		all("hour 2", hour(Ours, 2).atMost(1.6), "from hour 3", third.atMost(1.2), "calls", calls.atMost(2.1))
}

func judgeCrowd(in *reading, scenario string) (here, verdict string) {
	ours, sdk := in.figure("crowds", "errors", scenario, Ours), in.figure("crowds", "errors", scenario, SDK)
	const done = `after (.+)$`
	took, theirs := in.within(done, "crowds", "beside that", scenario, Ours), in.within(done, "crowds", "beside that", scenario, SDK)
	calls := in.figure("crowds", "calls to the source", scenario, Ours)
	return fmt.Sprintf("%v fail in %v, with %v calls, against %v that fail in %v", ours, took, calls, sdk, theirs), ours.atMost(0)
}

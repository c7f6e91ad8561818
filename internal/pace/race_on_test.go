//go:build race

package pace_test

// mostUnderRace bounds the crowds of the tests: with 2,000 goroutines that one
// call wakes, the race detector of Go 1.26 itself fails now and then ("CHECK
// failed: tsan_rtl.cpp").
const mostUnderRace = 300

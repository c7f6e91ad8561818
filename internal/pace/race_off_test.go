//go:build !race

package pace_test

// mostUnderRace does not bound the crowds of the tests here.
const mostUnderRace = 10_000

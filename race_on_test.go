//go:build race

package awsauth_test

// underRace: the race detector makes everything several times slower.
const underRace = true

//go:build race

package lab

// UnderRace: the race detector makes everything several times slower.
const UnderRace = true

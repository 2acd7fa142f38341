//go:build !race

package file

// How many power cuts, damages and kills a run of the tests has; a tenth or
// less of it under the race detector.
const (
	cutRounds    = 10_000
	damageRounds = 2_000
	killRounds   = 100
	trapSeeds    = 6
)

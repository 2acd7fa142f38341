//go:build !race

package file

// How many power cuts, damages and kills a run of the tests has, and how often it
// goes through what is known to break: less of all under the race detector.
const (
	cutRounds    = 10_000
	damageRounds = 2_000
	killRounds   = 100
	trapSeeds    = 4
)

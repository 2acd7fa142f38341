//go:build race

package file

// The torture tests under the race detector, which makes them ten times as slow
// and is after other bugs: fewer.
const (
	cutRounds    = 500
	damageRounds = 200
	killRounds   = 10
	trapSeeds    = 1
)

package cmdline

import "github.com/urfave/cli/v3"

// nearest is the flag of cmd that a misspelt name most likely stands for; empty
// if none is near.
func nearest(name string, cmd *cli.Command) string {
	best, least := "", 3
	if len(name) < 4 {
		least = 2
	}
	for _, f := range cmd.VisibleFlags() {
		for _, known := range f.Names() {
			if d := edits(name, known); len(known) > 2 && d < least {
				best, least = known, d
			}
		}
	}
	return best
}

// edits is how many letters must be put in, taken out or replaced to make b
// of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

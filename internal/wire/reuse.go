package wire

import (
	"slices"

	"github.com/reeveq/reeve"
)

// keptEntries is how many entries a decoder keeps memory for while it rests.
const keptEntries = 1 << 10

// grow makes s n long, for contents that are all to be overwritten.
func grow[T any](s []T, n int) []T {
	return slices.Grow(s[:0], n)[:n]
}

// dropTail forgets what a longer frame before left behind the n entries of
// this one: its payloads would keep the frame they alias alive.
func dropTail[T any](had []T, n int) {
	if n < len(had) {
		clear(had[n:])
	}
}

// rest is s emptied for a long rest. There is nothing behind its end: see
// dropTail.
func rest[T any](s []T) []T {
	if cap(s) > keptEntries {
		return nil
	}
	clear(s)
	return s[:0]
}

// slab is memory for the rules of a frame's tasks, which the next frame uses
// again. A nil one has none: what it gives is nobody else's.
type slab struct {
	rules []reeve.Rules // those that were given; what comes after them is zero
	had   int           // how many the frame before was given of the same memory
}

// begin takes back what was given.
func (s *slab) begin() { s.had, s.rules = len(s.rules), s.rules[:0] }

// next gives memory for the rules of one task.
func (s *slab) next() *reeve.Rules {
	if s == nil {
		return new(reeve.Rules)
	}
	n := len(s.rules)
	if n == cap(s.rules) {
		// What was given stays where it is, and belongs to its tasks.
		s.rules, s.had, n = make([]reeve.Rules, 0, max(1, min(2*n, keptEntries))), 0, 0
	}
	s.rules = s.rules[:n+1]
	s.rules[n] = reeve.Rules{}
	return &s.rules[n]
}

// end forgets what the frame before left behind.
func (s *slab) end() {
	if n := len(s.rules); s.had > n {
		clear(s.rules[n:s.had])
	}
	s.had = 0
}

// rest empties s for a long rest.
func (s *slab) rest() {
	clear(s.rules)
	s.rules = s.rules[:0]
}

package wire

import "slices"

// keptEntries is how many entries a decoder keeps memory for while it rests.
const keptEntries = 64

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

// rest is s emptied for a long rest.
func rest[T any](s []T) []T {
	if cap(s) > keptEntries {
		return nil
	}
	clear(s[:cap(s)])
	return s[:0]
}

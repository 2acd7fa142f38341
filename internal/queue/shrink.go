package queue

import "maps"

// shrunk is m, or a copy of it when it holds much less than peak, the most it
// ever held: a map keeps the memory of that. It sets peak to what the map holds
// the memory of.
func shrunk[K comparable, V any](m map[K]V, peak *int) map[K]V {
	if *peak = max(*peak, len(m)); *peak < 1<<10 || len(m) > *peak/16 {
		return m
	}
	kept := make(map[K]V, len(m))
	maps.Copy(kept, m)
	*peak = len(kept)
	return kept
}

// trimmed is list, or a copy of it when it has room for much more than it holds.
func trimmed[T any](list []T) []T {
	if cap(list) <= 1<<10 || len(list) >= cap(list)/8 {
		return list
	}
	return append(make([]T, 0, 2*len(list)), list...)
}

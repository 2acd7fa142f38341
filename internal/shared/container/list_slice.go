package container

import (
	"fmt"
	"math"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// A slice is start, stop and step as in Python: each may be nil, indexes count
// from the end if they are negative, and none is out of range.
var listSlices = []method[*listObject]{
	reading("snapshot", "(reversed, max) page", (*listObject).snapshot),
	reading("slice", "(start, stop, step) page", (*listObject).slice),
	changing("setslice", "(start, stop, step, values) length", (*listObject).setSlice),
	changing("deleteslice", "(start, stop, step) uint", (*listObject).deleteSlice),
}

// slice is the places start, start+step, … of which there are count.
type slice struct{ start, step, count int }

// sliceArgs are the next three arguments.
type sliceArgs struct{ start, stop, step *int64 }

func (a *args) slice() sliceArgs { return sliceArgs{a.optional(), a.optional(), a.optional()} }

// of is what the slice of n elements is.
func (x sliceArgs) of(n int) (slice, error) {
	step := int64(1)
	if x.step != nil {
		step = max(*x.step, -math.MaxInt64)
	}
	if step == 0 {
		return slice{}, fmt.Errorf("%w: a slice with step 0", reeve.ErrInvalid)
	}
	first, last := int64(0), int64(n) // where a slice begins and ends that does not say so
	if step < 0 {
		first, last = int64(n)-1, -1
	}
	low, high := min(first, last), max(first, last)
	bound := func(i *int64, absent int64) int64 {
		if i == nil {
			return absent
		}
		at := *i
		if at < 0 {
			if at += int64(n); at < 0 {
				return low
			}
		}
		return min(at, high)
	}
	start, stop := bound(x.start, first), bound(x.stop, last)
	s := slice{start: int(start), step: int(step)}
	if step > 0 && start < stop {
		s.count = int((stop-start-1)/step) + 1
	} else if step < 0 && start > stop {
		s.count = int((start-stop-1)/-step) + 1
	}
	return s, nil
}

// contiguous: the slice may be replaced by one of another length.
func (x sliceArgs) contiguous() bool { return x.step == nil || *x.step == 1 }

func (s slice) at(i int) int { return s.start + i*s.step }

// valueReader reads the values of a list.
type valueReader struct{ seq *tree[element] }

func (r valueReader) len() int       { return r.seq.len() }
func (r valueReader) frozen() reader { return valueReader{r.seq.clone()} }

func (r valueReader) each(i int, backward bool, f func(key, value string) bool) {
	r.seq.each(i, backward, func(_ int, e element) bool { return f("", e.value) })
}

func whatOf(reversed bool) uint64 {
	if reversed {
		return valuesOfPage | reversedPages
	}
	return valuesOfPage
}

func (l *listObject) snapshot(c *shared.Call, a *args) error {
	reversed, limit := a.bool(), a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	return l.pages(c, valueReader{l.seq}, whatOf(reversed), limit)
}

func (l *listObject) slice(c *shared.Call, a *args) error {
	x := a.slice()
	if err := a.done(c); err != nil {
		return err
	}
	s, err := x.of(l.seq.len())
	if err != nil {
		return err
	}
	return l.pages(c, valueReader{subsequence(l.seq, s)}, valuesOfPage, 0)
}

// subsequence is a tree of its own with the items of a slice.
func subsequence[T any](t *tree[T], s slice) *tree[T] {
	if s.step == 1 {
		part := t.clone()
		part.deleteRange(s.start+s.count, part.len())
		part.deleteRange(0, min(s.start, part.len()))
		return part
	}
	items := make([]T, s.count)
	for i := range items {
		items[i] = t.at(s.at(i))
	}
	return newTree(items...)
}

func (l *listObject) sizeOf(s slice) int64 {
	size := int64(0)
	for i := range s.count {
		size += int64(len(l.seq.at(s.at(i)).value))
	}
	return size
}

func (l *listObject) setSlice(c *shared.Call, a *args) error {
	x, values := a.slice(), a.items()
	if err := a.done(c); err != nil {
		return err
	}
	s, err := x.of(l.seq.len())
	switch {
	case err != nil:
		return err
	case !x.contiguous() && len(values) != s.count:
		return fmt.Errorf("%w: %d values for a slice of %d", reeve.ErrInvalid, len(values), s.count)
	}
	if err := l.roomFor(values, s.count, l.sizeOf(s)); err != nil {
		return err
	}
	var ch shared.Change
	same := min(s.count, len(values))
	for i := range same {
		l.replace(&ch, s.at(i), string(values[i]))
	}
	if x.contiguous() {
		l.cut(&ch, s.start+same, s.start+s.count)
		l.insert(&ch, s.start+same, stringsOf(values[same:]))
	}
	return l.changed(c, &ch, uintAnswer(l.seq.len()))
}

func (l *listObject) deleteSlice(c *shared.Call, a *args) error {
	x := a.slice()
	if err := a.done(c); err != nil {
		return err
	}
	s, err := x.of(l.seq.len())
	if err != nil {
		return err
	}
	var ch shared.Change
	switch {
	case s.step == 1:
		l.cut(&ch, s.start, s.start+s.count)
	case s.step > 0: // from behind, so that places stay
		for i := s.count - 1; i >= 0; i-- {
			l.cut(&ch, s.at(i), s.at(i)+1)
		}
	default:
		for i := range s.count {
			l.cut(&ch, s.at(i), s.at(i)+1)
		}
	}
	return l.changed(c, &ch, uintAnswer(s.count))
}

package shared

// Span is a part of a list or array, as Python's slices: from start up to before
// stop, in steps. Indexes count from the end if they are negative, and those that
// are out of range are cut. The zero value is all.
type Span struct{ start, stop, step *int }

// Between is [start:stop].
func Between(start, stop int) Span { return Span{start: &start, stop: &stop} }

// From is [start:].
func From(start int) Span { return Span{start: &start} }

// To is [:stop].
func To(stop int) Span { return Span{stop: &stop} }

// By is the span in steps; below zero: backwards. 0 is [reeve.ErrInvalid] when it is
// used.
func (s Span) By(step int) Span {
	s.step = &step
	return s
}

// args are the three as they are sent.
func (s Span) args() []any { return []any{s.start, s.stop, s.step} }

package wire

import (
	"fmt"
	"math"

	"github.com/reeveq/reeve"
)

// Filter is [reeve.Filter] with its keys.
type Filter struct {
	IDs    []reeve.ID `cbor:"1,keyasint,omitempty"`
	States []uint64   `cbor:"2,keyasint,omitempty"`
	Types  []string   `cbor:"3,keyasint,omitempty"`
	Key    string     `cbor:"4,keyasint,omitempty"`
	Unique string     `cbor:"5,keyasint,omitempty"`
	Error  string     `cbor:"6,keyasint,omitempty"`
	Before int64      `cbor:"7,keyasint,omitempty"`
}

// FilterOf is f with its keys; nil for one that means all tasks. It shares ids
// and types.
func FilterOf(f *reeve.Filter) *Filter {
	w := &Filter{
		IDs: f.IDs, Types: f.Types, Key: f.Key, Unique: f.Unique, Error: f.Error, Before: moment(f.Before),
	}
	for _, s := range f.States {
		w.States = append(w.States, uint64(s))
	}
	if len(w.IDs) == 0 && len(w.States) == 0 && len(w.Types) == 0 && w.Key == "" && w.Unique == "" && w.Error == "" && w.Before == 0 {
		return nil
	}
	return w
}

// Filter is w, which may be nil, in the words of the vocabulary. It shares ids
// and types.
func (w *Filter) Filter() reeve.Filter {
	if w == nil {
		return reeve.Filter{}
	}
	f := reeve.Filter{
		IDs: w.IDs, Types: w.Types, Key: w.Key, Unique: w.Unique, Error: w.Error, Before: timeOf(w.Before),
	}
	for _, s := range w.States {
		f.States = append(f.States, stateOf(s))
	}
	return f
}

// Source is [reeve.Source]; it travels as an array: queue, weight.
type Source struct {
	Queue  string
	Weight int
}

// MarshalCBOR writes the array.
func (s Source) MarshalCBOR() ([]byte, error) {
	if s.Weight < 0 || s.Weight > math.MaxInt32 {
		return nil, fmt.Errorf("%w: source %q has weight %d", reeve.ErrInvalid, s.Queue, s.Weight)
	}
	b := appendText(append(make([]byte, 0, len(s.Queue)+13), majorArray<<5|2), s.Queue)
	return appendUint(b, uint64(s.Weight)), nil
}

// UnmarshalCBOR reads the array.
func (s *Source) UnmarshalCBOR(b []byte) error {
	c := cursor{b: b}
	n := c.array(1)
	s.Queue = string(c.text())
	weight := c.uint()
	switch {
	case n < 2:
		c.fail(wrongElements)
	case weight > math.MaxInt32:
		c.fail(wrongRange)
	}
	s.Weight = int(weight)
	for ; n > 2 && !c.bad(); n-- {
		c.skip(1)
	}
	return c.end("source")
}

// SourcesOf are s as they travel.
func SourcesOf(s []reeve.Source) (out []Source) {
	for _, v := range s {
		out = append(out, Source(v))
	}
	return out
}

// ReeveSources are s in the words of the vocabulary.
func ReeveSources(s []Source) (out []reeve.Source) {
	for _, v := range s {
		out = append(out, reeve.Source(v))
	}
	return out
}

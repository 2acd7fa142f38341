package container

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// arrayObject is an array: as many values as were declared, for ever.
type arrayObject struct {
	base
	seq *tree[string]
}

var arrayMethods = slices.Concat([]method[*arrayObject]{
	reading("len", "() uint", (*arrayObject).lenCall),
	reading("get", "(index) value", (*arrayObject).get),
	changing("set", "(index, value)", (*arrayObject).set),
	changing("add", "(index, number, type) value", (*arrayObject).add),
	changing("compareandswap", "(index, old, new) bool", (*arrayObject).compareAndSwap),
	reading("slice", "(start, stop, step) page", (*arrayObject).slice),
	changing("setslice", "(start, stop, step, values)", (*arrayObject).setSlice),
	reading("snapshot", "(reversed, max) page", (*arrayObject).snapshot),
	reading("changes", "(since, max) [version, length]", (*arrayObject).changesCall),
}, pageMethods[*arrayObject]())

// arraySpec is the configuration of an array.
type arraySpec struct {
	limits
	Len  int64  `cbor:"3,keyasint,omitempty"`
	Zero []byte `cbor:"4,keyasint,omitempty"` // what all elements are at first, one item; none: nil
}

// maxArray bounds the elements of an array: all are there from the beginning.
const maxArray = 1 << 24

func (r *arrayObject) init(spec []byte) error {
	var s arraySpec
	if err := r.configure(spec, &s, &s.limits); err != nil {
		return err
	}
	zero, err := oneItem(s.Zero)
	if err != nil {
		return err
	}
	switch {
	case s.Len < 0 || s.Len > maxArray:
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "elements of an array", Value: s.Len, Max: maxArray}
	case s.Len > r.limits.MaxBytes/overhead:
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "elements of an array", Value: s.Len, Max: r.limits.MaxBytes / overhead, Set: "MaxBytes"}
	}
	n := int(s.Len)
	if err := r.room(0, n, s.Len*int64(len(zero))); err != nil {
		return err
	}
	r.seq = repeated(zero, n)
	r.bytes = s.Len * (overhead + int64(len(zero)))
	for _, e := range r.env.Entries {
		i, err := strconv.Atoi(e.Key)
		if err != nil || i < 0 || i >= n {
			return fmt.Errorf("an entry of the array %v has the index %q", r.env.Ref, e.Key)
		}
		r.bytes += int64(len(e.Value) - len(r.seq.at(i)))
		r.seq.set(i, string(e.Value))
	}
	return nil
}

func (r *arrayObject) describe() string { return count(r.seq.len(), "element") }

func (r *arrayObject) put(ch *shared.Change, i int, value string) {
	r.bytes += int64(len(value) - len(r.seq.at(i)))
	r.seq.set(i, value)
	r.version++
	if r.durable() {
		ch.Put(strconv.Itoa(i), []byte(value), noExpiry)
	}
}

func (r *arrayObject) lenCall(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	return r.answer(c, uintAnswer(r.seq.len()))
}

func (r *arrayObject) get(c *shared.Call, a *args) error {
	index := a.int()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, r.seq.len())
	if err != nil {
		return err
	}
	return r.answer(c, []byte(r.seq.at(i)))
}

// change sets one element and answers.
func (r *arrayObject) change(c *shared.Call, i int, value, answer []byte) error {
	if err := r.room(r.seq.len(), 0, int64(len(value)-len(r.seq.at(i)))); err != nil {
		return err
	}
	var ch shared.Change
	r.put(&ch, i, string(value))
	return r.changed(c, &ch, answer)
}

func (r *arrayObject) set(c *shared.Call, a *args) error {
	index, value := a.int(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, r.seq.len())
	if err != nil {
		return err
	}
	return r.change(c, i, value, nil)
}

func (r *arrayObject) add(c *shared.Call, a *args) error {
	index, by, typ := a.int(), a.item(), a.text()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, r.seq.len())
	if err != nil {
		return err
	}
	sum, err := add([]byte(r.seq.at(i)), by, string(typ))
	if err != nil {
		return err
	}
	return r.change(c, i, sum, sum)
}

func (r *arrayObject) compareAndSwap(c *shared.Call, a *args) error {
	index, old, value := a.int(), a.item(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, r.seq.len())
	if err != nil {
		return err
	}
	if r.seq.at(i) != string(old) {
		return r.answer(c, boolAnswer(false))
	}
	return r.change(c, i, value, boolAnswer(true))
}

// textReader reads an array.
type textReader struct{ seq *tree[string] }

func (x textReader) len() int       { return x.seq.len() }
func (x textReader) frozen() reader { return textReader{x.seq.clone()} }

func (x textReader) each(i int, backward bool, f func(key, value string) bool) {
	x.seq.each(i, backward, func(_ int, value string) bool { return f("", value) })
}

func (r *arrayObject) snapshot(c *shared.Call, a *args) error {
	reversed, limit := a.bool(), a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	return r.pages(c, textReader{r.seq}, whatOf(reversed), limit)
}

func (r *arrayObject) slice(c *shared.Call, a *args) error {
	x := a.slice()
	if err := a.done(c); err != nil {
		return err
	}
	s, err := x.of(r.seq.len())
	if err != nil {
		return err
	}
	return r.pages(c, textReader{subsequence(r.seq, s)}, valuesOfPage, 0)
}

// setSlice sets as many elements as the slice has.
func (r *arrayObject) setSlice(c *shared.Call, a *args) error {
	x, values := a.slice(), a.items()
	if err := a.done(c); err != nil {
		return err
	}
	s, err := x.of(r.seq.len())
	if err != nil {
		return err
	}
	if len(values) != s.count {
		return fmt.Errorf("%w: %d values for a slice of %d", reeve.ErrInvalid, len(values), s.count)
	}
	size := int64(0)
	for i, v := range values {
		size += int64(len(v) - len(r.seq.at(s.at(i))))
	}
	if err := r.room(r.seq.len(), 0, size); err != nil {
		return err
	}
	var ch shared.Change
	for i, v := range values {
		r.put(&ch, s.at(i), string(v))
	}
	return r.changed(c, &ch, nil)
}

func (r *arrayObject) changesCall(c *shared.Call, a *args) error {
	return r.changesOfState(c, a, func() []byte {
		return appendUint(appendUint(appendArray(nil, 2), r.version), uint64(r.seq.len()))
	})
}

package wire_test

import (
	"errors"
	"math"

	"github.com/fxamacker/cbor/v2"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// The oracle reads the hot messages with the CBOR library and the words of the
// specification only, so that the hand-written decoders can be held against
// it: what one accepts the other has to accept, with the same content.

var (
	oracleMode = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 8, MaxArrayElements: 1 << 16, MaxMapPairs: 256,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
	}.DecMode())
	libraryEnc = must(cbor.CoreDetEncOptions().EncMode())

	errOracle = errors.New("oracle: not as specified")
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type raw = cbor.RawMessage

// as decodes b, which must be of the given major type.
func as[T any](b raw, majors ...byte) (v T, err error) {
	for _, m := range majors {
		if len(b) > 0 && b[0]>>5 == m {
			return v, oracleMode.Unmarshal(b, &v)
		}
	}
	return v, errOracle
}

// oracle collects the first error of many steps.
type oracle struct{ err error }

func (o *oracle) refuse(when bool) {
	if when && o.err == nil {
		o.err = errOracle
	}
}

func pick[T any](o *oracle, m map[uint64]raw, key uint64, majors ...byte) (v T) {
	b, ok := m[key]
	if !ok || o.err != nil {
		return v
	}
	v, err := as[T](b, majors...)
	if err != nil {
		o.err = err
	}
	return v
}

func item[T any](o *oracle, a []raw, i int, majors ...byte) (v T) {
	if o.err != nil {
		return v
	}
	v, err := as[T](a[i], majors...)
	if err != nil {
		o.err = err
	}
	return v
}

func (o *oracle) fields(body []byte) map[uint64]raw {
	// The library would take simple values and floats for a uint64.
	pairs, err := as[map[any]raw](body, 5)
	if err != nil && o.err == nil {
		o.err = err
	}
	m := map[uint64]raw{}
	for k, v := range pairs {
		n, ok := k.(uint64)
		o.refuse(!ok)
		m[n] = v
	}
	return m
}

func (o *oracle) name(m map[uint64]raw, key uint64) string {
	s := pick[string](o, m, key, 3)
	o.refuse(len(s) > wire.MaxName)
	return s
}

func (o *oracle) requests(req, low uint64, n int) {
	o.refuse(req == 0 || low > req || n == 0 || req > math.MaxUint64-uint64(n))
}

func (o *oracle) entries(m map[uint64]raw, key uint64, group int) []raw {
	a := pick[[]raw](o, m, key, 4)
	o.refuse(len(a) == 0 || len(a)%group != 0 || len(a)/group > wire.MaxEntries)
	return a
}

// entry splits an array whose first n elements are known, the next a map that
// may be absent.
func (o *oracle) entry(b raw, n int) (a []raw, extras map[uint64]raw) {
	a, err := as[[]raw](b, 4)
	o.refuse(err != nil || len(a) < n)
	if o.err == nil && len(a) > n {
		extras = o.fields(a[n])
	}
	return a, extras
}

func (o *oracle) putExtras(t *reeve.Task, m map[uint64]raw) {
	t.Type = o.name(m, 1)
	t.Delay = duration(pick[int64](o, m, 2, 0, 1))
	t.Timeout = duration(pick[int64](o, m, 3, 0, 1))
	t.Priority = pick[int32](o, m, 4, 0, 1)
	t.Rules = o.rules(m, 5)
}

func oraclePut(body []byte) (*wire.PutFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.PutFrame{
		Req: pick[uint64](o, m, 1, 0), Low: pick[uint64](o, m, 2, 0), Queue: o.name(m, 3), Flags: pick[uint64](o, m, 4, 0),
	}
	for _, b := range o.entries(m, 5, 1) {
		a, extras := o.entry(b, 1)
		if o.err != nil {
			break
		}
		t := reeve.Task{Payload: item[[]byte](o, a, 0, 2)}
		o.putExtras(&t, extras)
		f.Tasks = append(f.Tasks, t)
	}
	n := len(f.Tasks)
	if f.Flags&wire.FlagEach == 0 {
		n = min(n, 1)
	}
	o.requests(f.Req, f.Low, n)
	return f, o.err
}

func oracleComplete(body []byte) (*wire.CompleteFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.CompleteFrame{
		Req: pick[uint64](o, m, 1, 0), Low: pick[uint64](o, m, 2, 0), Queue: o.name(m, 3), To: o.name(m, 4),
	}
	for _, b := range o.entries(m, 5, 1) {
		a, extras := o.entry(b, 3)
		if o.err != nil {
			break
		}
		e := wire.CompleteEntry{ID: reeve.ID(item[uint64](o, a, 0, 0)), Attempt: item[uint32](o, a, 1, 0)}
		e.Result.Payload = item[[]byte](o, a, 2, 2)
		o.putExtras(&e.Result, extras)
		f.Entries = append(f.Entries, e)
	}
	o.requests(f.Req, f.Low, len(f.Entries))
	return f, o.err
}

func oracleAck(body []byte) (*wire.AckFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.AckFrame{Req: pick[uint64](o, m, 1, 0), Low: pick[uint64](o, m, 2, 0), Queue: o.name(m, 3)}
	a := o.entries(m, 4, 2)
	for i := 0; i < len(a) && o.err == nil; i += 2 {
		f.Entries = append(f.Entries, wire.Pair{ID: reeve.ID(item[uint64](o, a, i, 0)), Attempt: item[uint32](o, a, i+1, 0)})
	}
	o.requests(f.Req, f.Low, len(f.Entries))
	return f, o.err
}

func oracleConfirm(body []byte) (*wire.ConfirmFrame, error) {
	o := &oracle{}
	f := &wire.ConfirmFrame{}
	a := o.entries(o.fields(body), 1, 3)
	for i := 0; i < len(a) && o.err == nil; i += 3 {
		req, count, first := item[uint64](o, a, i, 0), item[uint64](o, a, i+1, 0), item[uint64](o, a, i+2, 0)
		o.refuse(req == 0 || count == 0 || count > math.MaxInt32 || req > math.MaxUint64-count)
		f.Ranges = append(f.Ranges, wire.Range{Req: req, Count: int(count), First: reeve.ID(first)})
	}
	return f, o.err
}

func oracleCall(body []byte) (*wire.CallFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.CallFrame{Call: wire.Call{
		Req: pick[uint64](o, m, 1, 0), Low: pick[uint64](o, m, 2, 0), Name: pick[string](o, m, 3, 3),
		ID: pick[uint64](o, m, 4, 0), Life: pick[uint64](o, m, 5, 0), Type: pick[string](o, m, 6, 3), Method: pick[string](o, m, 7, 3),
		Args: pick[[]byte](o, m, 8, 2), Flags: pick[uint64](o, m, 9, 0), Timeout: duration(pick[int64](o, m, 10, 0, 1)),
	}}
	o.requests(f.Req, f.Low, 1)
	return f, o.err
}

func oracleReturn(body []byte) (*wire.ReturnFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.ReturnFrame{Req: pick[uint64](o, m, 1, 0), Value: pick[[]byte](o, m, 2, 2)}
	o.refuse(f.Req == 0)
	return f, o.err
}

func oracleDeliver(body []byte) (*wire.DeliverFrame, error) {
	o := &oracle{}
	m := o.fields(body)
	f := &wire.DeliverFrame{Consumer: pick[uint64](o, m, 1, 0), Queue: o.name(m, 2), Req: pick[uint64](o, m, 4, 0)}
	for _, b := range o.entries(m, 3, 1) {
		a, extras := o.entry(b, 3)
		if o.err != nil {
			break
		}
		t := reeve.Task{ID: reeve.ID(item[uint64](o, a, 0, 0)), Attempt: item[uint32](o, a, 1, 0)}
		t.Payload = item[[]byte](o, a, 2, 2)
		t.Type = o.name(extras, 1)
		t.PutAt = unix(pick[int64](o, extras, 2, 0, 1))
		t.Timeout = duration(pick[int64](o, extras, 3, 0, 1))
		t.Source = reeve.ID(pick[uint64](o, extras, 4, 0))
		t.Priority = pick[int32](o, extras, 5, 0, 1)
		t.Rules = o.rules(extras, 6)
		f.Tasks = append(f.Tasks, t)
	}
	o.refuse((f.Consumer == 0) == (f.Req == 0))
	return f, o.err
}

package wire_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// random makes contents of messages, with numbers of every width.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

func (r random) number() uint64 { return r.Uint64() >> r.IntN(64) }

func (r random) request() uint64 { return max(1, r.number()>>1) }

func (r random) duration() int64 {
	v := int64(r.number() >> 1)
	if r.IntN(4) == 0 {
		v = -v
	}
	return v
}

func (r random) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r random) size() int {
	switch r.IntN(20) {
	case 0:
		return 0
	case 1:
		return r.IntN(1000)
	}
	return r.IntN(40)
}

func (r random) name() string {
	return []string{"", "tasks", "results", "räume", "a", "工作", "x-y-z"}[r.IntN(7)]
}

func (r random) putTask() reeve.Task {
	t := reeve.Task{Payload: r.bytes(r.size())}
	if r.IntN(2) == 0 {
		t.Type = r.name()
	}
	if r.IntN(3) == 0 {
		t.Delay = duration(r.duration())
	}
	if r.IntN(3) == 0 {
		t.Timeout = duration(r.duration())
	}
	t.Priority, t.Rules = r.ruled()
	return t
}

func (r random) deliverTask() reeve.Task {
	t := reeve.Task{Payload: r.bytes(r.size()), ID: reeve.ID(r.number()), Attempt: uint32(r.number())}
	if r.IntN(2) == 0 {
		t.Type = r.name()
	}
	if r.IntN(2) == 0 {
		t.PutAt = unix(r.duration())
	}
	if r.IntN(3) == 0 {
		t.Timeout = duration(r.duration())
	}
	if r.IntN(3) == 0 {
		t.Source = reeve.ID(r.number())
	}
	t.Priority, t.Rules = r.ruled()
	return t
}

// call is one of an object with a name or without.
func (r random) call(req, low uint64) wire.Call {
	c := wire.Call{Req: req, Low: low, Type: r.name(), Method: r.name(), Args: r.bytes(r.size()), Flags: r.Uint64N(8)}
	if c.Name = r.name(); r.IntN(2) == 0 {
		c.Name, c.ID, c.Life = "", r.number(), r.number()
	}
	if r.IntN(2) == 0 {
		c.Timeout = duration(r.duration())
	}
	return c
}

func many[T any](r random, one func() T) []T {
	out := make([]T, 1+r.IntN(5))
	for i := range out {
		out[i] = one()
	}
	return out
}

// message makes a hot message of a type.
func (r random) message(t wire.Type) any {
	req := r.request()
	low := r.Uint64N(req + 1)
	switch t {
	case wire.TypePut:
		return &wire.PutFrame{Req: req, Low: low, Queue: r.name(), Flags: r.number(), Tasks: many(r, r.putTask)}
	case wire.TypeComplete:
		return &wire.CompleteFrame{Req: req, Low: low, Queue: r.name(), To: r.name(), Entries: many(r, func() wire.CompleteEntry {
			return wire.CompleteEntry{ID: reeve.ID(r.number()), Attempt: uint32(r.number()), Result: r.putTask()}
		})}
	case wire.TypeAck:
		return &wire.AckFrame{Req: req, Low: low, Queue: r.name(), Entries: many(r, func() wire.Pair {
			return wire.Pair{ID: reeve.ID(r.number()), Attempt: uint32(r.number())}
		})}
	case wire.TypeConfirm:
		return &wire.ConfirmFrame{Ranges: many(r, func() wire.Range {
			return wire.Range{Req: r.request(), Count: 1 + r.IntN(1<<r.IntN(30)), First: reeve.ID(r.number())}
		})}
	case wire.TypeCall:
		return &wire.CallFrame{Call: r.call(req, low)}
	case wire.TypeReturn:
		return &wire.ReturnFrame{Req: req, Value: r.bytes(r.size())}
	}
	f := &wire.DeliverFrame{Consumer: req, Queue: r.name(), Tasks: many(r, r.deliverTask)}
	if r.IntN(2) == 0 {
		f.Consumer, f.Req = 0, req
	}
	return f
}

// generic is a message as maps and arrays, keys and all, for the library to
// encode: the shape that the specification gives it.
func generic(m any) map[uint64]any {
	switch f := m.(type) {
	case *wire.PutFrame:
		tasks := []any{}
		for i := range f.Tasks {
			tasks = append(tasks, withExtras(putExtras(&f.Tasks[i]), f.Tasks[i].Payload))
		}
		return map[uint64]any{1: f.Req, 2: f.Low, 3: f.Queue, 4: f.Flags, 5: tasks}
	case *wire.CompleteFrame:
		entries := []any{}
		for i := range f.Entries {
			e := &f.Entries[i]
			entries = append(entries, withExtras(putExtras(&e.Result), uint64(e.ID), e.Attempt, e.Result.Payload))
		}
		return map[uint64]any{1: f.Req, 2: f.Low, 3: f.Queue, 4: f.To, 5: entries}
	case *wire.AckFrame:
		flat := []uint64{}
		for _, e := range f.Entries {
			flat = append(flat, uint64(e.ID), uint64(e.Attempt))
		}
		return map[uint64]any{1: f.Req, 2: f.Low, 3: f.Queue, 4: flat}
	case *wire.ConfirmFrame:
		flat := []uint64{}
		for _, e := range f.Ranges {
			flat = append(flat, e.Req, uint64(e.Count), uint64(e.First))
		}
		return map[uint64]any{1: flat}
	case *wire.CallFrame:
		return map[uint64]any{
			1: f.Req, 2: f.Low, 3: f.Name, 4: f.ID, 5: f.Life, 6: f.Type, 7: f.Method, 8: f.Args, 9: f.Flags, 10: int64(f.Timeout),
		}
	case *wire.ReturnFrame:
		return map[uint64]any{1: f.Req, 2: f.Value}
	case *wire.DeliverFrame:
		tasks := []any{}
		for i := range f.Tasks {
			t := &f.Tasks[i]
			extras := map[uint64]any{}
			if t.Type != "" {
				extras[1] = t.Type
			}
			if !t.PutAt.IsZero() {
				extras[2] = t.PutAt.UnixNano()
			}
			if t.Timeout != 0 {
				extras[3] = t.Timeout
			}
			if t.Source != 0 {
				extras[4] = uint64(t.Source)
			}
			if t.Priority != 0 {
				extras[5] = t.Priority
			}
			if t.Rules != nil {
				extras[6] = rulesMap(t.Rules)
			}
			tasks = append(tasks, withExtras(extras, uint64(t.ID), t.Attempt, t.Payload))
		}
		return map[uint64]any{1: f.Consumer, 2: f.Queue, 3: tasks, 4: f.Req}
	}
	panic("no such message")
}

func putExtras(t *reeve.Task) map[uint64]any {
	m := map[uint64]any{}
	if t.Type != "" {
		m[1] = t.Type
	}
	if t.Delay != 0 {
		m[2] = t.Delay
	}
	if t.Timeout != 0 {
		m[3] = t.Timeout
	}
	if t.Priority != 0 {
		m[4] = t.Priority
	}
	if t.Rules != nil {
		m[5] = rulesMap(t.Rules)
	}
	return m
}

func withExtras(extras map[uint64]any, elements ...any) []any {
	if len(extras) > 0 {
		elements = append(elements, extras)
	}
	return elements
}

// widen writes a well-formed item again with every head in a width of its own,
// at least as wide as it was.
func (r random) widen(in []byte) []byte {
	out, rest := r.widenOne(in)
	if len(rest) > 0 {
		panic("trailing bytes")
	}
	return out
}

func (r random) widenOne(in []byte) (out, rest []byte) {
	major, ai := in[0]>>5, in[0]&31
	arg, n := uint64(ai), 1
	switch ai {
	case 24:
		arg, n = uint64(in[1]), 2
	case 25:
		arg, n = uint64(binary.BigEndian.Uint16(in[1:])), 3
	case 26:
		arg, n = uint64(binary.BigEndian.Uint32(in[1:])), 5
	case 27:
		arg, n = binary.BigEndian.Uint64(in[1:]), 9
	}
	if major == 7 {
		return in[:n], in[n:]
	}
	out, rest = r.head(major, arg), in[n:]
	items := 0
	switch major {
	case 2, 3:
		return append(out, rest[:arg]...), rest[arg:]
	case 4:
		items = int(arg)
	case 5:
		items = 2 * int(arg)
	}
	for range items {
		var one []byte
		one, rest = r.widenOne(rest)
		out = append(out, one...)
	}
	return out, rest
}

func (r random) head(major byte, arg uint64) []byte {
	major <<= 5
	for {
		switch w := r.IntN(5); {
		case w == 0 && arg < 24:
			return []byte{major | byte(arg)}
		case w == 1 && arg <= math.MaxUint8:
			return []byte{major | 24, byte(arg)}
		case w == 2 && arg <= math.MaxUint16:
			return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(arg))
		case w == 3 && arg <= math.MaxUint32:
			return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(arg))
		case w == 4:
			return binary.BigEndian.AppendUint64([]byte{major | 27}, arg)
		}
	}
}

package pool

import (
	"context"
	"sync"

	"github.com/reeveq/reeve"
)

// Map calls the function for each input and returns the results in the order of
// the inputs. It waits for all; if some failed, those have their zero value and
// the error, an [*InputError], is that of the first of them. When ctx ends
// before that, what is not done is cancelled, and ctx's error returned.
// [reeve.ErrClosed] after Close.
//
// The inputs are not copied, and must not be changed until it returns. Only
// Config.MaxPending of them are in the queue at a time.
func (p *Pool[In, Out]) Map(ctx context.Context, ins []In) ([]Out, error) {
	if err := ctx.Err(); err != nil {
		return nil, ctxError(ctx)
	}
	f := p.MapAsync(ins)
	if err := f.Wait(ctx); err != nil {
		p.core.leave(f.self, err)
		return nil, err
	}
	return f.value, f.err
}

// MapAsync is Map that does not wait. The inputs must not be changed until the
// result is there.
func (p *Pool[In, Out]) MapAsync(ins []In) *Future[[]Out] {
	m := &mapping[In, Out]{codec: p.core.cfg.Codec, ins: ins, outs: make([]Out, len(ins)), left: len(ins)}
	m.c, m.self = p.core, m
	if err := p.core.begin(); err != nil {
		m.resolve(nil, err)
		return &m.Future
	}
	defer p.core.end()
	if len(ins) == 0 {
		m.resolve(m.outs, nil)
		return &m.Future
	}
	f := &feed{to: m, n: len(ins), chunk: p.core.cfg.chunk(len(ins)), encode: m.encode}
	if err := p.core.add(f); err != nil {
		m.resolve(nil, err)
	}
	return &m.Future
}

// mapping is a call with many inputs.
type mapping[In, Out any] struct {
	Future[[]Out]
	codec reeve.Codec

	reading sync.Mutex // guards ins; never held with another one
	ins     []In       // nil when nobody may look at them any more

	count sync.Mutex // guards the fields below
	outs  []Out
	left  int
	first *InputError
}

// encode makes the payload of input i.
func (m *mapping[In, Out]) encode(i int) ([]byte, error) {
	m.reading.Lock()
	defer m.reading.Unlock()
	if m.ins == nil {
		return nil, errTerminated // nobody hears it
	}
	return encode(m.codec, m.ins[i])
}

func encode[In any](c reeve.Codec, in In) ([]byte, error) {
	b, err := c.Marshal(in)
	if err != nil {
		return nil, unwritable(in, c, err)
	}
	return b, nil
}

// over takes the end of one input; see [receiver].
func (m *mapping[In, Out]) over(i int, payload []byte, err error) {
	out, err := decode[Out](m.codec, payload, err)
	m.count.Lock()
	m.outs[i] = out
	if err != nil && (m.first == nil || i < m.first.Index) {
		m.first = &InputError{Index: i, Err: err}
	}
	m.left--
	last, first := m.left == 0, m.first
	m.count.Unlock()
	if !last {
		return
	}
	m.reading.Lock() // for one input at most
	m.ins = nil
	m.reading.Unlock()
	if first != nil {
		m.resolve(m.outs, first)
		return
	}
	m.resolve(m.outs, nil)
}

package pool

import (
	"context"
	"iter"
	"sync"

	"github.com/reeveq/reeve"
)

// Imap calls the function for each value of a sequence, which may be endless,
// and returns a loop over the results in the order of the inputs. It takes no
// more than Config.ReadAhead inputs that the loop has not got the results of. A
// failed input comes as its error, and the loop goes on. When ctx ends, its
// error is the last; then, and when the loop is left early, what is not done is
// cancelled. Inputs are put by chunks of chunk, 1 to Config.ReadAhead: when one is
// full, or the sequence ends, so that 1 is for a sequence that waits for results,
// or whose values come slowly. The only element of a loop that cannot begin is its
// error: [reeve.ErrInvalid], [reeve.ErrClosed].
//
// The sequence runs in a goroutine of its own, so that it may wait for what it
// needs while results are got. One that is left early is left at its next value;
// Join waits for that.
func (p *Pool[In, Out]) Imap(ctx context.Context, ins iter.Seq[In], chunk int) iter.Seq2[Out, error] {
	return p.imap(ctx, ins, chunk, true)
}

// ImapUnordered is [Pool.Imap] with the results in the order in which they come.
func (p *Pool[In, Out]) ImapUnordered(ctx context.Context, ins iter.Seq[In], chunk int) iter.Seq2[Out, error] {
	return p.imap(ctx, ins, chunk, false)
}

func (p *Pool[In, Out]) imap(ctx context.Context, ins iter.Seq[In], chunk int, ordered bool) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		var none Out
		c := p.core
		most := min(c.cfg.ReadAhead, c.cfg.MaxPending, reeve.MaxBatch)
		if chunk < 1 || chunk > most {
			yield(none, invalid("chunks of %d inputs, want 1 to %d", chunk, most))
			return
		}
		if err := c.begin(); err != nil {
			yield(none, err)
			return
		}
		s := &stream{
			ordered: ordered, total: -1,
			room: make(chan struct{}, c.cfg.ReadAhead), wake: make(chan struct{}, 1), left: make(chan struct{}),
		}
		if ordered {
			s.ring = make([]*result, c.cfg.ReadAhead)
		}
		c.spawn(func() { feedStream(p, s, ins, chunk) }) // ends the call that has begun
		defer func() {
			close(s.left)
			c.leave(s, errTerminated) // which nobody hears
		}()
		for {
			r, more := s.next()
			switch {
			case r != nil:
				<-s.room
				if !yield(decode[Out](c.cfg.Codec, r.payload, r.err)) {
					return
				}
				if ctx.Err() == nil {
					continue
				}
			case !more:
				return
			default:
				select {
				case <-s.wake:
					continue
				case <-ctx.Done():
				}
			}
			yield(none, ctxError(ctx))
			return
		}
	}
}

// feedStream puts the values of ins, by chunks, until they end or the loop was
// left.
func feedStream[In, Out any](p *Pool[In, Out], s *stream, ins iter.Seq[In], chunk int) {
	c := p.core
	defer c.end()
	n := 0
	var payloads [][]byte
	flush := func() bool {
		if len(payloads) == 0 {
			return true
		}
		first, group := n-len(payloads), payloads
		payloads = nil
		f := &feed{to: s, next: first, n: n, chunk: len(group), encode: func(i int) ([]byte, error) { return group[i-first], nil }}
		if err := c.add(f); err != nil {
			for i := first; i < n; i++ {
				s.over(i, nil, err)
			}
			return false
		}
		select {
		case <-s.left: // maybe before that feed was there to be abandoned
			c.leave(s, errTerminated)
			return false
		default:
			return true
		}
	}
	for in := range ins {
		select {
		case <-s.left:
			return
		case s.room <- struct{}{}:
		}
		b, err := encode(c.cfg.Codec, in)
		goesOn := true
		if err != nil {
			goesOn = flush() // of those before it, which are in a row
			s.over(n, nil, err)
			n++
		} else {
			payloads = append(payloads, b)
			if n++; len(payloads) == chunk {
				goesOn = flush()
			}
		}
		if !goesOn {
			break
		}
	}
	flush()
	s.end(n)
}

// result is how one input of a stream ended.
type result struct {
	payload []byte
	err     error
}

// stream is a loop over results.
type stream struct {
	ordered bool
	room    chan struct{} // has as many elements as inputs were taken whose results were not got
	wake    chan struct{} // cap 1: there may be something to get
	left    chan struct{} // closed when the loop is over

	mu    sync.Mutex // guards the fields below
	ring  []*result  // ordered: of input i at i modulo its length
	came  []*result  // unordered: in this order
	got   int
	total int // inputs; -1: not known yet
}

// over takes the end of one input; see [receiver].
func (s *stream) over(i int, payload []byte, err error) {
	r := &result{payload: payload, err: err}
	s.mu.Lock()
	if s.ordered {
		s.ring[i%len(s.ring)] = r
	} else {
		s.came = append(s.came, r)
	}
	s.mu.Unlock()
	s.poke()
}

// end says how many inputs there are.
func (s *stream) end(n int) {
	s.mu.Lock()
	s.total = n
	s.mu.Unlock()
	s.poke()
}

func (s *stream) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next gets the next result; nil: it is not there yet, or there is no more.
func (s *stream) next() (r *result, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ordered {
		at := &s.ring[s.got%len(s.ring)]
		r, *at = *at, nil
	} else if len(s.came) > 0 {
		r = s.came[0]
		s.came[0] = nil
		s.came = s.came[1:]
	}
	if r != nil {
		s.got++
		return r, true
	}
	return nil, s.got != s.total
}

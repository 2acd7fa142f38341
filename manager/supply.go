package manager

import (
	"context"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// From is a supply from several of the master's queues; see [reeve.Operator].
func (m *Master) From(sources ...reeve.Source) reeve.Supply {
	return &localSupply{local: m.local, sources: slices.Clone(sources)}
}

// localSupply hands tasks to this process: those of one queue, or of several.
type localSupply struct {
	local   *local
	name    string         // of the queue, or
	sources []reeve.Source // of several
}

// queue is the queue of the supply's name.
func (s *localSupply) queue() (*queue.Queue, error) { return s.local.holder.Engine().Lookup(s.name) }

func (s *localSupply) Get(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return s.get(ctx, max, false, opts)
}

func (s *localSupply) TryGet(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	return s.get(ctx, max, true, opts)
}

func (s *localSupply) get(ctx context.Context, max int, noWait bool, opts []reeve.GetOption) ([]*reeve.Lease, error) {
	op := queue.GetOp{Max: max, NoWait: noWait, Want: reeve.NewGetOptions(opts...)}
	if err := s.check(&op.Want); err != nil {
		return nil, err
	}
	var q *queue.Queue
	if len(s.sources) == 0 {
		var err error
		if q, err = s.queue(); err != nil {
			return nil, err
		}
	}
	a := s.local.do(ctx, func(tag uint64) {
		op.Tag = tag
		if q != nil {
			q.Get(s.local.holder, &op)
		} else if err := s.local.holder.Engine().GetFrom(s.local.holder, &op, s.sources); err != nil {
			s.local.Got(tag, "", nil, err)
			s.local.Wake()
		}
	})
	return a.leases, a.err
}

func (s *localSupply) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if slots < 1 || slots > reeve.MaxSlots {
		return nil, fmt.Errorf("%w: %d slots, want 1 to %d", reeve.ErrInvalid, slots, reeve.MaxSlots)
	}
	want := reeve.NewGetOptions(opts...)
	if err := s.check(&want); err != nil {
		return nil, err
	}
	var q *queue.Queue
	if len(s.sources) == 0 {
		var err error
		if q, err = s.queue(); err != nil {
			return nil, err
		}
	}
	l := s.local
	c := &localConsumer{local: l, more: make(chan struct{}, 1)}
	l.mu.Lock()
	l.tag++
	c.tag = l.tag
	l.consumers[c.tag] = c
	l.mu.Unlock()
	// Nothing is delivered before there is a consumer to change: start paused.
	standing, err := newStanding(l.holder, c.tag, 0, q, s.sources, want)
	if err != nil {
		l.mu.Lock()
		delete(l.consumers, c.tag)
		l.mu.Unlock()
		return nil, err
	}
	c.standing = standing
	standing.SetSlots(slots)
	return c, nil
}

func (s *localSupply) check(want *reeve.GetOptions) error {
	if s.name == "" {
		if err := reeve.CheckSources(s.sources); err != nil {
			return err
		}
	}
	return want.Validate()
}

// newStanding makes a standing supply from q or, without one, from sources.
func newStanding(h *queue.Holder, tag uint64, slots int, q *queue.Queue, sources []reeve.Source, want reeve.GetOptions) (queue.Standing, error) {
	if q == nil {
		g, err := h.Engine().ConsumeFrom(h, tag, slots, sources, want)
		if g != nil || err != nil {
			return g, err
		}
	} else if c := q.Consume(h, tag, slots, want); c != nil {
		return c, nil
	}
	if q != nil { // it may be deleted, while it was asked for
		sources = []reeve.Source{{Queue: q.Name()}}
	}
	for _, s := range sources {
		if _, err := h.Engine().Lookup(s.Queue); err != nil {
			return nil, err
		}
	}
	return nil, reeve.ErrClosed
}

var _ reeve.Supply = (*localSupply)(nil)

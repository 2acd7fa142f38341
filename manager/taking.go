package manager

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// How clients come by tasks: by asking for some, by a standing supply, and by
// claiming those they had before their connection broke.

// taking is which tasks a client asks for: those of q, or of sources.
type taking struct {
	q       *queue.Queue
	sources []reeve.Source
	want    reeve.GetOptions
	size    int64         // of what is wanted, over all queues
	lease   time.Duration // the shortest
	timeout time.Duration // of the queue
}

// taking reads what a Get and a Consume have in common, or answers what is
// wrong with it.
func (r *requests) taking(req uint64, name string, sources []wire.Source, types, labels []string) (t taking, ok bool) {
	t = taking{sources: wire.ReeveSources(sources), want: reeve.GetOptions{Types: types, Labels: labels}}
	t.size = (textsSize(types) + textsSize(labels)) * int64(max(1, len(sources)))
	err := t.want.Validate()
	names := []string{name}
	if err == nil && len(sources) > 0 {
		err = reeve.CheckSources(t.sources)
		names = names[:0]
		for _, s := range t.sources {
			names = append(names, s.Queue)
		}
		if name != "" {
			err = fmt.Errorf("%w: a queue and sources, want one of them", reeve.ErrInvalid)
		}
	}
	for _, name := range names {
		if err != nil {
			break
		}
		var q *queue.Queue
		if q, err = r.s.m.engine.Lookup(name); err != nil {
			break
		}
		cfg := q.Config()
		if t.lease == 0 || cfg.Lease < t.lease {
			t.lease = cfg.Lease
		}
		if len(sources) == 0 {
			t.q, t.timeout = q, cfg.Timeout
		}
	}
	if err != nil {
		r.s.out.refuse(req, err)
	}
	return t, err == nil
}

func (r *requests) get(m *wire.Get) error {
	s := r.s
	t, ok := r.taking(m.Req, m.Queue, m.Sources, m.Types, m.Labels)
	if !ok || !r.mayWait(m.Req) {
		return nil
	}
	if err := s.wishes.add(wisher{id: m.Req}, t.size, s.m.cfg.MaxWaiting); err != nil {
		s.Got(m.Req, "", nil, err)
		return nil
	}
	t.want.UntilEmpty = m.UntilEmpty
	op := &queue.GetOp{Max: count(m.Max), NoWait: m.NoWait, Tag: m.Req, Want: t.want}
	if t.q != nil {
		t.q.Get(s.holder, op)
	} else if err := s.m.engine.GetFrom(s.holder, op, t.sources); err != nil {
		s.Got(m.Req, "", nil, err)
	}
	return nil
}

func (r *requests) claim(m *wire.Claim) error {
	q, ok := r.find(m.Queue, m.Req)
	if !ok {
		return nil
	}
	ops := make([]queue.AckOp, len(m.Entries))
	for i, e := range m.Entries {
		ops[i] = queue.AckOp{ID: e.ID, Attempt: e.Attempt}
	}
	var c *queue.Consumer
	if standing := r.s.consumers.get(m.Consumer); standing != nil {
		c = standing.In(q)
	}
	r.s.out.message(&wire.Answer{Req: m.Req, Kept: q.Claim(r.s.holder, c, ops)})
	return nil
}

// claimed takes the client's word that nothing else of what it had is with it.
func (r *requests) claimed(m *wire.Claimed) error {
	r.s.holder.ClaimsComplete()
	r.s.out.confirm(m.Req, 1, 0)
	return nil
}

func (r *requests) consume(m *wire.Consume) error {
	s := r.s
	if m.Consumer == 0 || m.Slots > reeve.MaxSlots {
		s.out.refuse(m.Req, fmt.Errorf("%w: consumer %d with %d slots, want a consumer above 0 and 0 to %d slots", reeve.ErrInvalid, m.Consumer, m.Slots, reeve.MaxSlots))
		return nil
	}
	t, ok := r.taking(m.Req, m.Queue, m.Sources, m.Types, m.Labels)
	if !ok {
		return nil
	}
	most := s.m.cfg.MaxConsumers
	c, known, full := s.consumers.reserve(m.Consumer, most)
	if full {
		err := &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "consumers of one client", Value: int64(most) + 1, Max: int64(most), Set: "Config.MaxConsumers"}
		s.out.refuse(m.Req, err)
		return nil
	}
	if !known {
		if err := s.wishes.add(wisher{consumer: true, id: m.Consumer}, t.size, s.m.cfg.MaxWaiting); err != nil {
			s.consumers.remove(m.Consumer)
			s.out.refuse(m.Req, err)
			return nil
		}
	}
	s.out.message(&wire.Answer{Req: m.Req, Lease: t.lease, Timeout: t.timeout})
	if known {
		if c != nil { // else a Consume on another stream is about to make it
			c.SetSlots(int(m.Slots))
		}
		return nil
	}
	c, err := newStanding(s.holder, m.Consumer, int(m.Slots), t.q, t.sources, t.want)
	if err != nil {
		s.End(m.Consumer, m.Queue, err)
		return nil
	}
	if !s.consumers.set(m.Consumer, c) { // it has ended, or another stream ended it
		c.Close()
	}
	return nil
}

// endConsumer forgets a consumer and returns it, or nil. A queue may be locked.
func (s *session) endConsumer(id uint64) queue.Standing {
	c := s.consumers.remove(id)
	s.wishes.remove(wisher{consumer: true, id: id})
	return c
}

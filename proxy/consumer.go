package proxy

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// untold: the master of this session does not know the consumer yet.
const untold = -1

// consumer is a standing supply. It outlives connections: each session is told
// of it anew. Client.mu guards it.
type consumer struct {
	c    *Client
	from *supply
	want reeve.GetOptions
	tag  uint64

	slots  int            // as the user wants it
	told   int            // slots the master knows of, or untold
	asking bool           // a Consume is on its way
	buf    []*reeve.Lease // delivered, not yet taken by Next
	err    error          // why nothing more comes, until the connection is another one
	closed error          // why nothing more comes, for ever
	opened chan struct{}  // closed with the first answer
	known  bool           // opened is closed
	avail  chan struct{}  // cap 1: somebody in Next should look; passed on by who finds more than one thing
}

func newConsumer(from *supply, slots int, want reeve.GetOptions) *consumer {
	return &consumer{
		c: from.c, from: from, want: want, slots: slots, told: untold,
		opened: make(chan struct{}), avail: make(chan struct{}, 1),
	}
}

// consume opens cs: it waits until the master has answered.
func (c *Client) consume(ctx context.Context, cs *consumer) (reeve.Consumer, error) {
	c.mu.Lock()
	if c.closed != nil {
		c.mu.Unlock()
		return nil, c.closed
	}
	c.lastConsumer++
	cs.tag = c.lastConsumer
	c.consumers[cs.tag] = cs
	cs.syncLocked()
	c.unlock()
	select {
	case <-cs.opened:
		c.mu.Lock()
		err := cs.err
		if cs.closed != nil {
			err = cs.closed
		}
		c.mu.Unlock()
		if err != nil {
			cs.Close()
			return nil, err
		}
		return cs, nil
	case <-ctx.Done():
		c.mu.Lock()
		offline, last := c.link == nil, c.lastErr
		c.mu.Unlock()
		cs.Close()
		if offline {
			return nil, &offlineError{ctx: ctxError(ctx), last: last}
		}
		return nil, ctxError(ctx)
	}
}

// consume tells a session of a consumer, or of a change of its slots.
type consume struct {
	cs    *consumer
	slots int
}

func (r *consume) size() int { return r.cs.size() }

func (r *consume) encode(b *wire.Builder, id, low uint64) error {
	cs := r.cs
	return b.Message(wire.Consume{Req: id, Low: low, Queue: cs.from.name, Sources: wire.SourcesOf(cs.from.sources),
		Consumer: cs.tag, Slots: uint64(r.slots), Types: cs.want.Types, Labels: cs.want.Labels})
}

// size bounds every request about the consumer: a large one goes on the bulk
// stream, and all of them must go the same way to come in their order.
func (cs *consumer) size() int { return cs.from.size(&cs.want) }

// syncLocked tells the master the slots, unless it knows them or is being
// told: then the answer comes here again. Only the latest number is sent.
func (cs *consumer) syncLocked() {
	if cs.c.link == nil || cs.asking || cs.err != nil || cs.closed != nil || cs.told == cs.slots {
		return
	}
	cs.tellLocked(cs.slots)
}

func (cs *consumer) tellLocked(slots int) {
	cs.asking, cs.told = true, slots
	cs.c.submitLocked(&call{req: &consume{cs: cs, slots: slots}, traits: sessional | answered, then: consumed})
}

// consumed takes the answer to a Consume.
func consumed(_ *Client, k *call) {
	cs := k.req.(*consume).cs
	cs.asking = false
	if k.err != nil {
		cs.failLocked(k.err)
	} else {
		cs.syncLocked()
	}
	cs.knownLocked()
}

func (cs *consumer) knownLocked() {
	if !cs.known {
		cs.known = true
		close(cs.opened)
	}
}

// failLocked takes note that this session gives nothing more to the consumer.
func (cs *consumer) failLocked(err error) {
	cs.told = untold
	if isLeaving(err) { // the next session will
		return
	}
	cs.err = err
	cs.wakeLocked()
}

// takeLocked adds what was delivered.
func (cs *consumer) takeLocked(leases []*reeve.Lease) {
	cs.buf = append(cs.buf, leases...)
	cs.wakeLocked()
}

func (cs *consumer) wakeLocked() {
	select {
	case cs.avail <- struct{}{}:
	default:
	}
}

func (cs *consumer) Next(ctx context.Context) (*reeve.Lease, error) {
	for {
		lease, err := cs.take()
		if lease != nil || err != nil {
			return lease, err
		}
		select {
		case <-cs.avail:
		case <-ctx.Done():
			return nil, ctxError(ctx)
		}
	}
}

// take takes what there is now: a lease, the end, or neither.
func (cs *consumer) take() (*reeve.Lease, error) {
	c := cs.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if cs.closed != nil {
		cs.wakeLocked() // for the next who waits
		return nil, cs.closed
	}
	// Without a connection, and before the claims are answered, nobody knows
	// whether what is left from before still stands.
	if c.link == nil || c.link.claiming > 0 {
		return nil, nil
	}
	for len(cs.buf) > 0 {
		lease := cs.buf[0]
		cs.buf[0] = nil
		if cs.buf = cs.buf[1:]; len(cs.buf) == 0 {
			cs.buf = nil
		}
		if !c.heldLocked(lease) {
			continue // lost while it waited here
		}
		if len(cs.buf) > 0 {
			cs.wakeLocked()
		}
		return lease, nil
	}
	if cs.err != nil {
		cs.wakeLocked()
		return nil, cs.err
	}
	return nil, nil
}

func (cs *consumer) SetSlots(n int) error {
	if err := checkCount("slots of a Consumer", n, 0, reeve.MaxSlots); err != nil {
		return err
	}
	cs.c.mu.Lock()
	defer cs.c.unlock()
	if cs.closed != nil {
		return cs.closed
	}
	cs.slots = n
	cs.syncLocked()
	return nil
}

func (cs *consumer) Close() error {
	c := cs.c
	c.mu.Lock()
	defer c.unlock()
	if cs.closed != nil {
		return nil
	}
	delete(c.consumers, cs.tag)
	unseen := cs.buf
	cs.endLocked(fmt.Errorf("%w: consumer of %v", reeve.ErrClosed, cs.from))
	if c.link == nil {
		return nil // what was delivered went back with the connection, and is not claimed again
	}
	c.unaskLocked(cs)
	if cs.told != untold {
		// First, so that what is given back does not come here again.
		c.submitLocked(&call{traits: sessional, req: &plain{extra: cs.size() - plainSize, message: func(id, low uint64) wire.Message {
			return wire.Unconsume{Req: id, Low: low, Consumer: cs.tag}
		}}})
	}
	back := unseen[:0]
	for _, lease := range unseen {
		if c.heldLocked(lease) {
			back = append(back, lease)
		}
	}
	for _, lease := range back {
		c.leases.remove(lease.ID)
	}
	c.giveBackLocked(back)
	return nil
}

// unaskLocked takes back a Consume for cs that waits for its turn.
func (c *Client) unaskLocked(cs *consumer) {
	urgent := &c.lanes[laneSession]
	for k := urgent.head; k != nil; k = k.next {
		if r, ok := k.req.(*consume); ok && r.cs == cs {
			urgent.remove(k)
			k.phase = done
			return
		}
	}
}

// endLocked: nothing more comes, for ever.
func (cs *consumer) endLocked(err error) {
	cs.closed = err
	cs.buf = nil
	cs.knownLocked()
	cs.wakeLocked()
}

var _ reeve.Consumer = (*consumer)(nil)

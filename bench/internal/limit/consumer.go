package limit

import (
	"context"
	"errors"

	"github.com/reeveq/reeve/bench/internal/system"
)

// handles is how many items' ids are allocated at a time.
const handles = 256

// taker is a consumer as its client has it.
type taker struct {
	client *client
	number uint32

	ids   []uint64      // room for handles; guarded by the client's mu, with the fields below
	items []system.Item // delivered, and not returned by Next
	head  int
}

// deliver keeps an item for Next. The caller holds the client's mu.
func (t *taker) deliver(id uint64, payload []byte) {
	if len(t.ids) == cap(t.ids) {
		t.ids = make([]uint64, 0, handles)
	}
	t.ids = append(t.ids, id)
	if t.head == len(t.items) {
		t.head, t.items = 0, t.items[:0]
	}
	t.items = append(t.items, system.Item{Payload: payload, Handle: &t.ids[len(t.ids)-1]})
}

// Next waits for at least one item, and appends what has come, at most max.
func (t *taker) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	if items, ok := t.take(items, max); ok {
		return items, nil
	}
	if err := t.client.wait(ctx, func() bool { return t.head < len(t.items) }); err != nil {
		return items, err
	}
	items, _ = t.take(items, max)
	return items, nil
}

func (t *taker) take(items []system.Item, max int) ([]system.Item, bool) {
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	n := min(max, len(t.items)-t.head)
	items = append(items, t.items[t.head:t.head+n]...)
	clear(t.items[t.head : t.head+n])
	t.head += n
	return items, n > 0
}

// End ends items, with results in one step. It is written when much was
// gathered, or when somebody waits for anything on the connection.
func (t *taker) End(_ context.Context, items []system.Item, to string, results [][]byte) error {
	c := t.client
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.sent += uint64(len(items))
	if results != nil {
		n, err := c.number(to)
		if err != nil {
			return err
		}
		for i, item := range items {
			if err := c.w.add(kindResult, n, *item.Handle.(*uint64), results[i]); err != nil {
				return err
			}
		}
		c.reuse(items)
		return nil
	}
	for i := 0; i < len(items); {
		first, n := *items[i].Handle.(*uint64), uint32(1)
		for i++; i < len(items) && *items[i].Handle.(*uint64) == first+uint64(n); i++ {
			n++
		}
		if err := c.w.add(kindEnd, n, first, nil); err != nil {
			return err
		}
	}
	c.reuse(items)
	return nil
}

// reuse takes the memory of items back, which were ended.
func (c *client) reuse(items []system.Item) {
	if !c.w.codec.shares() {
		return // its library allocates
	}
	for i := range items {
		c.bodies.put(items[i].Payload)
	}
}

// Flush waits until everything that was ended on the connection is confirmed.
func (t *taker) Flush(ctx context.Context) error {
	c := t.client
	c.wmu.Lock()
	sent := c.sent
	c.wmu.Unlock()
	return c.wait(ctx, func() bool { return c.confirmed >= sent })
}

// Close gives up the consumer; what it has not ended is lost.
func (t *taker) Close() error {
	c := t.client
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.sent++
	return errors.Join(c.w.add(kindCancel, t.number, 0, nil), c.w.flush())
}

var _ system.Consumer = (*taker)(nil)

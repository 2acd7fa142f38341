package proxy

import (
	"context"
	"runtime"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// writeCalls writes what gathers in out: whatever comes while one write is in
// progress leaves with the next.
func (l *link) writeCalls() {
	c := l.c
	drained := false
	for {
		c.mu.Lock()
		for l.out.Len() == 0 {
			if l.last && !drained {
				drained = true
				close(l.drained)
			}
			l.asleep = true
			c.mu.Unlock()
			select {
			case <-l.wake:
			case <-l.s.Done():
				return
			}
			c.mu.Lock()
		}
		c.mu.Unlock()
		runtime.Gosched() // what others are about to ask is written with it
		c.mu.Lock()
		buf := l.takeLocked()
		c.unlock() // there is room again: more may be asked
		if _, err := l.calls.Write(buf); err != nil {
			l.s.Fail(err)
			return
		}
		c.mu.Lock()
		l.out.Reset(buf)
		c.mu.Unlock()
	}
}

// fewAsked is up to how many bytes a caller writes itself.
const fewAsked = 4 << 10

// writeAlone writes what was just asked, if nothing else waits for an answer: that
// is the shortest way for who makes one call after another. The master has taken
// everything before then, so the connection has room, and a caller does not wait
// here beyond its ctx. Client.mu is held, and released if it reports true.
func (c *Client) writeAlone() bool {
	l := c.link
	if l == nil || !l.asleep || l.last || c.pending.n+len(c.calling.byID) != 1 {
		return false
	}
	if n := l.out.Len(); n == 0 || n > fewAsked || l.calls.Room() < fewAsked {
		return false
	}
	l.asleep = false // nobody wakes the writer meanwhile
	buf := l.takeLocked()
	c.unlock()
	if _, err := l.calls.Write(buf); err != nil {
		l.s.Fail(err)
	}
	c.mu.Lock()
	l.out.Reset(buf)
	l.asleep = true
	if l.out.Len() > 0 || l.last {
		l.nudgeLocked()
	}
	c.mu.Unlock()
	return true
}

// takeLocked takes what is to be written.
func (l *link) takeLocked() []byte {
	c := l.c
	buf := l.out.Take()
	l.taken, l.takenCalls = c.pending.next, [2]uint64{c.calling.next, c.waiting.next}
	c.traffic.batches.Add(1)
	c.traffic.out.Add(uint64(len(buf)))
	return buf
}

// writeControl writes heartbeats, reports, and the goodbye after which it
// writes nothing more. Reports go before the goodbye.
func (l *link) writeControl() {
	var seq uint64
	for {
		var err error
		var last bool
		select {
		case <-l.s.Done():
			return
		case <-l.beat:
			seq++
			err = l.writeNow(wire.Heartbeat{Seq: seq})
		case m := <-l.reports:
			err = l.writeNow(m)
		case bye := <-l.bye:
			for len(l.reports) > 0 && err == nil { // nobody else receives
				err = l.writeNow(<-l.reports)
			}
			if err == nil {
				err, last = l.writeNow(bye), true
			}
		}
		if err != nil {
			l.s.Fail(err)
			return
		}
		if last {
			close(l.said)
			return
		}
	}
}

// writeNow writes one message to the control stream.
func (l *link) writeNow(m wire.Message) error {
	b, err := wire.Append(nil, m)
	if err != nil {
		return err
	}
	_, err = l.control.Write(b)
	return err
}

// bulkItem is a large request, or the cancellation of one.
type bulkItem struct {
	k      *call
	cancel uint64
}

// bulkQueue is what waits for the bulk stream. It holds requests, not their
// bytes: each is encoded when its turn comes.
type bulkQueue struct {
	items   []bulkItem
	started bool
	wake    chan struct{} // cap 1: anyone sends without blocking, only writeBulk receives
}

// pushLocked adds an item, and starts the stream's writer with the first one.
func (q *bulkQueue) pushLocked(l *link, it bulkItem) {
	q.items = append(q.items, it)
	if !q.started {
		q.started = true
		q.wake = make(chan struct{}, 1)
		l.writers.Go(l.writeBulk) // joined by run
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// writeBulk writes large requests to a stream of their own, one at a time, so
// that small ones are not held up.
func (l *link) writeBulk() {
	c := l.c
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // ends with the session, or with this writer
		select {
		case <-l.s.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	stream, err := l.s.Open(ctx, session.Bulk)
	if err != nil {
		l.s.Fail(err)
		return
	}
	var b wire.Builder
	b.SetMaxFrame(l.maxFrame)
	b.KeepLarge()
	for {
		c.mu.Lock()
		items := l.bulk.items
		l.bulk.items = nil
		c.mu.Unlock()
		for _, it := range items {
			if !l.encodeBulk(&b, it) {
				continue
			}
			parts, buf := b.TakeParts()
			n, err := stream.WriteAll(parts, nil)
			c.traffic.out.Add(uint64(n))
			if err != nil {
				l.s.Fail(err)
				return
			}
			b.Reset(buf)
		}
		select {
		case <-l.bulk.wake:
		case <-l.s.Done():
			return
		}
	}
}

// encodeBulk encodes one item, unless nobody waits for it any more.
func (l *link) encodeBulk(b *wire.Builder, it bulkItem) bool {
	c := l.c
	if it.k == nil {
		return b.Message(wire.Cancel{Req: it.cancel}) == nil
	}
	c.mu.Lock()
	k := it.k
	switch k.phase {
	case asked:
		k.sent = true
	case abandoned: // before it was sent
		c.unregister(k)
		k.phase = done
		fallthrough
	default:
		c.unlock()
		return false
	}
	id, low := k.id, c.lowOf(k)
	c.mu.Unlock()
	if err := k.req.encode(b, id, low); err != nil {
		c.mu.Lock()
		if c.registered(id) == k {
			c.unregister(k)
			if k.phase == asked {
				c.finishLocked(k, err)
			}
		}
		c.unlock()
		return false
	}
	return true
}

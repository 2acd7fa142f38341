package proxy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// The master may be silent for three heartbeats, and where those are quick,
// for a second: it, or this machine, may be busy for that long.
const (
	silentIntervals = 3
	silentAtLeast   = time.Second
)

// goodbyeTimeout bounds how long a goodbye may take to leave.
const goodbyeTimeout = 500 * time.Millisecond

// link is one connection, from the master's welcome until it is lost. What
// goes wrong anywhere fails the session, which ends all of its goroutines; the
// first reason is the one that counts.
type link struct {
	c       *Client
	s       *session.Session
	addr    string
	control *session.Stream
	hello   *wire.Reader // of control
	calls   *session.Stream

	// From the welcome.
	epoch      uint64
	resumed    bool
	heartbeat  time.Duration
	window     uint64
	maxFrame   int
	maxPayload int64
	maxWaiting int64 // 0: no bound
	life       uint64
	recalled   bool

	over context.Context // ends with the connection
	end  context.CancelCauseFunc

	beat chan struct{}     // cap 1: time for a heartbeat; the control writer receives
	bye  chan wire.Goodbye // cap 1: what the control writer is to say last

	reports chan wire.Report // cap maxCommands; the control writer receives
	said    chan struct{}    // closed by the control writer after that

	wake    chan struct{} // cap 1: the calls writer was asleep and is needed
	drained chan struct{} // closed by the calls writer: nothing is left to write, and last is set

	readers, writers sync.WaitGroup // joined by run

	// Guarded by Client.mu.
	out    wire.Builder
	asleep bool   // the calls writer waits for wake
	taken  uint64 // requests below it have been taken out of out
	// takenCalls is the same for both series of calls of objects.
	takenCalls [2]uint64
	resent     uint64 // requests from resent on, below resendTo, are still to be asked again here
	resendTo   uint64
	renewed    uint64 // parked calls below it have been cancelled to be renewed
	claiming   int    // Claims without an answer, and one while they are made
	leaving    bool   // the master refuses everything but the ends of leases
	last       bool   // the client was closed: nothing more is asked
	bulk       bulkQueue
}

// askedLocked reports whether k was asked on this connection.
func (l *link) askedLocked(k *call) bool { return k.id < l.resent || k.id >= l.resendTo }

// writeLocked hands k, which has its id, to a writer.
func (l *link) writeLocked(k *call) {
	if size := k.req.size(); size > wire.MaxSmallFrame {
		k.large = true
		if size > l.maxFrame {
			l.c.unregister(k)
			l.c.finishLocked(k, &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of one request", Value: int64(size), Max: int64(l.maxFrame)})
			return
		}
		l.bulk.pushLocked(l, bulkItem{k: k})
		return
	}
	if err := k.req.encode(&l.out, k.id, l.c.lowOf(k)); err != nil {
		l.c.unregister(k)
		l.c.finishLocked(k, err)
	}
}

// cancelLocked asks the master to answer k now. It goes the way k went, so
// that it cannot overtake it.
func (l *link) cancelLocked(k *call) {
	if k.large {
		l.bulk.pushLocked(l, bulkItem{cancel: k.id})
		return
	}
	l.out.Message(wire.Cancel{Req: k.id}) // one number: always fits
}

// wakeLocked wakes the calls writer if there is something for it.
func (l *link) wakeLocked() {
	if l.out.Len() > 0 {
		l.nudgeLocked()
	}
}

func (l *link) nudgeLocked() {
	if l.asleep {
		l.asleep = false
		l.wake <- struct{}{}
	}
}

// run serves the connection until it is lost or ctx ends, and returns the
// reason after all its goroutines have ended.
func (l *link) run(ctx context.Context) error {
	// All joined below; each ends with the session, and ends it when it fails.
	l.writers.Go(l.writeCalls)
	l.writers.Go(l.writeControl)
	l.readers.Go(l.readControl)
	l.readers.Go(l.readInbox)
	l.readers.Go(l.acceptBulk)
	l.watch(ctx)
	l.readers.Wait() // what had come before the end still counts
	l.c.detach(l)    // from here on nobody starts a writer
	l.end(lostError(l.s.Err()))
	l.s.Close()
	l.writers.Wait()
	return l.s.Err()
}

// watch sends heartbeats and ends the session when nothing comes back. It
// counts intervals instead of looking at the clock: a process that was stopped
// for a while must first have the chance to read what has come meanwhile.
func (l *link) watch(ctx context.Context) {
	// Twice in an interval: what came last may have come right after a look,
	// and three intervals are to be enough all the same.
	tick := time.NewTicker(l.heartbeat / 2)
	defer tick.Stop()
	last, silent := l.s.LastRead(), 0
	intervals := max(silentIntervals, int(silentAtLeast/l.heartbeat))
	due := true
	for {
		select {
		case <-l.s.Done():
			return
		case <-ctx.Done():
			l.leave()
			return
		case <-tick.C:
		}
		if now := l.s.LastRead(); now.After(last) {
			last, silent = now, 0
		} else if silent++; silent >= 2*intervals-1 {
			l.s.Fail(fmt.Errorf("%w: the master at %s has been silent for %v", reeve.ErrDisconnected, l.addr, time.Duration(intervals)*l.heartbeat))
			return
		}
		if due = !due; !due {
			continue
		}
		select {
		case l.beat <- struct{}{}:
		default: // the one before is still on its way
		}
	}
}

// leave ends the session as its user wants it: what has been asked is written,
// then goodbye.
func (l *link) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTimeout)
	defer cancel()
	l.c.mu.Lock()
	l.last = true
	l.nudgeLocked()
	l.c.mu.Unlock()
	l.wait(ctx, l.drained)
	l.awaitReport(ctx)
	l.sayGoodbye(ctx, wire.Goodbye{})
	select { // closing before the master does could cut off what it has not read yet
	case <-l.s.Done():
	case <-ctx.Done():
	}
	l.s.Fail(reeve.ErrClosed)
}

// violated ends the session because the master sent something it must not.
func (l *link) violated(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTimeout)
	defer cancel()
	l.sayGoodbye(ctx, wire.Goodbye{Code: wire.Code(reeve.ErrProtocol), Text: err.Error()})
	l.s.Fail(err)
}

// sayGoodbye sends the session's last message, as far as ctx lets it.
func (l *link) sayGoodbye(ctx context.Context, m wire.Goodbye) {
	select {
	case l.bye <- m:
	default: // said already
	}
	l.wait(ctx, l.said)
	l.s.Flush(ctx)
}

// wait waits for c while ctx and the session last: the master may end it the
// moment it has read the goodbye, before the writer here knows that it left.
func (l *link) wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	case <-l.s.Done():
	}
}

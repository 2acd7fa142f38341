package manager

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// local is the holder of this process: its handles, consumers and leases. What
// the engine tells it with a queue locked is noted and passed on in Wake, with
// nothing locked.
type local struct {
	holder *queue.Holder

	mu        sync.Mutex // guards the fields below; taken after queues' mutexes
	tag       uint64
	waiting   map[uint64]func(answer)
	consumers map[uint64]*localConsumer
	leases    map[reeve.Token]*reeve.Lease
	pending   []func() // to be called in Wake
}

// durable waits until everything that was done so far is as durable as its queues
// promise, or ctx ends: then that may be so or not.
func (l *local) durable(ctx context.Context) error {
	done := make(chan error, 1)
	l.holder.Engine().After(func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer is the result of a request.
type answer struct {
	first  reeve.ID
	leases []*reeve.Lease
	result reeve.Result
	err    error
}

func newLocal(e *queue.Engine) *local {
	l := &local{
		waiting:   map[uint64]func(answer){},
		consumers: map[uint64]*localConsumer{},
		leases:    map[reeve.Token]*reeve.Lease{},
	}
	l.holder = e.NewHolder(l, true)
	l.holder.SetName(localName)
	return l
}

// localName is what operators are shown for who holds a task in this process.
const localName = "master"

// expect registers done for the answer to a new request.
func (l *local) expect(done func(answer)) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tag++
	l.waiting[l.tag] = done
	return l.tag
}

// do makes a request and waits for its answer; a request that still waits when
// ctx ends is cancelled.
func (l *local) do(ctx context.Context, request func(tag uint64)) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	ch := make(chan answer, 1)
	tag := l.expect(func(a answer) { ch <- a })
	request(tag)
	select {
	case a := <-ch:
		return a
	case <-ctx.Done():
		l.holder.Cancel(tag, ctx.Err())
		return <-ch // what it did, or the cancellation
	}
}

// doEach makes n requests, at least one, with tags in a row, and waits for all
// answers. When ctx ends, those that still wait are cancelled, which is their
// answer.
func (l *local) doEach(ctx context.Context, n int, request func(tag uint64)) ([]answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answers := make([]answer, n)
	var left atomic.Int64
	left.Store(int64(n))
	done := make(chan struct{})
	l.mu.Lock()
	tag := l.tag + 1
	l.tag += uint64(n)
	for i := range answers {
		l.waiting[tag+uint64(i)] = func(a answer) {
			answers[i] = a
			if left.Add(-1) == 0 {
				close(done)
			}
		}
	}
	l.mu.Unlock()
	request(tag)
	select {
	case <-done:
	case <-ctx.Done():
		for i := range uint64(n) {
			l.holder.Cancel(tag+i, ctx.Err())
		}
		<-done
	}
	return answers, nil
}

// Reply takes answers; see [queue.Replier]. Ids count up from first.
func (l *local) Reply(tag uint64, count int, first reeve.ID, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range uint64(count) {
		l.answerLocked(tag+i, answer{first: first, err: err})
		if first != 0 {
			first++
		}
	}
}

func (l *local) Got(tag uint64, name string, ts []reeve.Task, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The leases are noted now, not when the Get has its answer: they may be
	// lost before that.
	leases := make([]*reeve.Lease, len(ts))
	for i, t := range ts {
		leases[i] = l.leaseLocked(name, t)
	}
	l.answerLocked(tag, answer{leases: leases, err: err})
}

func (l *local) answerLocked(tag uint64, a answer) {
	if done, ok := l.waiting[tag]; ok {
		delete(l.waiting, tag)
		l.pending = append(l.pending, func() { done(a) })
	}
}

func (l *local) Deliver(tag uint64, name string, t *reeve.Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease := l.leaseLocked(name, *t)
	if c := l.consumers[tag]; c != nil {
		c.add(lease)
		return
	}
	l.pending = append(l.pending, func() { lease.Settle(&reeve.Outcome{Verb: reeve.Return}, nil) })
}

func (l *local) End(tag uint64, _ string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.consumers[tag]; c != nil {
		delete(l.consumers, tag)
		c.end(err)
	}
}

func (l *local) Lost(t reeve.Token, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lease := l.leases[t]; lease != nil {
		delete(l.leases, t)
		if cause != reeve.ErrLeaseLost {
			cause = fmt.Errorf("%w: %w", reeve.ErrLeaseLost, cause)
		}
		l.pending = append(l.pending, func() { lease.Lose(cause) })
	}
}

func (l *local) Wake() {
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, f := range pending {
		f()
	}
}

// leaseLocked makes the lease of a task that was handed over to this process.
func (l *local) leaseLocked(name string, t reeve.Task) *reeve.Lease {
	lease := reeve.NewLease(name, t, l)
	l.leases[lease.Token()] = lease
	return lease
}

// Settle ends a lease; see reeve.Settler.
func (l *local) Settle(lease *reeve.Lease, o *reeve.Outcome, done func(error)) {
	q, err := leasedIn(l.holder.Engine(), lease.Queue())
	if err != nil {
		done(err)
		return
	}
	token := lease.Token()
	tag := l.expect(func(a answer) {
		if a.err == nil {
			l.mu.Lock()
			delete(l.leases, token)
			l.mu.Unlock()
		}
		done(a.err)
	})
	switch o.Verb {
	case reeve.Ack:
		q.Ack(l.holder, []queue.AckOp{{ID: token.ID, Attempt: token.Attempt}}, tag, l)
	case reeve.Complete:
		var to *queue.Queue // none: the result is kept by the task's id
		if o.To != "" {
			if to, err = l.holder.Engine().Lookup(o.To); err != nil {
				l.Reply(tag, 1, 0, err)
				l.Wake()
				return
			}
		}
		q.Complete(l.holder, to, []queue.CompleteOp{{ID: token.ID, Attempt: token.Attempt, Result: o.Result, Tag: tag, By: l}})
	default:
		q.Nack(l.holder, &queue.NackOp{
			ID: token.ID, Attempt: token.Attempt, Delay: o.Delay, TimedOut: o.TimedOut,
			Returned: o.Verb == reeve.Return, Bury: o.Verb == reeve.Bury, Snooze: o.Verb == reeve.Snooze,
			Skip: o.Verb == reeve.Skip, Discard: o.Verb == reeve.Discard, Error: o.Error, Stack: o.Stack,
		}, tag, l)
	}
}

// Extend makes a lease outlast silence; see reeve.Settler. This process is
// never silent to itself, so it only checks that the lease stands.
func (l *local) Extend(ctx context.Context, lease *reeve.Lease, d time.Duration) error {
	q, err := leasedIn(l.holder.Engine(), lease.Queue())
	if err != nil {
		return err
	}
	return l.do(ctx, func(tag uint64) { q.Extend(l.holder, lease.ID, lease.Attempt, d, tag, l) }).err
}

// Progress notes how far the work is; see reeve.Settler.
func (l *local) Progress(lease *reeve.Lease, percent float64, text string) {
	if q, err := leasedIn(l.holder.Engine(), lease.Queue()); err == nil {
		q.Progress(l.holder, lease.ID, lease.Attempt, percent, text)
	}
}

var (
	_ queue.Sink    = (*local)(nil)
	_ queue.Replier = (*local)(nil)
	_ reeve.Settler = (*local)(nil)
)

package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

// producer puts tasks at its pace until stop is closed, and cancels some.
type producer struct {
	book   *book
	seed   uint64
	index  int
	rate   int // tasks a second
	client *proxy.Client
	burst  chan int // how many to put at once; cap 1
	stop   <-chan struct{}

	next    int // number of a task; owned by run
	cancels sync.WaitGroup
	slots   chan struct{} // of cancels under way
}

const (
	paceEvery  = 20 * time.Millisecond
	maxBatch   = 64
	maxCancels = 64
)

func newProducer(b *book, cfg *Config, index int, client *proxy.Client, stop <-chan struct{}) *producer {
	return &producer{
		book: b, seed: cfg.Seed, index: index, rate: max(1, cfg.Rate/cfg.Producers), client: client, stop: stop,
		burst: make(chan int, 1), slots: make(chan struct{}, maxCancels),
	}
}

// run returns when everything that was put is acknowledged.
func (p *producer) run() {
	defer p.cancels.Wait()
	d := rng(p.seed, -1-p.index, 0)
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	owed := 0.0
	for {
		select {
		case <-p.stop:
			return
		case n := <-p.burst:
			for ; n > 0; n -= 1000 {
				p.put(d, min(n, 1000))
			}
		case <-tick.C:
			for owed += float64(p.rate) * paceEvery.Seconds(); owed >= 1; {
				n := min(int(owed), 1+d.IntN(maxBatch))
				p.put(d, n)
				owed -= float64(n)
			}
		}
	}
}

// put puts the next n tasks and waits for the answer. It has no other end: a lost
// connection and a killed master are no error of a put.
func (p *producer) put(d *rand.Rand, n int) {
	tasks := make([]reeve.Task, n)
	for i := range tasks {
		tasks[i] = newTask(p.seed, p.index, p.next+i)
	}
	first := p.next
	p.next += n
	ids, err := p.client.Queue(tasksQueue).Put(context.Background(), tasks)
	switch {
	case errors.Is(err, reeve.ErrOutcomeUnknown):
		p.book.isUnknown(p.index, first, n)
		return
	case err != nil || len(ids) != n:
		p.book.isUnknown(p.index, first, n)
		p.book.fault("Put of %d tasks: %d ids, %v", n, len(ids), err)
		return
	}
	p.book.wasPut(p.index, first, n)
	if d.IntN(4) > 0 {
		return
	}
	i, pause := d.IntN(n), time.Duration(d.IntN(30))*time.Millisecond
	select {
	case p.slots <- struct{}{}:
		p.cancels.Go(func() {
			time.Sleep(pause) // some are done by then, some run, some wait
			p.cancel(first+i, ids[i])
			<-p.slots
		})
	default: // the master is away, and enough wait for it
	}
}

func (p *producer) cancel(number int, id reeve.ID) {
	err := p.client.Cancel(context.Background(), id, "soak")
	switch {
	case err == nil:
		p.book.wasCancelled(p.index, number)
	case errors.Is(err, reeve.ErrNoSuchTask): // it had ended
	case errors.Is(err, reeve.ErrOutcomeUnknown):
		p.book.isUnknown(p.index, number, 1)
	default:
		p.book.isUnknown(p.index, number, 1)
		p.book.fault("Cancel: %v", err)
	}
}

// collect takes results until ctx ends.
func collect(ctx context.Context, b *book, seed uint64, client *proxy.Client) {
	q := client.Queue(resultsQueue)
	for {
		leases, err := q.Get(ctx, 64)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			b.fault("Get: %v", err)
			_ = wait(ctx, 100*time.Millisecond)
			continue
		}
		var ends sync.WaitGroup
		for _, l := range leases {
			producer, number, right := readResult(seed, l.Payload)
			right = b.handedOver(producer, number, right, l.Payload)
			ends.Add(1)
			l.Settle(&reeve.Outcome{Verb: reeve.Ack}, func(err error) {
				defer ends.Done()
				switch {
				case errors.Is(err, reeve.ErrLeaseLost): // it comes again
					b.count(func(c *Counts) { c.LeasesLost++ })
				case err != nil:
					b.fault("Ack of a result: %v", err)
				case right:
					b.accepted(producer, number)
				}
			})
		}
		ends.Wait()
	}
}

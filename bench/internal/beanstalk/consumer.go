package beanstalk

import (
	"context"
	"errors"

	"github.com/reeveq/reeve/bench/internal/system"
)

var (
	// errFull is that a consumer was asked for more than it may hold.
	errFull = errors.New("beanstalkd: as many jobs as the consumer may hold are not ended")
	// errWaits is that a Next that was cut short still waits: the server answers
	// nothing else over the connection until a job comes.
	errWaits = errors.New("beanstalkd: the connection waits for a job")
)

// consumer reserves in pipelines: one reserve that waits for a job, and more
// that do not. How many more follows what came last, since each that finds
// nothing costs the server as much as one that does.
type consumer struct {
	conn     *conn
	prefetch int

	held    int      // jobs that were not ended
	ended   []uint64 // jobs whose delete was not sent
	deletes int      // that were sent, and not answered
	asked   int      // reserves that were not answered
	want    int      // how many to ask for next
	broken  error    // why the answers are out of step
}

// job is an item's handle.
type job uint64

func (in *consumer) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	if in.broken != nil {
		return items, in.broken
	}
	defer in.conn.bound(ctx)()
	if in.asked == 0 {
		n := min(max, in.want, in.prefetch-in.held)
		if n < 1 {
			return items, errFull
		}
		in.delete()
		in.conn.command("reserve")
		for range n - 1 {
			in.conn.command("reserve-with-timeout 0")
		}
		in.asked = n
		if err := in.conn.flush(); err != nil {
			return items, in.fail(ctx, err)
		}
	}
	if err := in.deleted(); err != nil {
		return items, in.fail(ctx, err)
	}
	// Cut short here, the next call waits on.
	if _, err := in.conn.r.Peek(1); err != nil {
		if ctx.Err() != nil {
			return items, ctx.Err()
		}
		return items, in.fail(ctx, err)
	}
	before := len(items)
	ids := make([]job, in.asked)
	for i := range ids {
		id, body, ok, err := in.conn.reserved()
		if err != nil {
			return items[:before], in.fail(ctx, err)
		}
		if ok {
			ids[i] = job(id)
			items = append(items, system.Item{Payload: body, Handle: &ids[i]})
		}
	}
	got := len(items) - before
	in.want = min(2*got, batch)
	in.held += got
	in.asked = 0
	return items, nil
}

// fail notes that no more can be done over the connection.
func (in *consumer) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	in.broken = err
	return err
}

// End puts the results, and sends the deletes with the next reserve.
func (in *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if in.broken != nil {
		return in.broken
	}
	if len(results) > 0 {
		if in.asked > 0 {
			return errWaits
		}
		stop := in.conn.bound(ctx)
		err := in.conn.put(to, results)
		stop()
		if err != nil {
			return in.fail(ctx, err)
		}
	}
	for _, item := range items {
		in.ended = append(in.ended, uint64(*item.Handle.(*job)))
	}
	in.held -= len(items)
	return nil
}

// delete writes the deletes of what was ended.
func (in *consumer) delete() {
	for _, id := range in.ended {
		in.conn.command("delete", id)
	}
	in.deletes += len(in.ended)
	in.ended = in.ended[:0]
}

// deleted reads the answers to the deletes.
func (in *consumer) deleted() error {
	for ; in.deletes > 0; in.deletes-- {
		if _, err := in.conn.answer("DELETED"); err != nil {
			return err
		}
	}
	return nil
}

func (in *consumer) Flush(ctx context.Context) error {
	if in.broken != nil {
		return in.broken
	}
	defer in.conn.bound(ctx)()
	if len(in.ended) > 0 {
		if in.asked > 0 {
			return errWaits
		}
		in.delete()
		if err := in.conn.flush(); err != nil {
			return in.fail(ctx, err)
		}
	}
	if err := in.deleted(); err != nil {
		return in.fail(ctx, err)
	}
	return nil
}

// Close closes the connection; the server gives what was not ended to others.
func (in *consumer) Close() error { return in.conn.net.Close() }

package manager

import (
	"runtime"
	"time"

	"github.com/reeveq/reeve/internal/wire"
)

// flush writes until there is nothing left.
func (o *outbox) flush() {
	for {
		runtime.Gosched() // what others are about to add is written with it
		if !o.flushOnce() {
			return
		}
	}
}

// flushOnce makes one round of writes. false: there was nothing, and writing is
// over.
func (o *outbox) flushOnce() bool {
	o.mu.Lock()
	if !o.someLocked() || o.ended {
		o.restLocked()
		o.mu.Unlock()
		return false
	}
	r := o.takeLocked()
	o.mu.Unlock()
	o.write(&r)
	return true
}

// round is what one round writes.
type round struct {
	tasks, answers []byte
	hasLarge       bool // of the answers
	due            []delivery
	lost           []wire.Lost
	told           []wire.Command
	events         []*subscription
}

// takeLocked takes what there is to write.
func (o *outbox) takeLocked() round {
	r := round{hasLarge: o.answers.Large(), due: o.due, lost: o.lost, told: o.told, events: o.events}
	o.due, o.lost, o.told, o.events, o.spare = o.spare[:0], nil, nil, nil, nil
	o.results[0] = 0
	r.tasks, r.answers = o.tasks.Take(), o.answers.Take()
	for _, sub := range r.events {
		sub.due = false
	}
	o.since = time.Now()
	o.room.Broadcast()
	return r
}

func (o *outbox) write(r *round) {
	// Tasks first: the answer to an Unconsume must come after them. In one write
	// with the answers where nothing has to come between the two.
	var err error
	answers := r.answers
	if len(r.tasks) > 0 {
		o.parts[0], o.parts[1] = r.tasks, nil
		if len(r.due)+len(r.lost)+len(r.told) == 0 && !r.hasLarge {
			o.parts[1], answers = answers, nil
		}
		_, err = o.s.calls.WriteAll(o.parts[:], nil)
		o.parts = [2][]byte{}
	}
	if err == nil && len(r.due) > 0 {
		err = o.writeDue(r.due)
	}
	if err == nil && len(r.lost)+len(r.told) > 0 {
		err = o.writeControl(r.lost, r.told)
	}
	if err == nil && len(answers) > 0 {
		err = o.writeAnswers(answers, r.hasLarge)
	}
	if err == nil && len(r.events) > 0 {
		err = o.writeEvents(r.events)
	}
	clear(r.due)
	o.spare = keep(r.due)
	o.mu.Lock()
	o.tasks.Reset(r.tasks)
	o.answers.Reset(r.answers)
	o.ended = o.ended || err != nil
	o.mu.Unlock()
	if err != nil {
		o.s.fail(err)
	}
}

// keep returns the list for reuse, unless it has grown large.
func keep(due []delivery) []delivery {
	if cap(due) > 1024 {
		return nil
	}
	return due[:0]
}

func (o *outbox) writeDue(due []delivery) error {
	for i := range due {
		if err := appendDelivery(&o.rest, &due[i]); err != nil {
			return err
		}
		if o.rest.Len() < gather && i < len(due)-1 {
			continue
		}
		buf := o.rest.Take()
		_, err := o.s.calls.Write(buf)
		o.rest.Reset(buf)
		if err != nil {
			return err
		}
		o.progress()
	}
	return nil
}

func appendDelivery(b *wire.Builder, d *delivery) error {
	if d.result != nil {
		return b.Message(&wire.Answer{Req: d.req, Result: wire.ResultOf(d.result)})
	}
	if err := b.Deliver(d.consumer, d.req, d.queue, &d.task); err != nil {
		return err
	}
	for i := range d.rest {
		if err := b.Deliver(d.consumer, d.req, d.queue, &d.rest[i]); err != nil {
			return err
		}
	}
	return nil
}

func (o *outbox) writeControl(lost []wire.Lost, told []wire.Command) error {
	for i := range lost {
		if err := o.s.sendControl(lost[i]); err != nil {
			return err
		}
	}
	for i := range told {
		if err := o.s.sendControl(told[i]); err != nil {
			return err
		}
	}
	o.progress()
	return nil
}

// writeAnswers writes buf, with its large frames handed to the bulk stream.
func (o *outbox) writeAnswers(buf []byte, hasLarge bool) error {
	for len(buf) > 0 {
		run, rest := buf, []byte(nil)
		if hasLarge {
			var large bool
			if run, large, rest = wire.SplitRun(buf); large {
				o.mu.Lock()
				o.raw = append(o.raw, append([]byte(nil), run...))
				o.rawSize += len(run)
				o.startLocked()
				o.mu.Unlock()
				buf = rest
				continue
			}
		}
		if _, err := o.s.calls.Write(run); err != nil {
			return err
		}
		o.progress()
		buf = rest
	}
	return nil
}

func (o *outbox) progress() {
	o.mu.Lock()
	o.since = time.Now()
	o.mu.Unlock()
}

// flushBulk writes what is large, one after another, on a stream of its own,
// so that it holds up nothing else.
func (o *outbox) flushBulk() {
	var b wire.Builder
	b.SetMaxFrame(o.s.m.maxFrame())
	b.KeepLarge()
	for {
		o.mu.Lock()
		if len(o.large)+len(o.raw) == 0 || o.ended {
			o.bulking = false
			o.bulk = time.Time{}
			o.room.Broadcast()
			o.mu.Unlock()
			return
		}
		o.bulk = time.Now()
		var parts [][]byte
		var buf []byte
		var err error
		if len(o.raw) > 0 {
			raw := o.raw[0]
			parts = [][]byte{raw}
			o.raw[0] = nil
			o.raw = o.raw[1:]
			o.rawSize -= len(raw)
			o.room.Broadcast()
			o.mu.Unlock()
		} else {
			d := o.large[0]
			o.large[0] = delivery{}
			o.large = o.large[1:]
			if owed := d.owed(); owed > 0 {
				o.results[1] -= owed
				o.room.Broadcast()
			}
			o.mu.Unlock()
			err = appendDelivery(&b, &d)
			parts, buf = b.TakeParts()
		}
		if err == nil {
			err = o.writeBulk(parts)
		}
		b.Reset(buf)
		if err != nil {
			o.mu.Lock()
			o.ended = true
			o.mu.Unlock()
			o.s.fail(err)
		}
	}
}

// writeBulk writes parts, and notes its progress with each.
func (o *outbox) writeBulk(parts [][]byte) error {
	st, err := o.s.bulkStream()
	if err != nil {
		return err
	}
	_, err = st.WriteAll(parts, func() {
		o.mu.Lock()
		o.bulk = time.Now()
		o.mu.Unlock()
	})
	return err
}

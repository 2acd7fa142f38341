package wire

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// Put adds a Put of tasks, as the one request req, or with [FlagEach] as the
// requests from req on. Those extend the open frame where it has the same
// flags and queue and ends before req; they take as many frames as they need.
func (b *Builder) Put(req, low uint64, queue string, flags uint64, tasks []reeve.Task) error {
	switch {
	case len(tasks) == 0:
		return fmt.Errorf("%w: Put of no tasks", reeve.ErrInvalid)
	case flags&FlagEach == 0:
		return b.putAll(req, low, queue, flags, tasks)
	case len(tasks) == 1:
		return b.PutOne(req, low, queue, flags, &tasks[0])
	}
	// Buffers only grow, and what close writes into them is written again: the
	// struct is all there is to bring back.
	before := *b
	for i := range tasks {
		if err := b.PutOne(req+uint64(i), low, queue, flags, &tasks[i]); err != nil {
			*b = before
			return err
		}
	}
	return nil
}

// PutOne is Put of one task, with [FlagEach].
func (b *Builder) PutOne(req, low uint64, queue string, flags uint64, t *reeve.Task) error {
	extras := putExtras(t)
	size := putSize(t, extras)
	if err := b.checkTask(size, queue, "", t); err != nil {
		return err
	}
	flags |= FlagEach
	if b.open != TypePut || b.req+uint64(b.n) != req || b.flags != flags || b.queue != queue || !b.room(size, MaxSmallFrame) {
		b.beginPut(size, req, low, queue, flags)
	}
	b.addPut(t, extras)
	b.added(low)
	return nil
}

func (b *Builder) putAll(req, low uint64, queue string, flags uint64, tasks []reeve.Task) error {
	if len(tasks) > MaxEntries {
		return tooLarge("tasks of one Put", len(tasks), MaxEntries)
	}
	size := 0
	for i := range tasks {
		size += putSize(&tasks[i], putExtras(&tasks[i]))
		if err := b.checkTask(size, queue, "", &tasks[i]); err != nil {
			return err
		}
	}
	b.beginPut(size, req, low, queue, flags)
	for i := range tasks {
		b.addPut(&tasks[i], putExtras(&tasks[i]))
	}
	b.n = len(tasks)
	b.close()
	return nil
}

func (b *Builder) beginPut(size int, req, low uint64, queue string, flags uint64) {
	b.beginRequest(TypePut, 5, size, req, low, queue)
	b.buf = appendUint(append(b.buf, 4), flags)
	b.flags = flags
	b.beginArray(5)
}

// Complete adds the end of one lease with its result, as the request req. It
// extends the open frame where that has the same two queues and ends before
// req.
func (b *Builder) Complete(req, low uint64, queue, to string, id reeve.ID, attempt uint32, result *reeve.Task) error {
	extras := putExtras(result)
	size := putSize(result, extras) + 16
	if err := b.checkTask(size, queue, to, result); err != nil {
		return err
	}
	if b.open != TypeComplete || b.req+uint64(b.n) != req || b.queue != queue || b.to != to || !b.room(size, MaxSmallFrame) {
		b.beginRequest(TypeComplete, 5, size, req, low, queue)
		b.buf = appendText(append(b.buf, 4), to)
		b.to = to
		b.beginArray(5)
	}
	entry := byte(majorArray<<5 | 3)
	if extras > 0 {
		entry++
	}
	b.buf = appendUint(append(b.buf, entry), uint64(id))
	b.buf = appendUint(b.buf, uint64(attempt))
	b.addPayload(result.Payload)
	if extras > 0 {
		b.buf = appendPutExtras(b.buf, extras, result)
	}
	b.added(low)
	return nil
}

// Ack adds the end of one lease, as the request req. It extends the open frame
// where that has the same queue and ends before req.
func (b *Builder) Ack(req, low uint64, queue string, id reeve.ID, attempt uint32) error {
	const size = 14
	if b.open != TypeAck || b.req+uint64(b.n) != req || b.queue != queue || !b.room(size, MaxSmallFrame) {
		if err := b.check(size, queue, "", ""); err != nil {
			return err
		}
		b.beginRequest(TypeAck, 4, size, req, low, queue)
		b.beginArray(4)
	}
	b.buf = appendUint(b.buf, uint64(id))
	b.buf = appendUint(b.buf, uint64(attempt))
	b.added(low)
	return nil
}

// Deliver adds a leased task, for a consumer or (consumer 0) as part of the
// answer to the Get with the request id req. It extends the open frame where
// that is for the same one and the same queue.
//
// The answer to a Get is one frame: its tasks must be added one after another
// with nothing in between, and up to the limit of a frame rather than that of
// a small one. An error then means that the task is one too many for the frame
// and stays with the caller.
func (b *Builder) Deliver(consumer, req uint64, queue string, t *reeve.Task) error {
	size := DeliverSize(t)
	if err := b.checkTask(size, queue, "", t); err != nil {
		return err
	}
	room := MaxSmallFrame
	if consumer == 0 {
		room = b.limit()
	}
	if b.open != TypeDeliver || b.consumer != consumer || consumer == 0 && b.req != req || b.queue != queue || !b.room(size, room) {
		if consumer == 0 && b.open == TypeDeliver && b.consumer == 0 && b.req == req {
			if b.n == MaxEntries {
				return tooLarge("tasks of one Get", b.n+1, MaxEntries)
			}
			return tooLarge("frame bytes", b.openLen()+size, room)
		}
		b.beginDeliver(size, consumer, req, queue)
	}
	b.addDeliver(t)
	b.n++
	return nil
}

func (b *Builder) beginDeliver(size int, consumer, req uint64, queue string) {
	b.begin(TypeDeliver, 3, size)
	if consumer != 0 {
		b.buf = appendUint(append(b.buf, 1), consumer)
	} else {
		b.buf = appendUint(append(b.buf, 4), req)
	}
	b.buf = appendText(append(b.buf, 2), queue)
	b.consumer, b.req, b.queue = consumer, req, queue
	b.beginArray(3)
}

// Confirm adds that the count requests from req on succeeded; first is the id
// of the first task they put, or zero. It joins the Confirm before it where
// that ends before req and, for Puts, its ids end before first.
func (b *Builder) Confirm(req uint64, count int, first reeve.ID) {
	b.confirm.add(req, count, first)
}

// ConfirmCount adds that the request req, an [Act], succeeded with n tasks. As
// n is no id, it joins no other Confirm.
func (b *Builder) ConfirmCount(req, n uint64) {
	b.confirm.flush()
	b.confirm.add(req, 1, reeve.ID(n))
	b.confirm.flush()
}

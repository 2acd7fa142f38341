package manager

import (
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	transport "github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

const (
	// gather is about how much is put into one write.
	gather = wire.MaxSmallFrame - 4<<10
	// largePayload is from when on a task travels on the bulk stream.
	largePayload = 48 << 10
	// maxUnsent is how many bytes of answers may wait for a client that does
	// not read before its requests are not read either.
	maxUnsent = 1 << 20
	// maxUnsentLarge is the same for answers on the bulk stream.
	maxUnsentLarge = 4 << 20
)

// delivery is what is to be sent to a consumer, or as the answer to a Get or to
// a question for a result. It is encoded when its turn comes: until then its
// payload takes no memory of its own.
type delivery struct {
	consumer uint64 // or
	req      uint64
	queue    string
	task     reeve.Task
	rest     []reeve.Task  // further tasks of the same Get
	result   *reeve.Result // in place of tasks
}

// taskFrame is about what a task takes in a frame besides its payload and type.
const taskFrame = 64

func (d *delivery) size() int {
	if r := d.result; r != nil {
		return taskFrame + len(r.Payload) + len(r.Type) + len(r.Queue) + len(r.Reason) + len(r.Error)
	}
	n := taskBytes(&d.task)
	for i := range d.rest {
		n += taskBytes(&d.rest[i])
	}
	return n
}

func taskBytes(t *reeve.Task) int {
	n := taskFrame + len(t.Payload) + len(t.Type)
	if t.Rules != nil {
		n += len(t.Rules.Key)
	}
	return n
}

// outbox gathers what is to be sent to one client, until its session ends:
// requests that came before are still carried out, and their answers, for which
// there is no bound any more, dropped. Adding never blocks; a
// goroutine writes while there is something to write, and what is added
// meanwhile goes out in its next write.
type outbox struct {
	s *session

	mu      sync.Mutex // guards the fields below; taken after queues' mutexes
	answers wire.Builder
	due     []delivery
	lost    []wire.Lost
	told    []wire.Command
	events  []*subscription // that have some
	large   []delivery      // for the bulk stream
	raw     [][]byte        // frames for the bulk stream
	rawSize int             // of raw, in bytes
	held    int             // readers that are about to add more
	writing bool            // a flush goroutine exists
	bulking bool            // a flushBulk goroutine exists
	since   time.Time       // when the write in progress began; zero: none
	bulk    time.Time       // the same for the bulk stream
	ended   bool
	room    *sync.Cond // signalled when answers were taken

	// Owned by flush.
	spare []delivery
	tasks wire.Builder
}

func (o *outbox) init(s *session, maxFrame int) {
	o.s = s
	o.room = sync.NewCond(&o.mu)
	o.answers.SetMaxFrame(maxFrame)
	o.tasks.SetMaxFrame(maxFrame)
}

// deliver adds a task for a consumer, or the tasks that answer a Get.
func (o *outbox) deliver(d delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.ended: // the lease goes back with the session
	case d.size() > largePayload:
		o.large = append(o.large, d)
	default:
		o.due = append(o.due, d)
	}
}

func (o *outbox) confirm(req uint64, count int, first reeve.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.answers.Confirm(req, count, first)
	}
}

// confirmCount is the answer to something that was done to n tasks.
func (o *outbox) confirmCount(req, n uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.answers.ConfirmCount(req, n)
	}
}

// command adds a command to the client, and has it sent.
func (o *outbox) command(m wire.Command) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.told = append(o.told, m)
		o.startLocked()
	}
}

// message adds an answer. One that cannot be told in a frame ends the session:
// the client would wait for it for ever.
func (o *outbox) message(m wire.Message) {
	if err := o.add(m); err != nil {
		o.s.fail(err)
	}
}

func (o *outbox) add(m wire.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return nil
	}
	return o.answers.Message(m)
}

func (o *outbox) leaseLost(t reeve.Token, cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.lost = append(o.lost, wire.Lost{Queue: t.Queue, ID: t.ID, Attempt: t.Attempt, Code: wire.Code(cause), Text: cause.Error()})
	}
}

// hold keeps what is added from being sent until release: a reader calls it
// when it begins with what it has read, so that all the answers go out together.
func (o *outbox) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held++
}

// release lets out what was gathered, and waits while a client that does not
// read has too many answers to come.
func (o *outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held--
	o.startLocked()
	for o.overfullLocked() && !o.ended {
		o.room.Wait()
	}
}

// overfull reports whether so much waits for the client that a reader must not
// go on without a release.
func (o *outbox) overfull() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overfullLocked()
}

func (o *outbox) overfullLocked() bool {
	return o.answers.Len() > maxUnsent || o.rawSize > maxUnsentLarge
}

// wake has what was added sent.
func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.startLocked()
}

func (o *outbox) startLocked() {
	if o.held > 0 && o.answers.Len() < gather || o.ended {
		return
	}
	if !o.writing && o.answers.Len()+len(o.due)+len(o.lost)+len(o.told)+len(o.events) > 0 {
		o.writing = true
		go o.flush() // waited for by close
	}
	if !o.bulking && len(o.large)+len(o.raw) > 0 {
		o.bulking = true
		go o.flushBulk() // waited for by close
	}
}

// flush writes until there is nothing left.
func (o *outbox) flush() {
	for {
		o.mu.Lock()
		due, lost, told, events := o.due, o.lost, o.told, o.events
		hasLarge := o.answers.Large()
		buf := o.answers.Take()
		if len(due)+len(lost)+len(told)+len(events)+len(buf) == 0 || o.ended {
			o.writing = false
			o.since = time.Time{}
			o.answers.Release()
			o.tasks.Release()
			o.room.Broadcast()
			o.mu.Unlock()
			return
		}
		o.due, o.lost, o.told, o.events, o.spare = o.spare[:0], nil, nil, nil, nil
		for _, sub := range events {
			sub.due = false
		}
		o.since = time.Now()
		o.room.Broadcast()
		o.mu.Unlock()

		// Tasks first: the answer to an Unconsume must come after them.
		err := o.writeTasks(due)
		if err == nil && len(lost)+len(told) > 0 {
			err = o.writeControl(lost, told)
		}
		if err == nil && len(buf) > 0 {
			err = o.writeAnswers(buf, hasLarge)
		}
		if err == nil && len(events) > 0 {
			err = o.writeEvents(events)
		}
		clear(due)
		o.spare = keep(due)
		o.mu.Lock()
		o.answers.Reset(buf)
		o.ended = o.ended || err != nil
		o.mu.Unlock()
		if err != nil {
			o.s.fail(err)
		}
	}
}

// keep returns the list for reuse, unless it has grown large.
func keep(due []delivery) []delivery {
	if cap(due) > 1024 {
		return nil
	}
	return due[:0]
}

func (o *outbox) writeTasks(due []delivery) error {
	for i := range due {
		if err := appendDelivery(&o.tasks, &due[i]); err != nil {
			return err
		}
		if o.tasks.Len() < gather && i < len(due)-1 {
			continue
		}
		buf := o.tasks.Take()
		_, err := o.s.calls.Write(buf)
		o.tasks.Reset(buf)
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
		var buf []byte
		var err error
		if len(o.raw) > 0 {
			buf = o.raw[0]
			o.raw[0] = nil
			o.raw = o.raw[1:]
			o.rawSize -= len(buf)
			o.room.Broadcast()
			o.mu.Unlock()
		} else {
			d := o.large[0]
			o.large[0] = delivery{}
			o.large = o.large[1:]
			o.mu.Unlock()
			err = appendDelivery(&b, &d)
			buf = b.Take()
		}
		if err == nil {
			err = o.writeBulk(buf)
		}
		if err != nil {
			o.mu.Lock()
			o.ended = true
			o.mu.Unlock()
			o.s.fail(err)
		}
	}
}

func (o *outbox) writeBulk(buf []byte) error {
	st, err := o.s.bulkStream()
	if err != nil {
		return err
	}
	for len(buf) > 0 {
		n := min(len(buf), transport.MaxFrame)
		if _, err := st.Write(buf[:n]); err != nil {
			return err
		}
		buf = buf[n:]
		o.mu.Lock()
		o.bulk = time.Now()
		o.mu.Unlock()
	}
	return nil
}

// stuckFor is how long a write has made no progress.
func (o *outbox) stuckFor(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var stuck time.Duration
	for _, since := range []time.Time{o.since, o.bulk} {
		if !since.IsZero() {
			stuck = max(stuck, now.Sub(since))
		}
	}
	return stuck
}

// close ends the outbox and waits for its goroutines. The session has failed,
// so their writes have, too.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.room.Broadcast()
	for o.writing || o.bulking {
		o.room.Wait()
	}
	o.due, o.large, o.raw, o.lost, o.told, o.events, o.rawSize = nil, nil, nil, nil, nil, nil, 0
}

// drain waits until everything that was added has been written, or at most d.
func (o *outbox) drain(d time.Duration) {
	timer := time.AfterFunc(d, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.ended = true
		o.room.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.startLocked()
	for (o.writing || o.bulking) && !o.ended {
		o.room.Wait()
	}
}

var _ queue.Sink = (*session)(nil)

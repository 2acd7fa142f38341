package manager

import (
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
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
// a question for a result, and is not part of the next write. It is encoded when
// its turn comes: until then its payload takes no memory of its own.
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

// owed is the size of a result, as which a client may have any number sent. It
// can have no more tasks than there are.
func (d *delivery) owed() int {
	if d.result == nil {
		return 0
	}
	return d.size()
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
	tasks   wire.Builder // those of the next write
	due     []delivery   // those for which it has no room
	lost    []wire.Lost
	told    []wire.Command
	events  []*subscription // that have some
	large   []delivery      // for the bulk stream
	raw     [][]byte        // frames for the bulk stream
	rawSize int             // of raw, in bytes
	results [2]int          // bytes of the results in due and in large
	held    int             // readers that are about to add more
	writing bool            // a flush goroutine exists
	bulking bool            // a flushBulk goroutine exists
	since   time.Time       // when the write in progress began; zero: none
	bulk    time.Time       // the same for the bulk stream
	ended   bool
	room    *sync.Cond // signalled when answers were taken

	// Owned by who writes.
	spare []delivery
	rest  wire.Builder // of what is due
	parts [2][]byte
}

func (o *outbox) init(s *session, maxFrame int) {
	o.s = s
	o.room = sync.NewCond(&o.mu)
	o.answers.SetMaxFrame(maxFrame)
	o.tasks.SetMaxFrame(maxFrame)
	o.rest.SetMaxFrame(maxFrame)
}

// deliver adds a task for a consumer.
func (o *outbox) deliver(consumer uint64, queue string, t *reeve.Task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.directLocked(t) && o.tasks.Deliver(consumer, 0, queue, t) == nil {
		return
	}
	o.addLocked(delivery{consumer: consumer, queue: queue, task: *t})
}

// answer adds what answers a Get or a question for a result.
func (o *outbox) answer(d delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d.result == nil && len(d.rest) == 0 && o.directLocked(&d.task) && o.tasks.Deliver(0, d.req, d.queue, &d.task) == nil {
		return
	}
	o.addLocked(d)
}

// directLocked reports whether t may be a part of the next write.
func (o *outbox) directLocked(t *reeve.Task) bool {
	return !o.ended && len(o.due) == 0 && o.tasks.Len() < gather && taskBytes(t) <= largePayload
}

func (o *outbox) addLocked(d delivery) {
	switch {
	case o.ended: // a lease goes back with the session
	case d.size() > largePayload:
		o.large = append(o.large, d)
		o.results[1] += d.owed()
	default:
		o.due = append(o.due, d)
		o.results[0] += d.owed()
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

// command adds a command to the client, and has it sent. To one that takes
// none off the connection no more are told than it may leave unanswered: nobody
// waits for the answers to those before any more.
func (o *outbox) command(m wire.Command) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended && len(o.told) < o.s.m.cfg.MaxCommands {
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

// refuse answers a request with err.
func (o *outbox) refuse(req uint64, err error) { o.message(wire.ErrorFor(req, err, "")) }

func (o *outbox) add(m wire.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return nil
	}
	return o.answers.Message(m)
}

// returned adds what a method returned, and has it sent: who calls methods is not
// always a reader of this session, which would wait for room. What is large has none
// while a client does not read what it has.
func (o *outbox) returned(req uint64, value []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return nil
	}
	if most, owed := o.s.m.cfg.MaxWaiting, int64(o.answers.Len()+o.rawSize+len(value)); owed > most && len(value) > largePayload {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of what methods returned that one client has not read", Value: owed, Max: most, Set: "Config.MaxWaiting"}
	}
	err := o.answers.Return(req, value)
	o.startLocked()
	return err
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

// fewAnswers is up to how many bytes the reader that gathered answers writes
// them itself. It is the shortest way for who waits for one answer; more is
// worth a goroutine that writes while the reader goes on.
const fewAnswers = 2 << 10

// release lets out what was gathered, and waits while a client that does not
// read has too many answers to come.
func (o *outbox) release() {
	o.letOut()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.overfullLocked() && !o.ended {
		o.room.Wait()
	}
}

// letOut is release for who must not wait, as the goroutine that reads the
// connection: few answers are written by the caller only if the client has room for
// them. It still waits for the connection to take them, which needs no more than
// that the client reads.
func (o *outbox) letOut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held--
	if n := o.answers.Len() + o.tasks.Len(); n == 0 || n > fewAnswers || o.writing || o.ended || o.held > 0 ||
		len(o.due)+len(o.lost)+len(o.told)+len(o.events) > 0 || o.s.calls.Room() < 2*fewAnswers {
		o.startLocked()
		return
	}
	o.writing = true
	r := o.takeLocked() // at once: there may not be room for what comes next
	o.mu.Unlock()
	o.write(&r)
	o.mu.Lock()
	o.goOnLocked()
	o.startLocked()
}

// overfull reports whether so much waits for the client that a reader must not
// go on without a release.
func (o *outbox) overfull() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overfullLocked()
}

func (o *outbox) overfullLocked() bool {
	return o.answers.Len()+o.results[0] > maxUnsent || o.rawSize+o.results[1] > maxUnsentLarge
}

// wake has what was added sent.
func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.startLocked()
}

func (o *outbox) startLocked() {
	if o.held > 0 && o.answers.Len() < gather && o.tasks.Len() < gather || o.ended {
		return
	}
	if !o.writing && o.someLocked() {
		o.writing = true
		o.s.m.crew.do(o.flush) // waited for by close
	}
	if !o.bulking && len(o.large)+len(o.raw) > 0 {
		o.bulking = true
		go o.flushBulk() // waited for by close
	}
}

// goOnLocked ends the writing, or has another goroutine write what came meanwhile.
func (o *outbox) goOnLocked() {
	if o.someLocked() && !o.ended {
		o.s.m.crew.do(o.flush) // waited for by close
		return
	}
	o.restLocked()
}

// restLocked ends the writing.
func (o *outbox) restLocked() {
	o.writing = false
	o.since = time.Time{}
	o.answers.Release()
	o.tasks.Release()
	o.rest.Release()
	o.room.Broadcast()
}

func (o *outbox) someLocked() bool {
	return o.answers.Len()+o.tasks.Len()+len(o.due)+len(o.lost)+len(o.told)+len(o.events) > 0
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
	o.results = [2]int{}
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

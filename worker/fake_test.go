package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/worker"
)

// memory is a queue and its master in memory: enough of both for a worker.
// Hand-overs go into free slots, ends are answered before Settle returns
// unless answers are held. It calls back with its mutex held, so a worker that
// calls the consumer or a lease from a callback hangs.
type memory struct {
	name     string
	attempts uint32 // failed attempts that make a task dead

	mu        sync.Mutex // guards the fields below
	lastID    reeve.ID
	ready     []*record
	leased    map[reeve.ID]*record
	results   []reeve.Task
	ends      []end
	dead      []end
	suppliers []*supplier
	closed    error // what Next returns

	hold   bool                                        // keep answers
	held   []func()                                    // the kept ones
	refuse func(l *reeve.Lease, o reeve.Outcome) error // answers in place of the master
	asked  []int                                       // slots, in order
	wanted reeve.GetOptions                            // what the last consumer asked for, to no effect
	told   []string                                    // progress, in order
}

type record struct {
	task  reeve.Task
	lease *reeve.Lease
	by    *supplier
}

// end is an end of a lease as it arrived.
type end struct {
	id reeve.ID
	at time.Time
	reeve.Outcome
}

func newMemory(name string, payloads ...any) *memory {
	m := &memory{name: name, attempts: 5, leased: map[reeve.ID]*record{}}
	for _, p := range payloads {
		m.put(reeve.Task{Type: "f"}, p)
	}
	return m
}

// put adds a task with the payload v as CBOR, or as it is when it is a []byte.
func (m *memory) put(t reeve.Task, v any) reeve.ID {
	if b, ok := v.([]byte); ok {
		t.Payload = b
	} else {
		b, err := codec.CBOR.Marshal(v)
		if err != nil {
			panic(err)
		}
		t.Payload = b
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	t.ID = m.lastID
	m.ready = append(m.ready, &record{task: t})
	m.deliverLocked()
	return t.ID
}

func (m *memory) Name() string { return m.name }

func (m *memory) Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed != nil {
		return nil, m.closed
	}
	c := &supplier{m: m, slots: slots, news: make(chan struct{})}
	m.suppliers = append(m.suppliers, c)
	m.asked = append(m.asked, slots)
	m.wanted = reeve.NewGetOptions(opts...)
	m.deliverLocked()
	return c, nil
}

func (m *memory) deliverLocked() {
	for _, c := range m.suppliers {
		for !c.closed && c.unsettled < c.slots && len(m.ready) > 0 {
			r := m.ready[0]
			m.ready = m.ready[1:]
			r.task.Attempt++
			r.by, r.lease = c, reeve.NewLease(m.name, r.task, m)
			m.leased[r.task.ID] = r
			c.unsettled++
			c.buffer = append(c.buffer, r)
		}
		c.tellLocked()
	}
}

// Settle is the Settler's.
func (m *memory) Settle(l *reeve.Lease, o *reeve.Outcome, done func(error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.settleLocked(l, *o)
	if m.hold {
		m.held = append(m.held, func() { done(err) })
		return
	}
	done(err)
}

func (m *memory) settleLocked(l *reeve.Lease, o reeve.Outcome) error {
	e := end{id: l.ID, at: time.Now(), Outcome: o}
	m.ends = append(m.ends, e)
	if m.refuse != nil {
		if err := m.refuse(l, o); err != nil {
			return err
		}
	}
	r := m.leased[l.ID]
	if r == nil || r.lease != l {
		return reeve.ErrLeaseLost
	}
	m.freeLocked(r)
	switch {
	case o.Verb == reeve.Complete:
		t := o.Result
		t.Source = l.ID
		m.results = append(m.results, t)
	case o.Verb == reeve.Return:
		m.ready = append([]*record{r}, m.ready...)
	case o.Verb == reeve.Bury, o.Verb == reeve.Nack && r.task.Attempt >= m.attempts:
		m.dead = append(m.dead, e)
	case (o.Verb == reeve.Nack || o.Verb == reeve.Snooze) && o.Delay > 0:
		time.AfterFunc(o.Delay, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.ready = append(m.ready, r)
			m.deliverLocked()
		})
	case o.Verb == reeve.Nack, o.Verb == reeve.Snooze:
		m.ready = append(m.ready, r)
	}
	m.deliverLocked()
	return nil
}

func (m *memory) freeLocked(r *record) {
	delete(m.leased, r.task.ID)
	r.by.unsettled--
}

// Extend is the Settler's; workers do not use it.
func (m *memory) Extend(context.Context, *reeve.Lease, time.Duration) error {
	return reeve.ErrUnsupported
}

// Progress is the Settler's.
func (m *memory) Progress(l *reeve.Lease, percent float64, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, fmt.Sprintf("%v: %v%% %s", l.ID, percent, text))
}

// lose takes the leases away; the tasks are gone to somebody else.
func (m *memory) lose(ids ...reeve.ID) { m.take(errors.New("the connection broke"), ids...) }

// cancel takes the leases of cancelled tasks away.
func (m *memory) cancel(ids ...reeve.ID) {
	m.take(fmt.Errorf("%w: %w", reeve.ErrLeaseLost, reeve.ErrCancelled), ids...)
}

func (m *memory) take(cause error, ids ...reeve.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var leases []*reeve.Lease
	for _, id := range ids {
		if r := m.leased[id]; r != nil {
			m.freeLocked(r)
			leases = append(leases, r.lease)
		}
	}
	m.deliverLocked()
	for _, l := range leases {
		l.Lose(cause)
	}
}

// answer gives the held answers and holds no more.
func (m *memory) answer() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.held {
		f()
	}
	m.hold, m.held = false, nil
}

// stop has Next return err once nothing is ready.
func (m *memory) stop(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = err
	for _, c := range m.suppliers {
		c.tellLocked()
	}
}

// list returns what get sees.
func list[T any](m *memory, get func() []T) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(get())
}

func (m *memory) allEnds() []end    { return list(m, func() []end { return m.ends }) }
func (m *memory) allDead() []end    { return list(m, func() []end { return m.dead }) }
func (m *memory) allAsked() []int   { return list(m, func() []int { return m.asked }) }
func (m *memory) out() []reeve.Task { return list(m, func() []reeve.Task { return m.results }) }
func (m *memory) slots() int        { a := m.allAsked(); return a[len(a)-1] }
func (m *memory) readyIDs() (ids []reeve.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.ready {
		ids = append(ids, r.task.ID)
	}
	return ids
}

func (m *memory) leasedCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.leased)
}

// supplier is the Consumer.
type supplier struct {
	m *memory

	// Guarded by memory.mu.
	slots, unsettled int
	buffer           []*record
	news             chan struct{}
	closed           bool
}

func (c *supplier) tellLocked() {
	close(c.news)
	c.news = make(chan struct{})
}

func (c *supplier) Next(ctx context.Context) (*reeve.Lease, error) {
	for {
		c.m.mu.Lock()
		switch {
		case c.closed:
			c.m.mu.Unlock()
			return nil, reeve.ErrClosed
		case len(c.buffer) > 0:
			r := c.buffer[0]
			c.buffer = c.buffer[1:]
			c.m.mu.Unlock()
			return r.lease, nil
		case c.m.closed != nil:
			c.m.mu.Unlock()
			return nil, c.m.closed
		}
		news := c.news
		c.m.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *supplier) SetSlots(n int) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.slots = n
	c.m.asked = append(c.m.asked, n)
	c.m.deliverLocked()
	return nil
}

func (c *supplier) Close() error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.closed = true
	for _, r := range c.buffer {
		c.m.freeLocked(r)
	}
	c.m.ready = append(c.buffer, c.m.ready...)
	c.buffer = nil
	c.m.deliverLocked()
	return nil
}

// started is a worker whose Run goes on.
type started struct {
	*worker.Worker
	t      *testing.T
	cancel context.CancelFunc
	ended  chan struct{}
	err    error         // set before ended is closed
	took   time.Duration // from the cancel, or the begin, to the return
}

// start runs w, in a bubble of synctest. The test must see it end.
func start(t *testing.T, w *worker.Worker) *started {
	t.Helper()
	t.Cleanup(func() { time.Sleep(2 * time.Hour) }) // given up handlers return
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{Worker: w, t: t, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		s.err = w.Run(ctx)
	}()
	return s
}

// stop ends Run's context and returns what Run does.
func (s *started) stop() error {
	begin := time.Now()
	s.cancel()
	<-s.ended
	s.took = time.Since(begin)
	return s.err
}

// wait waits for Run to return by itself.
func (s *started) wait() error {
	begin := time.Now()
	<-s.ended
	s.took = time.Since(begin)
	s.cancel()
	return s.err
}

func mustStop(t *testing.T, s *started) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}

func number(t *testing.T, b []byte) (n int) {
	t.Helper()
	if err := codec.CBOR.Unmarshal(b, &n); err != nil {
		t.Fatalf("result is not a number: %v", err)
	}
	return n
}

func verbs(ends []end) string {
	names := map[reeve.Verb]string{reeve.Ack: "ack", reeve.Complete: "complete", reeve.Nack: "nack",
		reeve.Return: "return", reeve.Bury: "bury", reeve.Snooze: "snooze", reeve.Skip: "skip", reeve.Discard: "discard"}
	s := ""
	for _, e := range ends {
		s += fmt.Sprintf("%d %s ", e.id, names[e.Verb])
	}
	return s
}

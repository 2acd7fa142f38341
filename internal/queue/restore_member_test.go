package queue_test

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// member is a client that outlives connections and masters: what was not
// answered it sends again, with the same number, as the clients of a master do.
type member struct {
	w      *crashes
	id     queue.ClientID
	next   uint64
	open   []*ask  // not answered
	done   []*ask  // some of those that were, which may be sent again
	held   []*item // leases
	client *queue.Client
	now    *session
}

// ask is one request.
type ask struct {
	no       uint64
	what     string // put, ack, complete, bury
	q, to    int
	t        *item // that is put, or whose lease is ended
	attempt  uint32
	answered bool
	first    reeve.ID
	err      error
}

// session is one connection of a member: who answers it. The told mutex guards
// what it tells its member.
type session struct {
	*queue.Holder
	m    *member
	deaf bool // the connection is lost, or the holder released
}

// connect begins a session with the master that there is now.
func (m *member) connect() {
	e := m.w.Engine
	m.client, _ = e.Clients().Attach(m.id)
	m.now = &session{m: m}
	m.now.Holder = e.NewHolder(m.now, false)
	m.now.SetClient(m.client)
	m.now.SetName(fmt.Sprint("member ", m.id.Process[0]))
}

func (s *session) Deliver(uint64, string, *reeve.Task) {}
func (s *session) End(uint64, string, error)           {}
func (s *session) Wake()                               {}

func (s *session) Got(tag uint64, _ string, ts []reeve.Task, _ error) {
	told.Lock()
	defer told.Unlock()
	if !s.deaf {
		s.m.w.handed(s.m, tag, ts)
	}
}

func (s *session) Lost(t reeve.Token, _ error) {
	told.Lock()
	defer told.Unlock()
	if !s.deaf {
		s.m.held = slices.DeleteFunc(s.m.held, func(i *item) bool { return i.id == t.ID })
	}
}

func (s *session) Decide(tag uint64, count int, first reeve.ID, err error) *queue.Client {
	s.m.client.Finish(tag, count, first, err)
	return s.m.client
}

func (s *session) Reply(tag uint64, count int, first reeve.ID, err error) {
	told.Lock()
	defer told.Unlock()
	if s.deaf {
		return
	}
	for i := range uint64(count) {
		s.m.answer(tag+i, first, err)
		if first != 0 {
			first++
		}
	}
}

// answer notes the answer to a request. The told mutex is held.
func (m *member) answer(no uint64, first reeve.ID, err error) {
	for i, r := range m.open {
		if r.no == no {
			if r.answered && (first != r.first || (err == nil) != (r.err == nil)) {
				m.w.fail("request %d of %v: %v %v, and %v %v when it was sent again", no, m.id.Process[0], r.first, r.err, first, err)
			}
			r.answered, r.first, r.err = true, first, err
			m.open = slices.Delete(m.open, i, i+1)
			m.done = append(m.done, r)
			m.w.told(r)
			return
		}
	}
	m.w.fail("an answer to request %d of %v, which waits for none", no, m.id.Process[0])
}

// low is the first request that may be sent again.
func (m *member) low() uint64 {
	low := m.next + 1
	for _, r := range slices.Concat(m.open, m.done) {
		low = min(low, r.no)
	}
	return low
}

// request makes one, and sends it.
func (m *member) request(r *ask) {
	told.Lock()
	m.next++
	r.no = m.next
	m.open = append(m.open, r)
	if len(m.done) > 8 {
		m.done = m.done[1:]
	}
	told.Unlock()
	m.send(r)
}

// again sends one that was answered once more.
func (m *member) again(i int) {
	told.Lock()
	r := m.done[i]
	m.done = slices.Delete(m.done, i, i+1)
	m.open = append(m.open, r)
	told.Unlock()
	m.send(r)
}

func (m *member) send(r *ask) {
	told.Lock()
	low := m.low()
	told.Unlock()
	s := m.now
	fresh, err := m.client.Begin(r.no, 1, low)
	if err != nil {
		m.w.fail("request %d, low %d: %v", r.no, low, err)
	}
	if !fresh {
		run, done, first, err := m.client.Seen(r.no)
		if done {
			m.w.After(func(failed error) {
				if failed == nil {
					s.Reply(r.no, 1, first, err)
				}
			})
		}
		if !run {
			return
		}
	}
	q := m.w.queues[r.q]
	told.Lock()
	id := r.t.id // an answer that comes meanwhile notes it again
	told.Unlock()
	switch r.what {
	case "put":
		q.Put(s.Holder, &queue.PutOp{Tasks: []reeve.Task{{Payload: []byte(r.t.payload)}}, Tag: r.no, By: s})
	case "ack":
		q.Ack(s.Holder, []queue.AckOp{{ID: id, Attempt: r.attempt}}, r.no, s)
	case "bury":
		q.Nack(s.Holder, &queue.NackOp{ID: id, Attempt: r.attempt, Bury: true, Error: "bad"}, r.no, s)
	case "complete":
		result := reeve.Task{Payload: []byte("r" + r.t.payload)}
		q.Complete(s.Holder, m.w.queues[r.to], []queue.CompleteOp{{ID: id, Attempt: r.attempt, Result: result, Tag: r.no, By: s}})
	}
}

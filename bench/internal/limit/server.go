package limit

import (
	"net"
	"sync"
)

// server is the queue server of all stacks.
type server struct {
	codec  codec
	bodies bodies

	mu      sync.Mutex // guards the fields below, and queues, consumers and leases
	queues  map[string]*queue
	changed []*queue
}

func newServer(c codec) *server { return &server{codec: c, queues: map[string]*queue{}} }

// peer is a client as the server has it.
type peer struct {
	out outbox

	queues    []*queue // by the client's numbers; guarded by the server's mu, with the fields below
	consumers []*consumer
	leases    leases
	touched   bool // is to be flushed
}

// serve serves one client until its connection ends.
func (s *server) serve(conn net.Conn) {
	p := &peer{out: outbox{w: writer{conn: conn, codec: s.codec}}}
	defer s.leave(p)
	var (
		r       = newReader(conn, s.codec, &s.bodies)
		batch   []message
		touched []*peer
		err     error
	)
	for {
		if r.fill() != nil {
			return
		}
		if batch, err = readAll(r, batch[:0]); err != nil {
			return
		}
		var ok bool
		touched, ok = s.handle(p, batch, touched[:0])
		clear(batch)
		if !ok {
			return
		}
		for _, t := range touched {
			t.out.flush()
		}
	}
}

// readAll appends the messages that were read to batch.
func readAll(r *reader, batch []message) ([]message, error) {
	for {
		batch = append(batch, message{})
		ok, err := r.next(&batch[len(batch)-1])
		if err != nil || !ok {
			return batch[:len(batch)-1], err
		}
	}
}

// handle does what the messages of p ask for, and adds the peers that have
// something to write to touched. It returns false when p makes no sense.
func (s *server) handle(p *peer, batch []message, touched []*peer) (_ []*peer, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var confirmed uint64
	for i := range batch {
		n, ok := s.handleLocked(p, &batch[i])
		if !ok {
			return touched, false
		}
		confirmed += n
	}
	if confirmed > 0 {
		p.out.confirm(confirmed)
		p.touched = true
		touched = append(touched, p)
	}
	for _, q := range s.changed {
		touched = q.dispatch(touched)
	}
	s.changed = s.changed[:0]
	for _, t := range touched {
		t.touched = false
	}
	return touched, true
}

// handleLocked does what m asks for. It returns how much of it is confirmed.
func (s *server) handleLocked(p *peer, m *message) (confirmed uint64, ok bool) {
	n := int(m.N)
	switch m.Kind {
	case kindOpen:
		q := s.queues[string(m.Payload)]
		if q == nil {
			q = &queue{}
			s.queues[string(m.Payload)] = q
		}
		p.queues = append(p.queues, q)
		return 0, n == len(p.queues)-1
	case kindPut, kindResult:
		if n >= len(p.queues) || m.Kind == kindResult && !p.leases.end(m.ID, 1, s.ended) {
			return 0, false
		}
		p.queues[n].items.push(m.Payload)
		s.change(p.queues[n])
		return 1, true
	case kindEnd:
		return uint64(m.N), p.leases.end(m.ID, uint64(m.N), s.ended)
	case kindConsume:
		if n >= len(p.queues) {
			return 0, false
		}
		c := &consumer{peer: p, queue: p.queues[n], number: uint32(len(p.consumers))}
		p.consumers = append(p.consumers, c)
		s.change(c.grant(int(m.ID)))
		return 1, true
	case kindCancel:
		if n >= len(p.consumers) {
			return 0, false
		}
		p.consumers[n].gone = true
		return 1, true
	}
	return 0, false
}

// ended gives back what a delivery took. Its client has read all of it, so that
// nobody writes it any more. The caller holds mu.
func (s *server) ended(l lease) {
	s.change(l.consumer.grant(1))
	if s.codec.shares() {
		s.bodies.put(l.payload)
	}
}

// change has q dispatched. The caller holds mu.
func (s *server) change(q *queue) {
	if !q.changed {
		q.changed = true
		s.changed = append(s.changed, q)
	}
}

// leave forgets p. What it has not ended is lost.
func (s *server) leave(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range p.consumers {
		c.gone = true
	}
}

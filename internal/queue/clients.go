package queue

import (
	"container/list"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/internal/record"
)

// Limits of what is remembered for clients.
const (
	// Window is how many requests of one client may be under way.
	Window = 1 << 14
	// clientMemory is how long a client that is not connected is remembered.
	clientMemory = 10 * time.Minute
	// maxAway is how many such clients are remembered.
	maxAway = 10_000
	// maxAwayOutcomes is how many outcomes are remembered for all of them: about
	// 64 MiB.
	maxAwayOutcomes = 2 << 20
)

// ClientID names a client process for its life: the number it chose, apart for
// each key, so that who learns another's gets nothing with a key of his own.
type ClientID struct {
	Key     string
	Process [16]byte
}

// Clients remembers what became of recent requests, per client, so that one
// whose answer was lost with a connection can be sent again and is carried out
// once. Methods are safe for concurrent use.
type Clients struct {
	mu   sync.Mutex
	byID map[ClientID]*Client
	byNo map[uint32]*Client
	last uint32    // number given out last
	away list.List // of *Client, the one that left first in front
	kept int       // outcomes of the clients in away

	note func(recs []byte, d commit.Durability) // records a client that comes or is forgotten; nil: no journal
}

// NewClients makes an empty memory.
func NewClients() *Clients {
	return &Clients{byID: map[ClientID]*Client{}, byNo: map[uint32]*Client{}}
}

// of returns the client with a number, which stands for it in a journal; nil:
// it is not known any more.
func (m *Clients) of(no uint32) *Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byNo[no]
}

// number is that of a client, which stands for it in records; 0: it is not known.
func (m *Clients) number(id ClientID) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.byID[id]; c != nil {
		return c.no
	}
	return 0
}

// Attach returns the client id for a new session, and whether it was known.
// The caller ends an older session of the same client first, and makes no promise
// to the client before everything that is recorded by then is durable: one that
// nobody remembers after a crash must take all that it asked for as undecided.
func (m *Clients) Attach(id ClientID) (c *Client, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(time.Now())
	c, known = m.byID[id]
	if !known {
		m.last++
		c = &Client{id: id, no: m.last, base: 1}
		m.byID[id], m.byNo[c.no] = c, c
		if m.note != nil {
			m.note(c.record(), commit.Synced)
		}
	}
	m.unplace(c)
	return c, known
}

// Detach notes that c's session is over. Requests that had no outcome yet
// count as never sent: their session's holder was released before.
func (m *Clients) Detach(c *Client) {
	n := c.abort()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID[c.id] != c || c.place != nil {
		return
	}
	c.left = time.Now()
	c.place, c.kept = m.away.PushBack(c), n
	m.kept += n
	m.forget(c.left)
}

// unplace takes c out of away, if it is there.
func (m *Clients) unplace(c *Client) {
	if c.place != nil {
		m.away.Remove(c.place)
		m.kept -= c.kept
		c.place, c.kept = nil, 0
	}
}

// Drop forgets c: it said goodbye.
func (m *Clients) Drop(c *Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unplace(c)
	m.remove(c)
}

// remove forgets c, which is not away.
func (m *Clients) remove(c *Client) {
	if m.byID[c.id] != c {
		return
	}
	delete(m.byID, c.id)
	delete(m.byNo, c.no)
	if m.note != nil {
		m.note(record.AppendGone(nil, &record.Gone{Client: c.no}), commit.Written)
	}
}

// record tells which client has c's number.
func (c *Client) record() []byte {
	return record.AppendClient(nil, &record.Client{No: c.no, Key: c.id.Key, Process: c.id.Process})
}

// answered tells whether a request is remembered as carried out, and which is
// the first that c may still wait for.
func (c *Client) answered(req uint64) (first reeve.ID, low uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if req < c.base || req-c.base >= uint64(c.n) {
		return 0, 0, false
	}
	o := c.at(req)
	return o.first, c.base, o.phase == answered && o.err == nil
}

// low is the first request that c may still wait for.
func (c *Client) low() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base
}

// recall notes outcomes that a journal tells of.
func (c *Client) recall(r *record.Request) {
	if r.Count > Window {
		return // no client has so many under way
	}
	c.mu.Lock()
	c.advance(min(r.Low, r.Req))
	if end := r.Req + uint64(r.Count); end >= r.Req && end > c.base {
		if end-c.base > Window { // the client had gone on
			c.advance(end - Window)
		}
		c.extend(int(end - c.base))
	}
	c.mu.Unlock()
	c.Finish(r.Req, int(r.Count), r.First, nil)
}

// While a journal is replayed: nobody else has the memory.

// byNumber returns the client that a number stands for, which may become known
// later; nil for 0.
func (m *Clients) byNumber(no uint32) *Client {
	if no == 0 {
		return nil
	}
	c := m.byNo[no]
	if c == nil {
		c = &Client{no: no, base: 1}
		m.byNo[no] = c
		m.last = max(m.last, no)
	}
	return c
}

// name tells who has a number.
func (m *Clients) name(no uint32, id ClientID) { m.byNumber(no).id = id }

// lose forgets who has a number.
func (m *Clients) lose(no uint32) { delete(m.byNo, no) }

// settle ends that: those who are known are away since now.
func (m *Clients) settle() {
	now := time.Now()
	for no, c := range m.byNo {
		if c.id == (ClientID{}) {
			delete(m.byNo, no)
			continue
		}
		m.byID[c.id] = c
		c.left, c.kept = now, len(c.ring)
		c.place = m.away.PushBack(c)
		m.kept += c.kept
	}
	m.forget(now)
}

// Len is how many clients are remembered.
func (m *Clients) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byID)
}

func (m *Clients) forget(now time.Time) {
	for e := m.away.Front(); e != nil; e = m.away.Front() {
		c := e.Value.(*Client)
		if m.away.Len() <= maxAway && m.kept <= maxAwayOutcomes && now.Sub(c.left) < clientMemory {
			return
		}
		m.unplace(c)
		m.remove(c)
	}
}

// Client is the memory of one client. Methods are safe for concurrent use.
type Client struct {
	id    ClientID
	no    uint32        // stands for it in a journal; never 0
	place *list.Element // in Clients.away; guarded by Clients.mu, as the next two are
	left  time.Time
	kept  int // outcomes it had then

	mu   sync.Mutex // guards the fields below; taken last of all
	base uint64     // all requests below have been answered and seen
	ring []outcome  // of request base+i at (head+i) mod len
	head int
	n    int
}

// outcome is what became of one request.
type outcome struct {
	phase phase
	first reeve.ID
	err   error
}

type phase uint8

const (
	unseen phase = iota
	underway
	answered
)

// Begin notes that requests req to req+count-1 arrived, from a client that
// waits for nothing below low. fresh: none of them was seen before, and all are
// to be carried out; otherwise ask Seen for each. A number outside the window
// is a [reeve.ErrProtocol].
func (c *Client) Begin(req uint64, count int, low uint64) (fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(low)
	end := req + uint64(count)
	if count < 1 || req < c.base || end < req || end-c.base > Window {
		return false, fmt.Errorf("%w: request %d (%d requests) outside the window of %d from %d", reeve.ErrProtocol, req, count, Window, c.base)
	}
	c.extend(int(end - c.base))
	for i := range count {
		if c.at(req+uint64(i)).phase != unseen {
			return false, nil
		}
	}
	for i := range count {
		c.at(req + uint64(i)).phase = underway
	}
	return true, nil
}

// Seen tells about one request of a Begin that was not fresh: to be carried
// out now (run), or answered with (first, err) (done), or neither: it is under
// way and will be answered.
func (c *Client) Seen(req uint64) (run, done bool, first reeve.ID, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if req < c.base || req-c.base >= uint64(c.n) {
		return false, false, 0, nil
	}
	o := c.at(req)
	switch o.phase {
	case unseen:
		o.phase = underway
		return true, false, 0, nil
	case answered:
		return false, true, o.first, o.err
	}
	return false, false, 0, nil
}

// Finish notes the outcome of requests req to req+count-1: ids count up from
// first by one per request, unless first is 0.
func (c *Client) Finish(req uint64, count int, first reeve.ID, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range uint64(count) {
		if r := req + i; r >= c.base && r-c.base < uint64(c.n) {
			*c.at(r) = outcome{phase: answered, first: first, err: err}
		}
		if first != 0 {
			first++
		}
	}
}

// abort makes requests without an outcome unseen, and returns how many
// outcomes there is room for.
func (c *Client) abort() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.n {
		if o := &c.ring[(c.head+i)%len(c.ring)]; o.phase == underway {
			o.phase = unseen
		}
	}
	return len(c.ring)
}

func (c *Client) at(req uint64) *outcome {
	return &c.ring[(c.head+int(req-c.base))&(len(c.ring)-1)]
}

// advance forgets what is below low.
func (c *Client) advance(low uint64) {
	if low <= c.base {
		return
	}
	drop := low - c.base
	if drop >= uint64(c.n) {
		c.ring, c.head, c.n = c.small(), 0, 0
		c.base = low
		return
	}
	for range drop {
		c.ring[c.head] = outcome{}
		c.head = (c.head + 1) & (len(c.ring) - 1)
	}
	c.n -= int(drop)
	c.base = low
}

// small returns the ring emptied, or nothing when it has grown large.
func (c *Client) small() []outcome {
	if len(c.ring) > 1024 {
		return nil
	}
	clear(c.ring)
	return c.ring
}

// extend makes the ring hold n requests from base on.
func (c *Client) extend(n int) {
	if n > len(c.ring) {
		size := max(16, len(c.ring))
		for size < n {
			size *= 2
		}
		ring := make([]outcome, size)
		for i := range c.n {
			ring[i] = c.ring[(c.head+i)&(len(c.ring)-1)]
		}
		c.ring, c.head = ring, 0
	}
	c.n = max(c.n, n)
}

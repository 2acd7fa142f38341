package shared

import (
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// ClientID names a client process for its life, apart for each key.
type ClientID struct {
	Key     string
	Process [16]byte
}

// Who is a client for people.
type Who struct {
	Name string // as operators are shown it
	Host string
	PID  uint64
}

// Client is one client process, over all its connections: what it refers to, what
// it holds, and what became of its calls. Methods are safe for concurrent use.
type Client struct {
	host  *Host
	id    ClientID
	calls calls
	late  bool // what it asked of the master before this one may be forgotten

	mu    sync.Mutex // guards the fields below; taken after Host.mu and objects' mutexes
	who   Who
	link  *Link // nil: not connected
	minds map[Object]int
	refs  map[*entry]struct{} // objects without a name that it refers to
	timer *time.Timer         // until it is gone; nil: connected, or gone
	gone  bool
}

// Link is one connection of a client.
type Link struct {
	client *Client
	to     Replier
	lost   bool // guarded by calls.mu
}

// Attach begins a connection of a client, and reports whether its calls are still
// remembered. An older connection of the same client is detached before.
func (h *Host) Attach(id ClientID, who Who, to Replier) (l *Link, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	cl, known := h.clients[id]
	if !known {
		cl = h.newClientLocked(id)
	}
	l = &Link{client: cl, to: to}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.who, cl.link = who, l
	if cl.timer != nil {
		cl.timer.Stop()
		cl.timer = nil
	}
	return l, known
}

func (h *Host) newClientLocked(id ClientID) *Client {
	cl := &Client{host: h, id: id, minds: map[Object]int{}, refs: map[*entry]struct{}{}}
	cl.late = !h.began.IsZero() && time.Since(h.began) >= h.cfg.Grace
	cl.calls.all, cl.calls.allMax = &h.answers, h.cfg.MaxAnswerBytes
	h.clients[id] = cl
	return cl
}

// Client is whose connection l is.
func (l *Link) Client() *Client { return l.client }

// Call carries out a request; its answer goes to the link's Replier.
func (l *Link) Call(r *Request) { l.client.call(l, r) }

// Cancel ends the call req, if it waits.
func (l *Link) Cancel(req uint64) { l.client.cancel(req) }

// Detach ends the connection. farewell: the client said goodbye, and is gone; else
// it may come back within [Config.Grace]. No Call is under way, nor comes after.
func (l *Link) Detach(farewell bool) {
	cl := l.client
	cl.disconnect(l)
	cl.mu.Lock()
	if cl.link != l {
		cl.mu.Unlock()
		return
	}
	cl.link = nil
	minds := cl.mindsLocked()
	cl.mu.Unlock()
	for _, o := range minds {
		o.Lost(cl)
	}
	if farewell || cl.host.cfg.Grace < 0 {
		cl.host.leave(cl)
		return
	}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.link == nil && !cl.gone {
		cl.timer = time.AfterFunc(cl.host.cfg.Grace, func() { cl.host.leave(cl) })
	}
}

func (cl *Client) mindsLocked() []Object {
	list := make([]Object, 0, len(cl.minds))
	for o := range cl.minds {
		list = append(list, o)
	}
	return list
}

// leave ends a client that will not come back.
func (h *Host) leave(cl *Client) {
	h.mu.Lock()
	cl.mu.Lock()
	if cl.gone || cl.link != nil {
		cl.mu.Unlock()
		h.mu.Unlock()
		return
	}
	cl.gone = true
	delete(h.clients, cl.id)
	if cl.timer != nil {
		cl.timer.Stop()
		cl.timer = nil
	}
	minds, refs := cl.mindsLocked(), cl.refs
	cl.minds, cl.refs = map[Object]int{}, map[*entry]struct{}{}
	cl.mu.Unlock()
	h.mu.Unlock()
	cl.leave()
	for _, o := range minds {
		o.Gone(cl)
	}
	for e := range refs {
		h.unrefer(e, cl)
	}
}

// Mind has o told when the client's connection is lost, and when it is gone, until
// Forget is called as often. It is called with o's mutex held, before what o
// would give up then is promised by [Call.Return].
func (cl *Client) Mind(o Object) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.minds[o]++
}

// Forget takes one Mind back.
func (cl *Client) Forget(o Object) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.minds[o]--; cl.minds[o] <= 0 {
		delete(cl.minds, o)
	}
}

// Forgotten says that the journal does not know the client: what it asked of an
// earlier master, if it did, is undecided. It comes before all calls.
func (cl *Client) Forgotten() { cl.late = true }

// Connected reports whether the client has a connection.
func (cl *Client) Connected() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.link != nil
}

// ID names the client.
func (cl *Client) ID() ClientID { return cl.id }

// Who is the client for people.
func (cl *Client) Who() Who {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.who
}

// String is who the client is.
func (cl *Client) String() string { return cl.Who().Name }

// Hold is what is known about who holds something: h with the client filled in.
func (cl *Client) Hold(h reeve.HoldInfo) reeve.HoldInfo {
	who := cl.Who()
	h.Owner, h.Host, h.PID = who.Name, who.Host, who.PID
	return h
}

// refer notes that the client refers to an object without a name.
func (cl *Client) refer(e *entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone {
		return fmt.Errorf("%w: %v", reeve.ErrNoSuchObject, e.ref)
	}
	if _, ok := e.refs[cl]; ok {
		return nil
	}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.gone {
		return reeve.ErrClosed
	}
	e.refs[cl] = struct{}{}
	cl.refs[e] = struct{}{}
	return nil
}

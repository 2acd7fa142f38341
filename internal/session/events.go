package session

import (
	"sync"
	"sync/atomic"
)

// flow counts what has come for one stream, so that its user can be told, and
// need not keep a goroutine waiting in Read while nothing comes.
type flow struct {
	come  atomic.Int64 // bytes that came, and one for the end
	taken atomic.Int64 // bytes that were read
	told  atomic.Pointer[func()]

	credit credit
}

func (f *flow) add(n int64) {
	f.come.Add(n)
	if told := f.told.Load(); told != nil {
		(*told)()
	}
}

// events knows the flows of a session's streams, and whom to tell of what.
type events struct {
	mu       sync.Mutex // guards the fields below
	flows    map[uint32]*flow
	opened   int // streams that the peer opened and that OnStream was not told of
	onStream func()
	onEnd    func()
	ended    bool
}

// flow returns the flow of a stream, which it makes when there is none.
func (e *events) flow(stream uint32) *flow {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flowLocked(stream)
}

func (e *events) flowLocked(stream uint32) *flow {
	f := e.flows[stream]
	if f == nil {
		f = &flow{credit: credit{bytes: MinWindow}}
		if e.flows == nil {
			e.flows = map[uint32]*flow{}
		}
		e.flows[stream] = f
	}
	return f
}

// accepted takes note that a stream which OnStream was not told of needs no
// telling.
func (e *events) accepted() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.opened > 0 {
		e.opened--
	}
}

func (e *events) forget(stream uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.flows, stream)
}

// frame takes note of a frame that came whole. It is called by the goroutine
// that reads the connection, before yamux has the frame: who is told may have
// to wait in Read for a moment.
func (e *events) frame(h header) {
	n := int64(0)
	if h.kind == typeData {
		n = int64(h.length)
	}
	if h.flags&(flagFIN|flagRST) != 0 {
		n++
	}
	opened := h.flags&flagSYN != 0
	granted := h.kind == typeWindowUpdate && h.length > 0
	if n == 0 && !opened && !granted {
		return
	}
	e.mu.Lock()
	f := e.flows[h.stream]
	var onStream func()
	if opened {
		f = e.flowLocked(h.stream)
		if onStream = e.onStream; onStream == nil {
			e.opened++
		}
	}
	e.mu.Unlock()
	if onStream != nil {
		onStream()
	}
	if f == nil {
		return
	}
	if granted {
		f.credit.grant(h.length)
	}
	if h.flags&flagRST != 0 {
		f.credit.end(ErrStreamReset)
	}
	if n > 0 {
		f.add(n)
	}
}

// end tells everybody that there will be nothing more.
func (e *events) end() {
	e.mu.Lock()
	e.ended = true
	onEnd := e.onEnd
	flows := make([]*flow, 0, len(e.flows))
	for _, f := range e.flows {
		flows = append(flows, f)
	}
	e.mu.Unlock()
	for _, f := range flows {
		f.credit.end(ErrClosed) // the stream's user is told the session's cause
		f.add(1)
	}
	if onEnd != nil {
		go onEnd() // its user waits for it
	}
}

// OnStream has f called once for each stream that the peer opens from now on
// or has opened and that was not accepted. f is called by the goroutine that
// reads the connection: it must not block, and have another one call Accept.
func (s *Session) OnStream(f func()) {
	e := &s.events
	e.mu.Lock()
	e.onStream = f
	n := e.opened
	e.opened = 0
	e.mu.Unlock()
	for range n {
		f()
	}
}

// OnEnd has f called once, in a goroutine of its own, when the session has
// ended; at once if it has.
func (s *Session) OnEnd(f func()) {
	e := &s.events
	e.mu.Lock()
	ended := e.ended
	e.onEnd = f
	e.mu.Unlock()
	if ended {
		go f() // its user waits for it
	}
}

// OnReadable has f called whenever something comes for the stream, its end and
// that of the session included, and at once when there is something already.
// f is called by the goroutine that reads the connection and must not block.
func (st *Stream) OnReadable(f func()) {
	st.flow.told.Store(&f)
	if st.Readable() {
		f()
	}
}

// Readable reports whether something has come for the stream that was not
// read, its end included: Read does not wait for the peer then.
func (st *Stream) Readable() bool { return st.flow.come.Load() > st.flow.taken.Load() }

package session

import "sync"

// events knows the flows of a session's streams, and whom to tell of what.
type events struct {
	window uint32 // of new streams

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
		f = newFlow(e.window)
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

// of is the flow of a frame's stream; nil: nobody is interested in it. It is
// called by the goroutine that reads the connection, before yamux has the frame:
// who is told of a new stream may have to wait in Accept for a moment.
func (e *events) of(h header) *flow {
	opened := h.flags&flagSYN != 0
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
	return f
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
		f.credit.end(errEnded)
		f.end(errEnded)
		f.tell()
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
func (st *Stream) Readable() bool { return st.flow.readable() }

// Peek shows what has come for the stream, without reading it: it reports false
// when there is nothing, when it is not in one piece, when the stream has ended,
// or when show does. show must not keep what it is shown, nor use the stream.
func (st *Stream) Peek(show func(b []byte) bool) bool { return st.flow.peek(show) }

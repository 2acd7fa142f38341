package session

// incoming makes a stream that the peer opens. There is none when the session
// has ended.
func (s *Session) incoming(id uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[id] != nil {
		return violation("stream %d opened twice", id)
	}
	if s.cause == nil {
		s.streams[id] = s.newStream(id, s.theirs)
	}
	return nil
}

// arrive has a stream accepted.
func (s *Session) arrive(st *Stream) {
	s.mu.Lock()
	s.backlog = append(s.backlog, st)
	onStream := s.onStream
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	if onStream != nil {
		onStream()
	}
}

// stream returns a stream that is not over at both ends, or nil.
func (s *Session) stream(id uint32) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// remove forgets a stream that both ends have closed.
func (s *Session) remove(st *Stream) {
	st.over.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, st.id)
}

// OnStream has f called once for each stream that the peer opens from now on
// or has opened and that was not accepted. f is called by the goroutine that
// reads the connection: it must not block, and have another one call Accept.
func (s *Session) OnStream(f func()) {
	s.mu.Lock()
	s.onStream = f
	n := len(s.backlog)
	s.mu.Unlock()
	for range n {
		f()
	}
}

// OnEnd has f called once, in a goroutine of its own, when the session has
// ended; at once if it has.
func (s *Session) OnEnd(f func()) {
	s.mu.Lock()
	ended := s.over
	s.onEnd = f
	s.mu.Unlock()
	if ended {
		go f() // its user waits for it
	}
}

// tellEnd does what OnEnd was told.
func (s *Session) tellEnd() {
	s.mu.Lock()
	s.over = true
	onEnd := s.onEnd
	s.mu.Unlock()
	if onEnd != nil {
		go onEnd() // its user waits for it
	}
}

// OnReadable has f called whenever something comes for the stream, its end and
// that of the session included, and at once when there is something already. f must
// not block: it is called by the goroutine that reads the connection, but at once by
// the caller, and at the end of the session by whoever ends it. It may Read what has
// come, and Write what there is Room for.
func (st *Stream) OnReadable(f func()) {
	st.mu.Lock()
	st.told = f
	readable := st.readableLocked()
	st.mu.Unlock()
	if readable {
		f()
	}
}

// Readable reports whether something has come for the stream that was not
// read, its end included: Read does not wait for the peer then.
func (st *Stream) Readable() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.readableLocked()
}

// Peek shows what has come for the stream, without reading it: it reports false
// when there is nothing, when it is not in one piece, when the stream has ended,
// or when show does. show must not keep what it is shown, nor use the stream.
func (st *Stream) Peek(show func(b []byte) bool) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed || st.finished || st.reset || st.dead {
		return false
	}
	b := st.in.front()
	return len(b) > 0 && len(b) == st.in.size && show(b)
}

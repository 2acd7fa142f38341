package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	transport "github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// greet reads the hello, registers the session and answers with the welcome.
func (s *session) greet() error {
	ctx, cancel := context.WithTimeout(s.m.ctx, helloTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if ctx.Err() == context.DeadlineExceeded {
			s.mux.Fail(fmt.Errorf("%w: no hello within %v", reeve.ErrProtocol, helloTimeout))
		}
	})
	defer stop()
	st, err := s.mux.Accept(ctx)
	if err != nil {
		return err
	}
	if st.Kind() != transport.Control {
		return fmt.Errorf("%w: first stream is %v, want control", reeve.ErrProtocol, st.Kind())
	}
	s.control = st
	s.first = &inbound{s: s, st: st}
	err = s.readHello(s.first.begin(maxHello))
	s.first.pause()
	if err == nil {
		// Whoever finds the session in the master's list may use these.
		s.heartbeat = s.m.heartbeat()
		s.out.init(s, s.m.maxFrame())
		s.holder = s.m.engine.NewHolder(s, false)
		s.holder.SetPatience(silentHeartbeats * s.heartbeat)
		s.since = time.Now()
		err = s.m.add(s)
	}
	if err == nil {
		s.holder.SetName(s.worker()) // which has the session's number
	}
	if err != nil {
		if s.mux.Err() == nil {
			s.goodbye(err)
		}
		return err
	}
	stop()
	if err := s.welcome(); err != nil {
		s.end() // it was added
		return err
	}
	return nil
}

func (s *session) readHello(r *wire.Reader) error {
	frame, err := r.Next()
	if err != nil {
		return err
	}
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return err
	}
	if t != wire.TypeHello {
		return fmt.Errorf("%w: first message is %v, want Hello", reeve.ErrProtocol, t)
	}
	if err := wire.Decode(t, body, &s.hello); err != nil {
		return err
	}
	if s.hello.Version < wire.Version {
		return fmt.Errorf("%w: the client speaks version %d, the master %d", reeve.ErrVersion, s.hello.Version, wire.Version)
	}
	return nil
}

// welcome attaches the session to what is remembered of its client, and
// answers the hello.
func (s *session) welcome() error {
	m := s.m
	client, known := m.clients.Attach(s.clientID())
	s.client = client
	s.holder.SetClient(client)
	recalled := s.attachObjects(known)
	if err := s.remembered(); err != nil {
		return err
	}
	return s.sendControl(wire.Welcome{
		Version:    wire.Version,
		Impl:       m.cfg.Impl,
		Epoch:      m.epoch,
		Session:    s.id,
		Resumed:    known && s.hello.Epoch == m.epoch,
		Heartbeat:  s.heartbeat,
		MaxFrame:   uint64(m.maxFrame()),
		MaxPayload: uint64(m.cfg.MaxPayload),
		Window:     queue.Window,
		Time:       time.Now().UnixNano(),
		MaxWaiting: uint64(m.cfg.MaxWaiting),
		Life:       m.host.Life(),
		Recalled:   recalled,
	})
}

// rememberedWithin is how long a client waits for that: who comes to see why the
// journal takes so long must get in.
const rememberedWithin = time.Second

// remembered waits until the next master would know the client, too.
func (s *session) remembered() error {
	durable := make(chan error, 1)
	s.m.engine.After(func(err error) { durable <- err })
	late := time.NewTimer(rememberedWithin)
	defer late.Stop()
	select {
	case err := <-durable:
		return err
	case <-late.C:
		return nil
	case <-s.mux.Done():
		return s.mux.Err()
	}
}

func (s *session) clientID() queue.ClientID {
	return queue.ClientID{Key: s.peer.KeyID, Process: s.hello.Client}
}

// add registers the session, unless too many are there, and ends an older one
// of the same client.
func (m *Master) add(s *session) error {
	id := s.clientID()
	for {
		m.mu.Lock()
		old := m.byClient[id]
		if old == nil {
			break
		}
		m.mu.Unlock()
		m.counts.takenOver.Add(1)
		old.fail(fmt.Errorf("%w: its client came back", reeve.ErrClosed))
		<-old.done // soon: a failed session waits only for what it does to many tasks
	}
	defer m.mu.Unlock()
	switch {
	case m.stopping.Load():
		return reeve.ErrClosed
	case len(m.sessions) >= m.cfg.MaxSessions:
		m.counts.refusedFull.Add(1)
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "connected clients", Value: int64(len(m.sessions)) + 1, Max: int64(m.cfg.MaxSessions), Set: "Config.MaxSessions"}
	case m.perKey[s.peer.KeyID] >= m.cfg.MaxSessionsPerKey:
		m.counts.refusedKey.Add(1)
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: fmt.Sprintf("connected clients with key %q", s.peer.KeyID), Value: int64(m.perKey[s.peer.KeyID]) + 1, Max: int64(m.cfg.MaxSessionsPerKey), Set: "Config.MaxSessionsPerKey"}
	}
	m.lastID++
	s.id = m.lastID
	m.sessions[s] = struct{}{}
	m.byClient[id] = s
	m.perKey[s.peer.KeyID]++
	return nil
}

func (m *Master) remove(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, s)
	if id := s.clientID(); m.byClient[id] == s {
		delete(m.byClient, id)
	}
	if m.perKey[s.peer.KeyID]--; m.perKey[s.peer.KeyID] == 0 {
		delete(m.perKey, s.peer.KeyID)
	}
}

// handleControl does what one message of the control stream says.
func (s *session) handleControl(frame []byte) error {
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeHeartbeat:
		var hb wire.Heartbeat
		if err := wire.Decode(t, body, &hb); err != nil {
			return err
		}
		return s.sendControl(hb)
	case wire.TypeGoodbye:
		var bye wire.Goodbye
		if err := wire.Decode(t, body, &bye); err != nil {
			return err
		}
		s.farewell.Store(true)
		return nil
	case wire.TypeReport:
		var m wire.Report
		if err := wire.Decode(t, body, &m); err != nil {
			return err
		}
		s.reported(&m)
		return nil
	case wire.TypeHello:
		return fmt.Errorf("%w: a second Hello", reeve.ErrProtocol)
	}
	s.m.counts.unsupported.Add(1) // of a newer version: it expects no answer here
	return nil
}

// sendControl writes one message on the control stream, after those of others,
// or until the session ends.
func (s *session) sendControl(msg wire.Message) error {
	select {
	case s.controlled <- struct{}{}:
	case <-s.mux.Done():
		return reeve.ErrClosed
	}
	defer func() { <-s.controlled }()
	frame, err := wire.Append(s.frame[:0], msg)
	if err != nil {
		return err
	}
	if cap(frame) <= maxHello {
		s.frame = frame
	}
	_, err = s.control.Write(frame)
	return err
}

// goodbyeTime is how long a goodbye may take.
const goodbyeTime = time.Second

// goodbye tells the client why its session ends and ends it. It waits for the
// client to have been told, not longer than goodbyeTime.
func (s *session) goodbye(cause error) {
	s.blame(cause)
	limit := time.AfterFunc(goodbyeTime, func() { s.fail(cause) })
	defer limit.Stop()
	if s.out.s != nil {
		s.out.drain(goodbyeTime / 2)
	}
	bye := wire.Goodbye{Code: wire.Code(cause), Text: cause.Error()}
	if s.control == nil || s.sendControl(bye) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	if err := s.mux.Flush(ctx); err == nil {
		// The client answers a goodbye by closing; closing first could cut off
		// what it has not read yet.
		select {
		case <-s.mux.Done():
		case <-ctx.Done():
		}
	}
	s.fail(cause)
}

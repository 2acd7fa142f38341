package shared

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// Entry is a key of a durable object and what it has.
type Entry struct {
	Key     string
	Value   []byte
	Expires time.Time // zero: never
	Gone    bool      // of a change: there is no such key any more
}

// Change is what is done to the entries of a durable object. It takes effect as a
// whole.
type Change struct{ entries []Entry }

// Put notes that key has value from now on. Both are kept.
func (ch *Change) Put(key string, value []byte, expires time.Time) {
	ch.entries = append(ch.entries, Entry{Key: key, Value: value, Expires: expires})
}

// Delete notes that there is no key any more.
func (ch *Change) Delete(key string) { ch.entries = append(ch.entries, Entry{Key: key, Gone: true}) }

// CallID names a call for its caller.
type CallID struct {
	Client ClientID
	Waits  bool
	Req    uint64
}

// Journal is where durable objects are kept. Its methods do not block. told is
// called with nothing locked when what was recorded is durable, or never will be.
type Journal interface {
	// Room is nil when something can be recorded, or [reeve.ErrJournalFull].
	Room() error
	// Add records an object, and returns its number.
	Add(typ, name string, config []byte) uint32
	// Drop records that an object, and all of its entries, are no more.
	Drop(no uint32, told func(error))
	// Change records a change as a whole, with what the call by returned; by nil:
	// nobody will ask for that again.
	Change(no uint32, entries []Entry, by *CallID, answer []byte, told func(error))
	// Follow has told called when all that was recorded of an object is durable;
	// false: it is.
	Follow(no uint32, told func(error)) bool
}

// Store keeps the entries of one durable object. All methods of a nil Store work
// as if there were nothing to be kept. Changes are recorded in the order of the
// calls, which the object's mutex decides.
type Store struct {
	journal Journal
	no      uint32
}

// Room is nil when a change can be recorded, or [reeve.ErrJournalFull].
func (s *Store) Room() error {
	if s == nil {
		return nil
	}
	return s.journal.Room()
}

// Record records a change that no call made, as a key whose time is over. The
// object's mutex is held.
func (s *Store) Record(ch *Change) {
	if s != nil && len(ch.entries) > 0 {
		s.journal.Change(s.no, ch.entries, nil, nil, func(error) {})
	}
}

// ReturnRead answers with what was read from a durable object, once what it
// depends on is durable. The object's mutex is held.
func (c *Call) ReturnRead(s *Store, value []byte) bool {
	if s != nil && s.journal.Follow(s.no, func(err error) { c.told(value, err) }) {
		return true
	}
	return c.Return(value)
}

// ReturnChanged answers with value once the change is durable. It takes effect
// also when false is returned. The object's mutex is held.
func (c *Call) ReturnChanged(s *Store, ch *Change, value []byte) bool {
	if s == nil {
		return c.Return(value)
	}
	if len(ch.entries) == 0 {
		return c.ReturnRead(s, value)
	}
	var by *CallID
	if !c.reads {
		by = &CallID{Client: c.Client.id, Waits: c.waits, Req: c.req}
	}
	s.journal.Change(s.no, ch.entries, by, value, func(err error) { c.told(value, err) })
	return true
}

// told answers the call: what it did is durable, or, with an error, nobody knows.
func (c *Call) told(value []byte, err error) {
	if err != nil {
		c.Fail(err)
		return
	}
	c.Return(value)
}

// Restored is a durable object that a journal has.
type Restored struct {
	No         uint32
	Type, Name string
	Config     []byte
	Entries    []Entry
}

// Restore makes the objects that a journal has; from then on durable objects are
// kept there. It is called once, before any client comes.
func (h *Host) Restore(j Journal, objects []Restored) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.journal, h.began = j, time.Now()
	for i := range objects {
		r := &objects[i]
		t := h.types[r.Type]
		if t == nil {
			return fmt.Errorf("%w: the journal has an object %q of a type %q that this version does not know", reeve.ErrVersion, r.Name, r.Type)
		}
		ref, err := h.newRefLocked(r.Name, r.Type)
		if err != nil {
			return err
		}
		s := &Store{j, r.No}
		o, err := t.New(&Env{Host: h, Ref: ref, Store: s, Entries: r.Entries}, r.Config)
		if err != nil {
			return fmt.Errorf("the journal's object %q: %w", r.Name, err)
		}
		e := newEntry(ref, t, o)
		e.spec, e.store = r.Config, s
		if _, err := h.addLocked(nil, e); err != nil {
			return err
		}
	}
	return nil
}

// Recall notes what a call returned in an earlier life of the master, for its
// caller, who may call again. Restored clients have [Config.Grace] to come back.
func (h *Host) Recall(id CallID, value []byte) {
	h.mu.Lock()
	cl := h.clients[id.Client]
	if cl == nil {
		cl = h.newClientLocked(id.Client)
		cl.timer = time.AfterFunc(h.cfg.Grace, func() { h.leave(cl) })
	}
	h.mu.Unlock()
	k := &cl.calls
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of(id.Waits)
	s.set(id.Req, answer{value: value})
	s.done = append(s.done, id.Req)
	k.count(len(value))
	k.forget(s, 0)
}

// Recalls reports whether the journal is to keep the answer to a call: it is
// remembered, or its caller is away for longer than [Config.Grace], and may come to
// the next master before that. How long clients are kept is the journal's affair.
func (h *Host) Recalls(id CallID) bool {
	h.mu.RLock()
	cl := h.clients[id.Client]
	h.mu.RUnlock()
	if cl == nil {
		return true
	}
	k := &cl.calls
	k.mu.Lock()
	defer k.mu.Unlock()
	a, known := k.of(id.Waits).byReq[id.Req]
	return known && a.err == nil
}

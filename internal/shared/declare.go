package shared

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// Declare returns the object of that name, which it makes unless there is one of
// the same type and configuration. An empty name makes one without a name, to
// which by refers.
func (h *Host) Declare(by *Client, typ, name string, spec []byte, durable bool) (reeve.Ref, error) {
	if err := CheckName(name); err != nil {
		return reeve.Ref{}, err
	}
	if len(spec) > maxSpec {
		return reeve.Ref{}, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "bytes of an object's configuration", Value: int64(len(spec)), Max: maxSpec}
	}
	h.mu.RLock()
	t, e := h.types[typ], h.byName[name]
	h.mu.RUnlock()
	switch {
	case t == nil || t.New == nil:
		return reeve.Ref{}, fmt.Errorf("%w: no objects of type %q can be made; the types are: %s", reeve.ErrInvalid, typ, strings.Join(h.typeNames(), ", "))
	case name != "" && e != nil:
		return e.ref, e.same(t, spec, durable)
	case name == "" && durable:
		return reeve.Ref{}, fmt.Errorf("%w: only objects with a name can be durable", reeve.ErrInvalid)
	}
	return h.make(by, t, name, slices.Clone(spec), durable)
}

func (h *Host) typeNames() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Sorted(maps.Keys(h.types))
}

// same is nil if an object was declared like this.
func (e *entry) same(t *Type, spec []byte, durable bool) error {
	switch {
	case e.typ != t:
		return fmt.Errorf("%w: %q is a %s, not a %s", reeve.ErrObjectExists, e.ref.Name, e.typ.Name, t.Name)
	case string(e.spec) != string(spec), (e.store != nil) != durable:
		return fmt.Errorf("%w: the %s %q was declared with another one", reeve.ErrObjectExists, t.Name, e.ref.Name)
	}
	return nil
}

// make makes an object and adds it, unless another was faster.
func (h *Host) make(by *Client, t *Type, name string, spec []byte, durable bool) (reeve.Ref, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.byName[name]; e != nil && name != "" {
		return e.ref, e.same(t, spec, durable)
	}
	ref, err := h.newRefLocked(name, t.Name)
	if err != nil {
		return reeve.Ref{}, err
	}
	var s *Store
	if durable {
		if s, err = h.storeLocked(); err != nil {
			return reeve.Ref{}, err
		}
	}
	o, err := t.New(&Env{Host: h, Ref: ref, Store: s}, spec)
	if err != nil {
		return reeve.Ref{}, err
	}
	if s != nil {
		s.no = h.journal.Add(t.Name, name, spec)
	}
	e := newEntry(ref, t, o)
	e.spec, e.store = spec, s
	return h.addLocked(by, e)
}

// storeLocked is the place for a durable object, which has no number yet.
func (h *Host) storeLocked() (*Store, error) {
	if h.journal == nil {
		return nil, fmt.Errorf("%w: a durable object needs one", reeve.ErrNoJournal)
	}
	return &Store{journal: h.journal}, h.journal.Room()
}

func (h *Host) newRefLocked(name, typ string) (reeve.Ref, error) {
	switch n := len(h.byID); {
	case h.closed:
		return reeve.Ref{}, reeve.ErrClosed
	case n >= h.cfg.MaxObjects:
		return reeve.Ref{}, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "shared objects", Value: int64(n) + 1, Max: int64(h.cfg.MaxObjects), Set: "Config.MaxObjects"}
	}
	h.lastID++
	ref := reeve.Ref{Name: name, Type: typ, ID: h.lastID}
	if name == "" {
		ref.Life = h.life
	}
	return ref, nil
}

// addLocked adds an object, to which by refers if it has no name.
func (h *Host) addLocked(by *Client, e *entry) (reeve.Ref, error) {
	if by != nil {
		e.owner = by.String()
	}
	e.id = e.ref.ID
	if e.ref.Name != "" {
		e.ref.ID = 0 // its name says it all
		h.byName[e.ref.Name] = e
	} else if by != nil {
		if err := by.refer(e); err != nil {
			e.object.Close(err)
			return reeve.Ref{}, err
		}
	}
	h.byID[e.id] = e
	return e.ref, nil
}

// Add adds an object that was made elsewhere. An empty name: by refers to it.
// [reeve.ErrObjectExists].
func (h *Host) Add(by *Client, t *Type, name string, o Object) (reeve.Ref, error) {
	if err := CheckName(name); err != nil {
		return reeve.Ref{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if name != "" && h.byName[name] != nil {
		return reeve.Ref{}, fmt.Errorf("%w: %q", reeve.ErrObjectExists, name)
	}
	ref, err := h.newRefLocked(name, t.Name)
	if err != nil {
		return reeve.Ref{}, err
	}
	e := newEntry(ref, t, o)
	e.own = name != ""
	return h.addLocked(by, e)
}

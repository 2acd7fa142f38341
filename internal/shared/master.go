package shared

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// master is the service $master: what is done about objects rather than with
// them.
type master struct{ host *Host }

var masterMethods = []reeve.MethodInfo{
	{Name: "declare", Signature: "declare(type, name, config, durable) ref"},
	{Name: "delete", Signature: "delete(ref)"},
	{Name: "release", Signature: "release(ref, …)"},
	{Name: "objects", Signature: "objects(after, max) (objects, next)", Reads: true},
	{Name: "methods", Signature: "methods(ref) methods", Reads: true},
	{Name: "locks", Signature: "locks(after, max) (holds, next)", Reads: true},
	{Name: "shutdown", Signature: "shutdown(drain)"},
}

// Bounds of one page.
const (
	maxPage    = 1000
	maxHolders = 16
)

// DecodeArgs reads the arguments of a call, a CBOR array, into the fields of v, a
// pointer to a struct with a first field `_ struct{} "cbor:\",toarray\""`. An
// error matches [reeve.ErrInvalid].
func DecodeArgs(c *Call, v any) error {
	if len(c.Args) > 0 && c.Args[0]>>5 != 4 { // nil would leave all as it is
		return fmt.Errorf("%w: arguments of %s: they are not an array", reeve.ErrInvalid, c.Method)
	}
	if err := codec.CBOR.Unmarshal(c.Args, v); err != nil {
		return fmt.Errorf("%w: arguments of %s: %v", reeve.ErrInvalid, c.Method, err)
	}
	return nil
}

// NoArgs is nil for a call without arguments. An error matches [reeve.ErrInvalid].
func NoArgs(c *Call) error {
	return DecodeArgs(c, &struct {
		_ struct{} `cbor:",toarray"`
	}{})
}

// ReturnValue answers with v as CBOR.
func ReturnValue(c *Call, v any) bool {
	b, err := codec.CBOR.Marshal(v)
	if err != nil {
		return c.Fail(fmt.Errorf("%w: %v", reeve.ErrUnserializable, err))
	}
	return c.Return(b)
}

func (m *master) Call(c *Call) {
	if err := m.call(c); err != nil {
		c.Fail(err)
	}
}

func (m *master) call(c *Call) error {
	switch c.Method {
	case "declare":
		var a struct {
			_       struct{} `cbor:",toarray"`
			Type    string
			Name    string
			Spec    codec.Encoded
			Durable bool
		}
		if err := DecodeArgs(c, &a); err != nil {
			return err
		}
		ref, err := m.host.Declare(c.Client, a.Type, a.Name, a.Spec, a.Durable)
		if err != nil {
			return err
		}
		m.host.returnDurable(c, ref)
	case "delete":
		var a struct {
			_   struct{} `cbor:",toarray"`
			Ref reeve.Ref
		}
		if err := DecodeArgs(c, &a); err != nil {
			return err
		}
		return m.delete(c, a.Ref)
	case "release":
		var refs []reeve.Ref
		if err := DecodeArgs(c, &refs); err != nil {
			return err
		}
		for _, ref := range refs {
			m.host.Release(c.Client, ref)
		}
		c.Return(nil)
	case "methods":
		var a struct {
			_   struct{} `cbor:",toarray"`
			Ref reeve.Ref
		}
		if err := DecodeArgs(c, &a); err != nil {
			return err
		}
		e, err := m.host.lookup(a.Ref)
		if err != nil {
			return err
		}
		ReturnValue(c, e.typ.Methods)
	case "shutdown":
		return m.shutdown(c)
	case "objects":
		return page(c, m.host, func(e *entry) []reeve.ObjectInfo { return []reeve.ObjectInfo{e.info()} })
	case "locks":
		return page(c, m.host, func(e *entry) []reeve.HoldInfo {
			h, ok := e.object.(holder)
			if !ok {
				return nil
			}
			holds := h.Holds()
			for i := range holds {
				holds[i].Object = e.ref
			}
			return holds
		})
	}
	return nil
}

// delete deletes an object. One that was asked of an earlier life of the master
// deletes nothing: the object of that name may be another one than was meant, which
// was made after this was carried out.
func (m *master) delete(c *Call, ref reeve.Ref) error {
	if !c.Again {
		return m.host.Delete(c.Client, ref, func(err error) { c.told(nil, err) })
	}
	if e, err := m.host.lookup(ref); err == nil {
		return fmt.Errorf("%w: delete of %v", reeve.ErrOutcomeUnknown, e.ref)
	}
	c.Return(nil)
	return nil
}

// shutdown ends the master. One that was asked of an earlier life of it is not
// this one's to carry out: the master may have ended by it, and be back.
func (m *master) shutdown(c *Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		Drain bool
	}
	if err := DecodeArgs(c, &a); err != nil {
		return err
	}
	switch {
	case c.Again:
		return reeve.ErrOutcomeUnknown
	case m.host.cfg.Shutdown == nil:
		return fmt.Errorf("%w: clients cannot end this master", reeve.ErrPermission)
	}
	begin, err := m.host.cfg.Shutdown(c.Client.String(), a.Drain)
	if err != nil {
		return err
	}
	c.Return(nil)
	begin()
	return nil
}

// page answers with what f tells of the next objects, in the order in which they
// were made, and where to go on; 0: nowhere.
func page[T any](c *Call, h *Host, f func(*entry) []T) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		After uint64
		Max   uint64
	}
	if err := DecodeArgs(c, &a); err != nil {
		return err
	}
	if a.Max < 1 || a.Max > maxPage {
		return fmt.Errorf("%w: a page of %d, want 1 to %d", reeve.ErrInvalid, a.Max, maxPage)
	}
	var answer struct {
		_     struct{} `cbor:",toarray"`
		Items []T
		Next  uint64
	}
	for _, e := range h.after(a.After) {
		answer.Items = append(answer.Items, f(e)...)
		if len(answer.Items) >= int(a.Max) {
			answer.Next = e.id
			break
		}
	}
	ReturnValue(c, answer)
	return nil
}

// after returns the objects that were made after the one with a number.
func (h *Host) after(id uint64) []*entry {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.SortedFunc(func(yield func(*entry) bool) {
		for e := range maps.Values(h.byID) {
			if e.id > id && !yield(e) {
				return
			}
		}
	}, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
}

// info is what operators see of an object.
func (e *entry) info() reeve.ObjectInfo {
	i := reeve.ObjectInfo{Ref: e.ref, Text: e.object.Describe(), Owner: e.owner, Made: e.made, Durable: e.store != nil}
	e.mu.Lock()
	clients := slices.Collect(maps.Keys(e.refs))
	e.mu.Unlock()
	i.Refs = len(clients)
	for _, cl := range clients[:min(len(clients), maxHolders)] {
		i.Holders = append(i.Holders, cl.String())
	}
	slices.Sort(i.Holders)
	return i
}

func (m *master) Lost(*Client)     {}
func (m *master) Gone(*Client)     {}
func (m *master) Close(error)      {}
func (m *master) Describe() string { return "the master" }

// returnDurable answers with ref when the object, if it is durable, is recorded so.
func (h *Host) returnDurable(c *Call, ref reeve.Ref) {
	b, err := codec.CBOR.Marshal(ref)
	if err != nil {
		c.Fail(err)
		return
	}
	var s *Store
	if e, err := h.lookup(ref); err == nil {
		s = e.store
	}
	c.ReturnRead(s, b)
}

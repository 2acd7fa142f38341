package container

import (
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// setObject is a set. It keeps the order in which the elements came.
type setObject struct{ table }

var setMethods = append(append([]method[*setObject]{
	reading("has", "(element) bool", (*setObject).has),
	reading("missing", "(elements) [places of those that are not there]", (*setObject).missing),
	reading("len", "() uint", (*setObject).length),
	changing("add", "(element, ttl) bool", (*setObject).add),
	changing("addmany", "(elements, ttl) [places of the new ones]", (*setObject).addMany),
	freeing("discard", "(element) bool", (*setObject).discard),
	freeing("remove", "(element)", (*setObject).removeCall),
	changing("pop", "() element", (*setObject).pop),
	changing("clear", "() uint", (*setObject).empty),
	changing("expire", "(element, ttl)", (*setObject).expireElement),
	reading("ttl", "(element) ns", (*setObject).ttlOf),
	reading("snapshot", "(max) page", (*setObject).snapshot),
	reading("changes", "(since, max) [version, missed, changes]", (*setObject).changesCall),
}, setAlgebra...), pageMethods[*setObject]()...)

func (s *setObject) describe() string { return count(s.order.len(), "element") }

func (s *setObject) has(c *shared.Call, a *args) error           { return s.hasCall(c, a) }
func (s *setObject) length(c *shared.Call, a *args) error        { return s.lenCall(c, a) }
func (s *setObject) empty(c *shared.Call, a *args) error         { return s.clearCall(c, a) }
func (s *setObject) expireElement(c *shared.Call, a *args) error { return s.expireCall(c, a) }
func (s *setObject) ttlOf(c *shared.Call, a *args) error         { return s.ttlCall(c, a) }
func (s *setObject) changesCall(c *shared.Call, a *args) error   { return s.changesOfKeys(c, a) }

// add answers whether the element is new. One that was there keeps its time to
// live.
func (s *setObject) add(c *shared.Call, a *args) error {
	element, expires := a.key(), s.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	if s.byKey[string(element)] != nil {
		return s.answer(c, boolAnswer(false))
	}
	if err := s.roomFor(element, nil); err != nil {
		return err
	}
	var ch shared.Change
	s.put(&ch, string(element), "", expires)
	return s.changed(c, &ch, boolAnswer(true))
}

// addMany adds all or none, and answers which of them are new.
func (s *setObject) addMany(c *shared.Call, a *args) error {
	elements, expires := a.keys(), s.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	if err := s.roomForAll(elements, nil); err != nil {
		return err
	}
	var ch shared.Change
	var places []byte
	n := 0
	for i, e := range elements {
		if s.byKey[string(e)] == nil {
			s.put(&ch, string(e), "", expires)
			places = appendUint(places, uint64(i))
			n++
		}
	}
	return s.changed(c, &ch, append(appendArray(nil, n), places...))
}

// missing answers which elements are not there.
func (s *setObject) missing(c *shared.Call, a *args) error {
	elements := a.keys()
	if err := a.done(c); err != nil {
		return err
	}
	var places []byte
	n := 0
	for i, e := range elements {
		if s.byKey[string(e)] == nil {
			places = appendUint(places, uint64(i))
			n++
		}
	}
	return s.answer(c, append(appendArray(nil, n), places...))
}

func (s *setObject) take(c *shared.Call, a *args) (*entry, error) {
	element := a.key()
	if err := a.done(c); err != nil {
		return nil, err
	}
	return s.byKey[string(element)], nil
}

// discard answers whether the element was there.
func (s *setObject) discard(c *shared.Call, a *args) error {
	e, err := s.take(c, a)
	if err != nil {
		return err
	}
	if e == nil {
		return s.answer(c, boolAnswer(false))
	}
	var ch shared.Change
	s.remove(&ch, e)
	return s.changed(c, &ch, boolAnswer(true))
}

// removeCall removes an element that has to be there.
func (s *setObject) removeCall(c *shared.Call, a *args) error {
	e, err := s.take(c, a)
	if err != nil {
		return err
	}
	if e == nil {
		return reeve.ErrNoSuchKey
	}
	var ch shared.Change
	s.remove(&ch, e)
	return s.changed(c, &ch, nil)
}

// pop takes out an element: the one that has been there longest.
func (s *setObject) pop(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	if s.order.len() == 0 {
		return fmt.Errorf("%w: the set is empty", reeve.ErrNoSuchKey)
	}
	var ch shared.Change
	e := s.order.at(0)
	s.remove(&ch, e)
	return s.changed(c, &ch, []byte(e.key))
}

// snapshot begins a snapshot.
func (s *setObject) snapshot(c *shared.Call, a *args) error {
	limit := a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	return s.pages(c, tableReader{s.order}, keysOfPage, limit)
}

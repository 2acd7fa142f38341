package container

import (
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// mapObject is a map, in the order of insertion as Python's dict: a key that is
// set again keeps its place. A namespace is one, too.
type mapObject struct{ table }

var mapMethods = append([]method[*mapObject]{
	reading("get", "(key) [value, version]", (*mapObject).get),
	reading("has", "(key) bool", (*mapObject).has),
	reading("len", "() uint", (*mapObject).length),
	changing("set", "(key, value, ttl) version", (*mapObject).set),
	changing("setdefault", "(key, value, ttl) [value, version, new]", (*mapObject).setDefault),
	freeing("delete", "(key)", (*mapObject).delete),
	changing("pop", "(key) value", (*mapObject).pop),
	changing("popitem", "() [key, value]", (*mapObject).popItem),
	changing("clear", "() uint", (*mapObject).empty),
	changing("cas", "(key, version, keep, value) [done, version, value]", (*mapObject).cas),
	changing("compareandswap", "(key, old, new) bool", (*mapObject).compareAndSwap),
	changing("expire", "(key, ttl)", (*mapObject).expireKey),
	reading("ttl", "(key) ns", (*mapObject).ttlOf),
	reading("getmany", "(keys) [done, missing, values]", (*mapObject).getMany),
	changing("setmany", "(keys, values, ttl) version", (*mapObject).setMany),
	changing("deletemany", "(keys) uint", (*mapObject).deleteMany),
	changing("mergefrom", "(ref) version", (*mapObject).mergeFrom),
	reading("snapshot", "(what, max) page", (*mapObject).snapshot),
	reading("changes", "(since, max) [version, missed, changes]", (*mapObject).changesCall),
}, pageMethods[*mapObject]()...)

func (m *mapObject) describe() string { return count(m.order.len(), "key") }

func (m *mapObject) has(c *shared.Call, a *args) error         { return m.hasCall(c, a) }
func (m *mapObject) length(c *shared.Call, a *args) error      { return m.lenCall(c, a) }
func (m *mapObject) empty(c *shared.Call, a *args) error       { return m.clearCall(c, a) }
func (m *mapObject) expireKey(c *shared.Call, a *args) error   { return m.expireCall(c, a) }
func (m *mapObject) ttlOf(c *shared.Call, a *args) error       { return m.ttlCall(c, a) }
func (m *mapObject) changesCall(c *shared.Call, a *args) error { return m.changesOfKeys(c, a) }

// withVersion is [value, version].
func (e *entry) withVersion() []byte {
	b := make([]byte, 0, len(e.value)+10)
	b = append(appendArray(b, 2), e.value...)
	return appendUint(b, e.version)
}

func (m *mapObject) get(c *shared.Call, a *args) error {
	key := a.key()
	if err := a.done(c); err != nil {
		return err
	}
	e := m.byKey[string(key)]
	if e == nil {
		return reeve.ErrNoSuchKey
	}
	return m.answer(c, e.withVersion())
}

func (m *mapObject) set(c *shared.Call, a *args) error {
	key, value, expires := a.key(), a.item(), m.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	if err := m.roomFor(key, value); err != nil {
		return err
	}
	var ch shared.Change
	e := m.put(&ch, string(key), string(value), expires)
	return m.changed(c, &ch, uintAnswer(e.version))
}

// setDefault sets a key unless it is there, and answers with what it has.
func (m *mapObject) setDefault(c *shared.Call, a *args) error {
	key, value, expires := a.key(), a.item(), m.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	e := m.byKey[string(key)]
	fresh := e == nil
	if fresh {
		if err := m.roomFor(key, value); err != nil {
			return err
		}
		e = m.put(&ch, string(key), string(value), expires)
	}
	b := append(appendArray(nil, 3), e.value...)
	b = appendBool(appendUint(b, e.version), fresh)
	if !fresh {
		return m.answer(c, b)
	}
	return m.changed(c, &ch, b)
}

// removed takes out the key of a call and returns what it had.
func (m *mapObject) removed(c *shared.Call, a *args, ch *shared.Change) (*entry, error) {
	key := a.key()
	if err := a.done(c); err != nil {
		return nil, err
	}
	e := m.byKey[string(key)]
	if e == nil {
		return nil, reeve.ErrNoSuchKey
	}
	m.remove(ch, e)
	return e, nil
}

func (m *mapObject) delete(c *shared.Call, a *args) error {
	var ch shared.Change
	if _, err := m.removed(c, a, &ch); err != nil {
		return err
	}
	return m.changed(c, &ch, nil)
}

func (m *mapObject) pop(c *shared.Call, a *args) error {
	var ch shared.Change
	e, err := m.removed(c, a, &ch)
	if err != nil {
		return err
	}
	return m.changed(c, &ch, []byte(e.value))
}

// popItem takes out the last key.
func (m *mapObject) popItem(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	n := m.order.len()
	if n == 0 {
		return fmt.Errorf("%w: the %s is empty", reeve.ErrNoSuchKey, m.kind)
	}
	var ch shared.Change
	e := m.order.at(n - 1)
	m.remove(&ch, e)
	b := append(appendArray(nil, 2), e.key...)
	return m.changed(c, &ch, append(b, e.value...))
}

// cas sets a key, or with keep false deletes it, if it has that version; 0: if it
// is not there. It keeps its time to live. The answer has what there is now.
func (m *mapObject) cas(c *shared.Call, a *args) error {
	key, version, keep, value := a.key(), a.uint(), a.bool(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	old := m.byKey[string(key)]
	if current := versionOf(old); current != version {
		return m.answer(c, casAnswer(false, old))
	}
	var ch shared.Change
	switch {
	case !keep && old == nil:
		return m.answer(c, casAnswer(true, nil))
	case !keep:
		m.remove(&ch, old)
		return m.changed(c, &ch, casAnswer(true, nil))
	}
	return m.replace(c, old, key, value, func(e *entry) []byte { return casAnswer(true, e) })
}

// replace sets a key without a change of its time to live.
func (m *mapObject) replace(c *shared.Call, old *entry, key, value []byte, answer func(*entry) []byte) error {
	if err := m.roomFor(key, value); err != nil {
		return err
	}
	expires := m.expiry()
	if old != nil {
		expires = old.expires
	}
	var ch shared.Change
	e := m.put(&ch, string(key), string(value), expires)
	return m.changed(c, &ch, answer(e))
}

func versionOf(e *entry) uint64 {
	if e == nil {
		return 0
	}
	return e.version
}

// casAnswer is [done, version, value], or [done, 0, nil] for a key that is not
// there.
func casAnswer(done bool, e *entry) []byte {
	b := appendBool(appendArray(nil, 3), done)
	b = appendUint(b, versionOf(e))
	if e == nil {
		return append(b, cborNil)
	}
	return append(b, e.value...)
}

// compareAndSwap sets a key that has the value old.
func (m *mapObject) compareAndSwap(c *shared.Call, a *args) error {
	key, old, value := a.key(), a.item(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	e := m.byKey[string(key)]
	if e == nil || e.value != string(old) {
		return m.answer(c, boolAnswer(false))
	}
	return m.replace(c, e, key, value, func(*entry) []byte { return boolAnswer(true) })
}

// snapshot begins a snapshot: of keys (1), values (2) or both (3), in the order in
// which they came, or (4 more) reversed.
func (m *mapObject) snapshot(c *shared.Call, a *args) error {
	what, limit := a.uint(), a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	return m.pages(c, tableReader{m.order}, what, limit)
}

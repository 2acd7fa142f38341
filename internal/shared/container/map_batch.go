package container

import (
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// Bounds of an answer to getmany; one value may be longer.
const (
	maxMany      = 50_000
	maxManyBytes = 4 << 20
)

// getMany answers with the values of keys, as far as they fit: of how many keys it
// tells, the places of those that are not there, and the values of the others.
func (m *mapObject) getMany(c *shared.Call, a *args) error {
	b := a.item()
	if err := a.done(c); err != nil {
		return err
	}
	major, n, keys, _ := head(b)
	if major != majorArray {
		return fmt.Errorf("%w: arguments of getmany: no array where one is wanted", reeve.ErrInvalid)
	}
	var missing []byte
	values := make([]byte, 0, 16*min(n, maxMany))
	absent, found := 0, 0
	for i := range min(n, maxMany) {
		rest, _ := skip(keys, maxDepth-1) // was seen before
		key := keys[:len(keys)-len(rest)]
		keys = rest
		e := m.byKey[string(key)]
		if e == nil {
			missing = appendUint(missing, i)
			absent++
			continue
		}
		if found > 0 && len(values)+len(e.value) > maxManyBytes {
			break
		}
		values = append(values, e.value...)
		found++
	}
	r := make([]byte, 0, len(missing)+len(values)+32)
	r = appendUint(appendArray(r, 3), uint64(absent+found))
	r = append(appendArray(r, absent), missing...)
	r = append(appendArray(r, found), values...)
	return m.answer(c, r)
}

// setMany sets keys, all or none.
func (m *mapObject) setMany(c *shared.Call, a *args) error {
	keys, values, expires := a.keys(), a.items(), m.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	if len(keys) != len(values) {
		return fmt.Errorf("%w: %d keys with %d values", reeve.ErrInvalid, len(keys), len(values))
	}
	if err := m.roomForAll(keys, values); err != nil {
		return err
	}
	var ch shared.Change
	for i, key := range keys {
		m.put(&ch, string(key), string(values[i]), expires)
	}
	return m.changed(c, &ch, uintAnswer(m.version))
}

// deleteMany deletes those of keys that are there.
func (m *mapObject) deleteMany(c *shared.Call, a *args) error {
	keys := a.keys()
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	n := 0
	for _, key := range keys {
		if e := m.byKey[string(key)]; e != nil {
			m.remove(&ch, e)
			n++
		}
	}
	return m.changed(c, &ch, uintAnswer(n))
}

// mergeFrom sets what another map has, in one step.
func (m *mapObject) mergeFrom(c *shared.Call, a *args) error {
	ref := a.ref()
	if err := a.done(c); err != nil {
		return err
	}
	return withOthers(c, &m.base, []reeve.Ref{ref}, func(others []*mapObject) error {
		other := others[0]
		if other == m {
			return m.answer(c, uintAnswer(m.version))
		}
		n, size := 0, int64(0)
		list := other.order.all()
		for _, e := range list {
			if old := m.byKey[e.key]; old != nil {
				size -= int64(len(old.value))
			} else {
				n++
				size += int64(len(e.key))
			}
			size += int64(len(e.value))
		}
		if err := m.room(m.order.len(), n, size); err != nil {
			return err
		}
		var ch shared.Change
		expires := m.expiry()
		for _, e := range list {
			m.put(&ch, e.key, e.value, expires)
		}
		return m.changed(c, &ch, uintAnswer(m.version))
	})
}

package container

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// entry is a key of a map or set, with its value. It does not change.
type entry struct {
	key     string
	value   string // "": there is none
	seq     uint64 // its place in the order of insertion
	version uint64 // of its last change
	expires time.Time
}

func (e *entry) size() int64 { return int64(len(e.key) + len(e.value)) }

// table has keys, found by their bytes and in the order in which they came.
type table struct {
	base
	ttl   time.Duration // of keys for which nothing else is said; 0: for ever
	byKey map[string]*entry
	order *tree[*entry]
	dues  dues
	last  uint64    // seq
	armed time.Time // when the timer goes off; zero: it does not
}

// tableSpec is the configuration of a map or set.
type tableSpec struct {
	limits
	TTL time.Duration `cbor:"3,keyasint,omitempty"`
}

func (t *table) init(spec []byte) error {
	b := &t.base
	var s tableSpec
	if err := b.configure(spec, &s, &s.limits); err != nil {
		return err
	}
	if s.TTL < 0 || s.TTL > maxTTL {
		return fmt.Errorf("%w: TTL %v of a %s, want 0 to %v", reeve.ErrInvalid, s.TTL, b.kind, maxTTL)
	}
	t.ttl, t.byKey = s.TTL, map[string]*entry{}
	return t.load(b.env.Entries)
}

// load takes over what a durable container had.
func (t *table) load(entries []shared.Entry) error {
	list := make([]*entry, 0, len(entries))
	for _, x := range entries {
		e, err := openEnvelope(x)
		if err != nil {
			return fmt.Errorf("an entry of the %s %v: %w", t.kind, t.env.Ref, err)
		}
		list = append(list, e)
		t.byKey[e.key] = e
		t.dues.set(e.key, e.expires)
		t.version, t.last = max(t.version, e.version), max(t.last, e.seq)
		t.bytes += e.size() + overhead
	}
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	t.order = newTree(list...)
	t.arm()
	return nil
}

// envelope is e as it is kept: [seq, version], and its value, if it has one.
func (e *entry) envelope() []byte {
	n := 2
	if e.value != "" {
		n = 3
	}
	b := appendUint(appendUint(appendArray(nil, n), e.seq), e.version)
	return append(b, e.value...)
}

func openEnvelope(x shared.Entry) (*entry, error) {
	a := newArgs(x.Value)
	e := &entry{key: x.Key, seq: a.uint(), version: a.uint(), expires: x.Expires}
	if a.n > 0 {
		e.value = string(a.item())
	}
	if a.err != nil {
		return nil, a.err
	}
	return e, nil
}

func (t *table) place(e *entry) int {
	return t.order.search(func(x *entry) bool { return x.seq < e.seq })
}

// put sets a key, which keeps its place if it is there.
func (t *table) put(ch *shared.Change, key, value string, expires time.Time) *entry {
	e := &entry{key: key, value: value, version: t.next(), expires: expires}
	if old := t.byKey[key]; old != nil {
		e.seq, e.key = old.seq, old.key
		t.order.set(t.place(old), e)
		t.bytes -= old.size()
	} else {
		t.last++
		e.seq = t.last
		t.order.insertAt(t.order.len(), e)
		t.bytes += overhead
	}
	t.bytes += e.size()
	t.byKey[e.key] = e
	t.dues.set(e.key, expires)
	t.arm()
	if t.durable() {
		ch.Put(e.key, e.envelope(), expires)
	}
	t.note(change{kind: changeSet, version: e.version, key: e.key, value: value, expires: expires})
	return e
}

// remove takes a key out, which is there.
func (t *table) remove(ch *shared.Change, e *entry) {
	t.drop(e, changeDeleted)
	if t.durable() {
		ch.Delete(e.key)
	}
}

func (t *table) drop(e *entry, kind uint64) {
	t.order.deleteAt(t.place(e))
	delete(t.byKey, e.key)
	t.bytes -= e.size() + overhead
	t.dues.set(e.key, time.Time{})
	t.note(change{kind: kind, version: t.next(), key: e.key})
}

// clear takes all keys out.
func (t *table) clear(ch *shared.Change) int {
	n := t.order.len()
	if n == 0 {
		return 0
	}
	if t.durable() {
		t.order.from(0, func(_ int, e *entry) bool {
			ch.Delete(e.key)
			return true
		})
	}
	t.byKey, t.order, t.dues, t.bytes = map[string]*entry{}, newTree[*entry](), dues{}, 0
	t.note(change{kind: changeCleared, version: t.next()})
	return n
}

// expire takes out what is due.
func (t *table) expire(now time.Time) {
	var ch shared.Change
	n := 0
	for at := t.dues.first(); !at.IsZero() && !at.After(now); at = t.dues.first() {
		e := t.byKey[t.dues.heap[0].key]
		t.drop(e, changeExpired)
		if n++; t.durable() {
			ch.Delete(e.key)
		}
	}
	if n > 0 {
		t.env.Store.Record(&ch)
		t.wake()
	}
	t.arm()
}

// arm has the timer go off when the next key is due, or before.
func (t *table) arm() {
	at := t.dues.first()
	if at.IsZero() || !t.armed.IsZero() && !at.Before(t.armed) {
		return
	}
	t.armed = at
	if t.timer == nil {
		t.timer = time.AfterFunc(time.Until(at), t.fire)
	} else {
		t.timer.Reset(time.Until(at))
	}
}

func (t *table) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed != nil {
		return
	}
	t.armed = time.Time{}
	t.expire(time.Now())
}

// roomFor is nil if key may have value.
func (t *table) roomFor(key, value []byte) error {
	if old := t.byKey[string(key)]; old != nil {
		return t.room(t.order.len(), 0, int64(len(value)-len(old.value)))
	}
	return t.room(t.order.len(), 1, int64(len(key)+len(value)))
}

// roomForAll is nil if all keys may have their values; nil: none has one.
func (t *table) roomForAll(keys, values [][]byte) error {
	n, size := 0, int64(0) // at most, whatever values go and keys come again
	for i, key := range keys {
		if t.byKey[string(key)] == nil {
			n++
			size += int64(len(key))
		}
		if values != nil {
			size += int64(len(values[i]))
		}
	}
	if t.room(t.order.len(), n, size) == nil {
		return nil
	}
	n, size = 0, 0
	seen := make(map[string]int, len(keys))
	for i, key := range keys {
		before, again := seen[string(key)]
		old := t.byKey[string(key)]
		switch {
		case again:
			size -= int64(before)
		case old != nil:
			size -= int64(len(old.value))
		default:
			n++
			size += int64(len(key))
		}
		length := 0
		if values != nil {
			length = len(values[i])
		}
		size += int64(length)
		seen[string(key)] = length
	}
	return t.room(t.order.len(), n, size)
}

// tableReader reads the entries of a table.
type tableReader struct{ order *tree[*entry] }

func (r tableReader) len() int       { return r.order.len() }
func (r tableReader) frozen() reader { return tableReader{r.order.clone()} }

func (r tableReader) each(i int, backward bool, f func(key, value string) bool) {
	r.order.each(i, backward, func(_ int, e *entry) bool { return f(e.key, e.value) })
}

package container

import (
	"time"

	"github.com/reeveq/reeve/internal/shared"
)

const (
	watchIdle    = time.Minute // for so long changes are noted for somebody who may come back for more
	ringLen      = 1 << 14
	ringBytes    = 16 << 20
	maxChanges   = 10_000
	changesBytes = 1 << 20
)

// watch is who waits for changes of a container, and which there were.
type watch struct {
	parked map[*shared.Call]watcher
	ring   *ring // nil: nobody watched of late
	last   time.Time
	timer  *time.Timer
}

// watcher is a call that waits for changes after a version.
type watcher struct {
	since uint64
	max   uint64
	tell  func(since, max uint64) []byte // nil: nothing to tell
}

// changes is the method by which a client waits for changes. tell makes the
// answer.
func (b *base) changes(c *shared.Call, a *args, tell func(since, max uint64) []byte) error {
	w := watcher{since: a.uint(), max: a.uint(), tell: tell}
	if err := a.done(c); err != nil {
		return err
	}
	if value := tell(w.since, w.max); value != nil {
		return b.answer(c, value)
	}
	if b.watch.parked == nil {
		b.watch.parked = map[*shared.Call]watcher{}
	}
	b.watch.parked[c] = w
	c.Park(func(error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watch.parked, c)
		b.watch.last = time.Now()
	})
	return nil
}

// wake answers who waits for what has happened.
func (b *base) wake() {
	for c, w := range b.watch.parked {
		if value := w.tell(w.since, w.max); value != nil {
			delete(b.watch.parked, c)
			b.watch.last = time.Now()
			c.ReturnRead(b.env.Store, value)
		}
	}
}

func (b *base) closeWatch(cause error) {
	for c := range b.watch.parked {
		delete(b.watch.parked, c)
		c.Fail(cause)
	}
	b.watch.ring = nil
	if b.watch.timer != nil {
		b.watch.timer.Stop()
	}
}

// changesOfState is changes for a container of which only the present state is
// told, as state makes it: [version, …].
func (b *base) changesOfState(c *shared.Call, a *args, state func() []byte) error {
	return b.changes(c, a, func(since, _ uint64) []byte {
		if since == b.version {
			return nil
		}
		return state()
	})
}

// Kinds of changes.
const (
	changeSet     = 1
	changeDeleted = 2
	changeExpired = 3
	changeCleared = 4
)

// change is one that is noted: of a key, or of all.
type change struct {
	kind    uint64
	version uint64
	key     string
	value   string
	expires time.Time
}

func (x *change) size() int { return len(x.key) + len(x.value) + overhead }

// ring has the last changes, all those after version from.
type ring struct {
	list  []change // the oldest first
	from  uint64
	bytes int
}

// note notes a change for those who watch.
func (b *base) note(x change) {
	r := b.watch.ring
	if r == nil {
		return
	}
	r.list = append(r.list, x)
	r.bytes += x.size()
	for len(r.list) > ringLen || r.bytes > ringBytes {
		r.bytes -= r.list[0].size()
		r.from = r.list[0].version
		r.list[0] = change{}
		r.list = r.list[1:]
	}
}

// startRing begins to note changes, until nobody has asked for them for a while.
func (b *base) startRing() {
	w := &b.watch
	w.last = time.Now()
	if w.ring != nil {
		return
	}
	w.ring = &ring{from: b.version}
	w.timer = time.AfterFunc(watchIdle, b.stopRing)
}

func (b *base) stopRing() {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &b.watch
	if w.ring == nil {
		return
	}
	wait := watchIdle - time.Since(w.last)
	if len(w.parked) > 0 {
		wait = watchIdle
	}
	if wait > 0 {
		w.timer.Reset(wait)
		return
	}
	w.ring = nil
}

// changesOfKeys is changes for a container of keys: [version, missed, changes],
// each [kind, version, key, value, expires in ns]. since 0 is answered at once
// with the version, and missed says that changes after since are not known.
func (b *base) changesOfKeys(c *shared.Call, a *args) error {
	b.startRing()
	return b.changes(c, a, b.changesSince)
}

func (b *base) changesSince(since, limit uint64) []byte {
	r := b.watch.ring
	switch {
	case since == 0:
		return changesAnswer(b.version, false, nil)
	case since < r.from, since > b.version: // the latter is of another life
		return changesAnswer(b.version, true, nil)
	case since == b.version:
		return nil
	}
	if limit == 0 || limit > maxChanges {
		limit = maxChanges
	}
	first := len(r.list) // the last ones are asked for most often
	for first > 0 && r.list[first-1].version > since {
		first--
	}
	list := r.list[first:]
	list = list[:min(limit, uint64(len(list)))]
	version, size := b.version, 0
	for i := range list {
		if size += len(list[i].key) + len(list[i].value); i > 0 && size > changesBytes {
			list = list[:i]
			break
		}
	}
	if first+len(list) < len(r.list) {
		version = list[len(list)-1].version
	}
	return changesAnswer(version, false, list)
}

func changesAnswer(version uint64, missed bool, list []change) []byte {
	b := appendArray(nil, 3)
	b = appendUint(b, version)
	b = appendBool(b, missed)
	b = appendArray(b, len(list))
	now := time.Now()
	for i := range list {
		x := &list[i]
		b = appendArray(b, 5)
		b = appendUint(b, x.kind)
		b = appendUint(b, x.version)
		b = appendItem(b, x.key)
		b = appendItem(b, x.value)
		b = appendInt(b, int64(left(x.expires, now)))
	}
	return b
}

// appendItem appends an item, or nil where there is none.
func appendItem(b []byte, item string) []byte {
	if item == "" {
		return append(b, cborNil)
	}
	return append(b, item...)
}

package container

import (
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

const (
	maxSnapshots  = 16  // of one client, of one container
	maxOpen       = 256 // of all clients, of one container
	snapshotIdle  = 30 * time.Second
	maxPage       = 10_000  // elements of a page
	maxPageBytes  = 1 << 20 // of a page, unless it has one element only
	keysOfPage    = 1
	valuesOfPage  = 2
	reversedPages = 4
)

// snapshot is what a container was at one time, for a client that reads it page
// by page. It ends when it is done, left alone, or its client is gone.
type snapshot struct {
	id      uint64
	client  *shared.Client
	version uint64
	what    uint64 // keysOfPage, valuesOfPage, reversedPages
	read    reader
	over    bool // all was read, but the last page may be asked for again
	timer   *time.Timer
}

// reader reads a sequence.
type reader interface {
	len() int
	// frozen reads what is there now, for ever.
	frozen() reader
	// each calls f with keys and values from place i on, until it returns false;
	// backward: towards the first.
	each(i int, backward bool, f func(key, value string) bool)
}

// snapshots are those of one container, the oldest first.
type snapshots struct {
	last uint64
	list []*snapshot
}

// pages answers c with the first page of r: the number of the snapshot for the
// others, or 0; the version, the length, and the elements.
func (b *base) pages(c *shared.Call, r reader, what, limit uint64) error {
	if what&(keysOfPage|valuesOfPage) == 0 || what > keysOfPage|valuesOfPage|reversedPages {
		return fmt.Errorf("%w: parts %d of a snapshot", reeve.ErrInvalid, what)
	}
	s := &snapshot{client: c.Client, version: b.version, what: what, read: r}
	body, n := s.page(0, limit)
	if n < r.len() {
		s.read = r.frozen()
		if err := b.openSnapshot(s); err != nil {
			return err
		}
	}
	return b.answer(c, append(s.head(), body...))
}

// head is the beginning of a page.
func (s *snapshot) head() []byte {
	b := appendArray(nil, 3+int(s.what&1)+int(s.what>>1&1))
	b = appendUint(b, s.id)
	b = appendUint(b, s.version)
	return appendUint(b, uint64(s.read.len()))
}

// page is the elements from place i on, and the place behind them.
func (s *snapshot) page(i int, limit uint64) (body []byte, end int) {
	if limit == 0 || limit > maxPage {
		limit = maxPage
	}
	var keys, values []byte
	n := 0
	s.read.each(i, s.what&reversedPages != 0, func(key, value string) bool {
		if s.what&keysOfPage == 0 {
			key = ""
		}
		if s.what&valuesOfPage == 0 {
			value = ""
		}
		if n > 0 && len(keys)+len(values)+len(key)+len(value) > maxPageBytes {
			return false
		}
		keys, values = append(keys, key...), append(values, value...)
		n++
		return n < int(limit)
	})
	if s.what&keysOfPage != 0 {
		body = append(appendArray(body, n), keys...)
	}
	if s.what&valuesOfPage != 0 {
		body = append(appendArray(body, n), values...)
	}
	return body, i + n
}

func (b *base) openSnapshot(s *snapshot) error {
	x := &b.snapshots
	mine := 0
	for _, other := range x.list {
		if other.client == s.client {
			mine++
		}
	}
	if mine >= maxSnapshots || len(x.list) >= maxOpen {
		i := slices.IndexFunc(x.list, func(o *snapshot) bool { return o.over && (o.client == s.client || mine < maxSnapshots) })
		if i < 0 {
			return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "open snapshots of a " + b.kind, Value: int64(mine) + 1, Max: maxSnapshots}
		}
		b.dropSnapshot(x.list[i])
	}
	x.last++
	s.id = x.last
	x.list = append(x.list, s)
	s.client.Mind(b.self)
	s.timer = time.AfterFunc(snapshotIdle, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.dropSnapshot(s)
	})
	return nil
}

// dropSnapshot ends a snapshot; again it does nothing.
func (b *base) dropSnapshot(s *snapshot) {
	b.dropSnapshots(func(x *snapshot) bool { return x == s })
}

func (b *base) dropSnapshots(which func(*snapshot) bool) {
	b.snapshots.list = slices.DeleteFunc(b.snapshots.list, func(s *snapshot) bool {
		if !which(s) {
			return false
		}
		s.timer.Stop()
		s.client.Forget(b.self)
		return true
	})
}

func (b *base) findSnapshot(c *shared.Call, id uint64) *snapshot {
	for _, s := range b.snapshots.list {
		if s.id == id && s.client == c.Client {
			return s
		}
	}
	return nil
}

// page answers with a further page of a snapshot.
func (b *base) page(c *shared.Call, a *args) error {
	id, from, limit := a.uint(), a.uint(), a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	s := b.findSnapshot(c, id)
	if s == nil {
		return fmt.Errorf("%w: snapshot %d of a %s: it is done, or was left alone for %v", reeve.ErrNoSuchObject, id, b.kind, snapshotIdle)
	}
	if from > uint64(s.read.len()) {
		return fmt.Errorf("%w: page from %d of %d", reeve.ErrOutOfRange, from, s.read.len())
	}
	body, end := s.page(int(from), limit)
	s.over = s.over || end == s.read.len()
	s.timer.Reset(snapshotIdle)
	return b.answer(c, append(s.head(), body...))
}

// endSnapshot is the method with which a client says that it reads no further.
func (b *base) endSnapshot(c *shared.Call, a *args) error {
	id := a.uint()
	if err := a.done(c); err != nil {
		return err
	}
	if s := b.findSnapshot(c, id); s != nil {
		b.dropSnapshot(s)
	}
	c.Return(nil)
	return nil
}

// pageMethods are those by which snapshots are read on.
func pageMethods[O object]() []method[O] {
	return []method[O]{
		reading("page", "(snapshot, from, max) page", func(o O, c *shared.Call, a *args) error { return o.common().page(c, a) }),
		reading("done", "(snapshot)", func(o O, c *shared.Call, a *args) error { return o.common().endSnapshot(c, a) }),
	}
}

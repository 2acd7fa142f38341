package queue

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// Objects keeps shared objects in the journal of the queues: which there are, and
// the entries of each. What they mean it does not know. Methods are safe for
// concurrent use.
type Objects struct {
	engine *Engine
	bytes  atomic.Int64 // of what lives

	mu     sync.Mutex // guards the fields below; taken after the objects' own mutexes
	byNo   map[uint32]*keptObject
	last   uint32 // number of an object that was given out last
	seq    uint64 // the same for entries
	recs   []byte
	recall func(ObjectCall) bool
}

// keptObject is where in the journal an object is.
type keptObject struct {
	what    record.Object
	said    journal.Pos // the frame that tells of it
	last    journal.Pos // the frame of the last change
	entries map[string]keptEntry
}

type keptEntry struct {
	seq  uint64 // of the record that has it
	size int64
}

// ObjectEntry is a key of an object and what it has from now on.
type ObjectEntry struct {
	Key     string
	Value   []byte
	Expires time.Time // zero: never
	Gone    bool      // there is no such key any more
}

// ObjectCall is a call that changed an object, by its caller's number.
type ObjectCall struct {
	Client ClientID
	Waits  bool // which of the two series Req is of
	Req    uint64
}

// aboutEntry is what the record of an entry takes besides its key and value.
const aboutEntry = 24

// Objects is where shared objects are kept; nil: there is no journal.
func (e *Engine) Objects() *Objects {
	if e.log == nil {
		return nil
	}
	return e.objects
}

func newObjects(e *Engine) *Objects {
	return &Objects{engine: e, byNo: map[uint32]*keptObject{}, recall: func(ObjectCall) bool { return true }}
}

// Room is nil when something can be recorded, or [reeve.ErrJournalFull].
func (o *Objects) Room() error {
	if o.engine.journalFull() {
		return reeve.ErrJournalFull
	}
	return nil
}

// SetRecall says how to find out whether the answer to a call is still remembered:
// it is asked, with nothing locked, when the journal is cleaned. f must not wait for
// the journal.
func (o *Objects) SetRecall(f func(ObjectCall) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recall = f
}

// Add records an object, and returns the number by which it goes from then on.
func (o *Objects) Add(typ, name string, config []byte) (no uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	x := &keptObject{what: record.Object{No: o.last, Type: typ, Name: name, Config: config}, entries: map[string]keptEntry{}}
	o.byNo[x.what.No] = x
	o.bytes.Add(x.size())
	x.said = o.note(record.AppendObject(o.recs[:0], &x.what), nil)
	x.last = x.said
	return x.what.No
}

// Drop records the end of an object, and has told called when that is durable, or
// never will be.
func (o *Objects) Drop(no uint32, told func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.byNo[no]
	if x == nil {
		o.engine.After(told)
		return
	}
	delete(o.byNo, no)
	o.free(x.size())
	o.note(record.AppendDrop(o.recs[:0], &record.Drop{Object: no}), told)
}

// size is about what the records of x take.
func (x *keptObject) size() int64 {
	size := aboutEntry + int64(len(x.what.Type)+len(x.what.Name)+len(x.what.Config))
	for _, e := range x.entries {
		size += e.size
	}
	return size
}

func (o *Objects) free(size int64) {
	o.bytes.Add(-size)
	o.engine.cleaner.freed.Add(size)
}

// Change records what a call did to an object, with its answer if by is not nil,
// as a whole, and has told called when that is durable, or never will be. It
// blocks for nothing. Changes of one object are recorded in the order of the calls.
func (o *Objects) Change(no uint32, entries []ObjectEntry, by *ObjectCall, answer []byte, told func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.byNo[no]
	if x == nil { // it was deleted meanwhile
		o.engine.After(told)
		return
	}
	recs := o.recs[:0]
	for i := range entries {
		e := &entries[i]
		if e.Gone {
			recs = record.AppendRemove(recs, &record.Remove{Object: no, Key: []byte(e.Key)})
		} else {
			o.seq++
			recs = record.AppendEntry(recs, &record.Entry{Object: no, Key: []byte(e.Key), Value: e.Value, Expires: nanosOf(e.Expires), Seq: o.seq})
		}
		x.set(o, e, o.seq)
	}
	if by != nil {
		if c := o.engine.clients.number(by.Client); c != 0 {
			recs = record.AppendAnswer(recs, &record.Answer{Client: c, Req: by.Req, Waits: by.Waits, Value: answer})
		}
	}
	if len(recs) == 0 {
		o.engine.After(told)
		return
	}
	x.last = o.note(recs, told)
}

// set notes which record has an entry.
func (x *keptObject) set(o *Objects, e *ObjectEntry, seq uint64) {
	if old, ok := x.entries[e.Key]; ok {
		o.free(old.size)
		delete(x.entries, e.Key)
	}
	if !e.Gone {
		size := aboutEntry + int64(len(e.Key)+len(e.Value))
		x.entries[e.Key] = keptEntry{seq, size}
		o.bytes.Add(size)
	}
}

// note records recs in a frame, and has told called when it is durable; nil:
// nobody waits for it.
func (o *Objects) note(recs []byte, told func(error)) journal.Pos {
	e := o.engine
	d, by := commit.Written, time.Duration(0)
	switch c := e.cfg.Durability; {
	case c == reeve.DurabilitySync:
		d = commit.Synced
	case c > 0:
		by = time.Duration(c)
	}
	var few [1]telling
	tells := few[:0]
	if told != nil {
		tells = append(tells, telling{call: told})
	}
	s := e.log.Enter()
	p := s.Pos()
	e.log.Leave(s, recs, tells, d, by)
	if o.recs = recs[:0]; cap(recs) > keptSection {
		o.recs = nil
	}
	return p
}

// Follow has told called when all changes of an object are durable; false: they
// are, and it is not called.
func (o *Objects) Follow(no uint32, told func(error)) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	x, l := o.byNo[no], o.engine.log
	return x != nil && x.last > l.Told() && l.Follow(x.last, telling{call: told})
}

func nanosOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// renew records anew what a record of frame p says of an object, if it is still
// so, and reports whether it is.
func (o *Objects) renew(p journal.Pos, kind record.Kind, body []byte) (lives bool, err error) {
	if kind == record.KindAnswer {
		return o.renewAnswer(body)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch kind {
	case record.KindObject:
		var r record.Object
		if err = r.Decode(body); err == nil {
			if x := o.byNo[r.No]; x != nil && x.said == p {
				x.said, lives = o.note(record.AppendObject(o.recs[:0], &x.what), nil), true
			}
		}
	case record.KindEntry:
		var r record.Entry
		if err = r.Decode(body); err == nil {
			x := o.byNo[r.Object]
			if x == nil {
				break
			}
			if e, ok := x.entries[string(r.Key)]; ok && e.seq == r.Seq {
				o.note(record.AppendEntry(o.recs[:0], &r), nil)
				lives = true
			}
		}
	}
	return lives, err
}

// renewAnswer is renew for an answer. Who remembers answers is asked with nothing
// locked: he may be about to record an object.
func (o *Objects) renewAnswer(body []byte) (lives bool, err error) {
	var r record.Answer
	if err := r.Decode(body); err != nil {
		return false, err
	}
	o.mu.Lock()
	recall := o.recall
	o.mu.Unlock()
	c := o.engine.clients.of(r.Client)
	if c == nil || !recall(ObjectCall{c.id, r.Waits, r.Req}) {
		return false, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note(record.AppendAnswer(o.recs[:0], &r), nil)
	return true, nil
}

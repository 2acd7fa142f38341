package queue

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// RestoredObject is a shared object that a journal has.
type RestoredObject struct {
	No         uint32
	Type, Name string
	Config     []byte
	Entries    []ObjectEntry
}

// RestoredAnswer is what a call returned whose caller may call again.
type RestoredAnswer struct {
	Call  ObjectCall
	Value []byte
}

// restoredObjects is what a replay gathers, until it is taken.
type restoredObjects struct {
	entries map[uint32]map[string]ObjectEntry
	answers map[answerKey][]byte
	order   []answerKey // of answers, as they were given
}

type answerKey struct {
	client uint32
	waits  bool
	req    uint64
}

// recover carries out one record of a journal that is being replayed.
func (o *Objects) recover(r *restoredObjects, p journal.Pos, kind record.Kind, body []byte) error {
	switch kind {
	case record.KindObject:
		var x record.Object
		if err := x.Decode(body); err != nil {
			return err
		}
		k := o.number(r, x.No)
		x.Config = bytes.Clone(x.Config)
		k.what, k.said = x, p
	case record.KindDrop:
		var x record.Drop
		if err := x.Decode(body); err != nil {
			return err
		}
		delete(o.byNo, x.Object)
		delete(r.entries, x.Object)
	case record.KindEntry:
		var x record.Entry
		if err := x.Decode(body); err != nil {
			return err
		}
		e := ObjectEntry{Key: string(x.Key), Value: bytes.Clone(x.Value)}
		if x.Expires != 0 {
			e.Expires = time.Unix(0, x.Expires)
		}
		o.number(r, x.Object).set(o, &e, x.Seq)
		r.entries[x.Object][e.Key] = e
		o.seq = max(o.seq, x.Seq)
	case record.KindRemove:
		var x record.Remove
		if err := x.Decode(body); err != nil {
			return err
		}
		e := ObjectEntry{Key: string(x.Key), Gone: true}
		o.number(r, x.Object).set(o, &e, 0)
		delete(r.entries[x.Object], e.Key)
	case record.KindAnswer:
		var x record.Answer
		if err := x.Decode(body); err != nil {
			return err
		}
		key := answerKey{x.Client, x.Waits, x.Req}
		if _, again := r.answers[key]; !again {
			r.order = append(r.order, key)
		}
		r.answers[key] = bytes.Clone(x.Value)
		o.engine.clients.byNumber(x.Client)
	}
	return nil
}

// number is the object with a number, of which its name may become known later.
func (o *Objects) number(r *restoredObjects, no uint32) *keptObject {
	x := o.byNo[no]
	if x == nil {
		x = &keptObject{entries: map[string]keptEntry{}}
		o.byNo[no] = x
		r.entries[no] = map[string]ObjectEntry{}
		o.last = max(o.last, no)
	}
	return x
}

// settle ends the replay: what belongs to an object that was dropped is no more,
// and counts no more.
func (o *Objects) settle(r *restoredObjects) {
	o.bytes.Store(0)
	for no, x := range o.byNo {
		if x.what.Name == "" { // its last records were those of a Drop that was trimmed with its Object
			delete(o.byNo, no)
			delete(r.entries, no)
			continue
		}
		o.bytes.Add(x.size())
	}
}

// TakeRestored returns the objects, and the answers in the order in which they
// were given, that the journal had. It can be called once.
func (o *Objects) TakeRestored() (objects []RestoredObject, answers []RestoredAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.engine.kept
	o.engine.kept = restoredObjects{}
	for _, no := range slices.Sorted(maps.Keys(r.entries)) {
		x := o.byNo[no].what
		objects = append(objects, RestoredObject{
			No: no, Type: x.Type, Name: x.Name, Config: x.Config, Entries: slices.Collect(maps.Values(r.entries[no])),
		})
	}
	for _, key := range r.order {
		if c := o.engine.clients.of(key.client); c != nil {
			answers = append(answers, RestoredAnswer{ObjectCall{c.id, key.waits, key.req}, r.answers[key]})
		}
	}
	return objects, answers
}

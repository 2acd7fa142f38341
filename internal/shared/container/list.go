package container

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// element is one of a list.
type element struct {
	order string // the key under which it is kept; "": it is not
	value string
}

// listObject is a list.
type listObject struct {
	base
	seq *tree[element]
}

var listMethods = slices.Concat([]method[*listObject]{
	reading("len", "() uint", (*listObject).lenCall),
	reading("get", "(index) value", (*listObject).get),
	changing("set", "(index, value)", (*listObject).set),
	freeing("delete", "(index)", (*listObject).deleteCall),
	changing("append", "(values) length", (*listObject).appendCall),
	changing("insert", "(index, value) length", (*listObject).insertCall),
	changing("pop", "(index) value", (*listObject).pop),
	freeing("remove", "(value)", (*listObject).removeCall),
	changing("clear", "() uint", (*listObject).clear),
	reading("count", "(value) uint", (*listObject).countCall),
	reading("index", "(value, start, stop) index", (*listObject).index),
	changing("compareandswap", "(index, old, new) bool", (*listObject).compareAndSwap),
	changing("repeat", "(times) length", (*listObject).repeat),
}, listSlices, listOrders, pageMethods[*listObject]())

func (l *listObject) init(spec []byte) error {
	var s limits
	if err := l.configure(spec, &s, &s); err != nil {
		return err
	}
	entries := slices.SortedFunc(slices.Values(l.env.Entries), func(a, b shared.Entry) int { return cmp.Compare(a.Key, b.Key) })
	items := make([]element, len(entries))
	for i, e := range entries {
		if _, _, ok := cutKey(e.Key); !ok {
			return fmt.Errorf("an entry of the list %v has the key %q", l.env.Ref, e.Key)
		}
		items[i] = element{e.Key, string(e.Value)}
		l.bytes += int64(len(e.Value)) + overhead
	}
	l.seq = newTree(items...)
	return nil
}

func (l *listObject) describe() string { return count(l.seq.len(), "element") }

// placeOf is the place of an index, which counts from the end if it is negative.
func placeOf(i int64, n int) (int, error) {
	at := i
	if at < 0 {
		at += int64(n)
	}
	if at < 0 || at >= int64(n) {
		return 0, fmt.Errorf("%w: %d of %d", reeve.ErrOutOfRange, i, n)
	}
	return int(at), nil
}

// clamp is the place before which an index stands that may be out of range.
func clamp(i int64, n int) int {
	if i < 0 {
		i += int64(n)
	}
	return int(min(max(i, 0), int64(n)))
}

// replace gives the element at a place another value.
func (l *listObject) replace(ch *shared.Change, i int, value string) {
	e := l.seq.at(i)
	l.bytes += int64(len(value) - len(e.value))
	e.value = value
	l.seq.set(i, e)
	l.version++
	if l.durable() {
		ch.Put(e.order, []byte(value), noExpiry)
	}
}

// insert puts values before place i.
func (l *listObject) insert(ch *shared.Change, i int, values []string) {
	if len(values) == 0 {
		return
	}
	items := make([]element, len(values))
	for k, v := range values {
		items[k].value = v
		l.bytes += int64(len(v)) + overhead
	}
	l.version++
	if !l.durable() {
		l.seq.insertAt(i, items...)
		return
	}
	if keys := make([]string, len(items)); keysBetween(l.orderAt(i-1), l.orderAt(i), keys) {
		for k := range items {
			items[k].order = keys[k]
			ch.Put(keys[k], []byte(items[k].value), noExpiry)
		}
		l.seq.insertAt(i, items...)
		return
	}
	l.seq.insertAt(i, items...)
	l.rekey(ch, i, i+len(items))
}

// orderAt is the key of the element at a place, or "" where there is none.
func (l *listObject) orderAt(i int) string {
	if i < 0 || i >= l.seq.len() {
		return ""
	}
	return l.seq.at(i).order
}

// cut takes out the elements from place i up to before j.
func (l *listObject) cut(ch *shared.Change, i, j int) {
	if i >= j {
		return
	}
	l.seq.from(i, func(at int, e element) bool {
		if at >= j {
			return false
		}
		l.bytes -= int64(len(e.value)) + overhead
		if l.durable() {
			ch.Delete(e.order)
		}
		return true
	})
	if j == i+1 {
		l.seq.deleteAt(i)
	} else {
		l.seq.deleteRange(i, j)
	}
	l.version++
}

// roomFor is nil if values may come in the place of n elements with size bytes.
func (l *listObject) roomFor(values [][]byte, n int, size int64) error {
	more := -size
	for _, v := range values {
		more += int64(len(v))
	}
	return l.room(l.seq.len(), len(values)-n, more)
}

func stringsOf(list [][]byte) []string {
	s := make([]string, len(list))
	for i, b := range list {
		s[i] = string(b)
	}
	return s
}

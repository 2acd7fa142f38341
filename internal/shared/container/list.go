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
	changing("delete", "(index)", (*listObject).deleteCall),
	changing("append", "(values) length", (*listObject).appendCall),
	changing("insert", "(index, value) length", (*listObject).insertCall),
	changing("pop", "(index) value", (*listObject).pop),
	changing("remove", "(value)", (*listObject).removeCall),
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

func (l *listObject) lenCall(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	return l.answer(c, uintAnswer(l.seq.len()))
}

func (l *listObject) get(c *shared.Call, a *args) error {
	index := a.int()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, l.seq.len())
	if err != nil {
		return err
	}
	return l.answer(c, []byte(l.seq.at(i).value))
}

func (l *listObject) set(c *shared.Call, a *args) error {
	index, value := a.int(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, l.seq.len())
	if err != nil {
		return err
	}
	if err := l.room(l.seq.len(), 0, int64(len(value)-len(l.seq.at(i).value))); err != nil {
		return err
	}
	var ch shared.Change
	l.replace(&ch, i, string(value))
	return l.changed(c, &ch, nil)
}

// compareAndSwap sets an element that has the value old.
func (l *listObject) compareAndSwap(c *shared.Call, a *args) error {
	index, old, value := a.int(), a.item(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, l.seq.len())
	if err != nil {
		return err
	}
	if l.seq.at(i).value != string(old) {
		return l.answer(c, boolAnswer(false))
	}
	if err := l.room(l.seq.len(), 0, int64(len(value)-len(old))); err != nil {
		return err
	}
	var ch shared.Change
	l.replace(&ch, i, string(value))
	return l.changed(c, &ch, boolAnswer(true))
}

func (l *listObject) deleteCall(c *shared.Call, a *args) error {
	index := a.int()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, l.seq.len())
	if err != nil {
		return err
	}
	var ch shared.Change
	l.cut(&ch, i, i+1)
	return l.changed(c, &ch, nil)
}

func (l *listObject) pop(c *shared.Call, a *args) error {
	index := a.int()
	if err := a.done(c); err != nil {
		return err
	}
	i, err := placeOf(index, l.seq.len())
	if err != nil {
		return err
	}
	var ch shared.Change
	value := l.seq.at(i).value
	l.cut(&ch, i, i+1)
	return l.changed(c, &ch, []byte(value))
}

func (l *listObject) appendCall(c *shared.Call, a *args) error {
	values := a.items()
	if err := a.done(c); err != nil {
		return err
	}
	if err := l.roomFor(values, 0, 0); err != nil {
		return err
	}
	var ch shared.Change
	l.insert(&ch, l.seq.len(), stringsOf(values))
	return l.changed(c, &ch, uintAnswer(l.seq.len()))
}

func (l *listObject) insertCall(c *shared.Call, a *args) error {
	index, value := a.int(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	if err := l.roomFor([][]byte{value}, 0, 0); err != nil {
		return err
	}
	var ch shared.Change
	l.insert(&ch, clamp(index, l.seq.len()), []string{string(value)})
	return l.changed(c, &ch, uintAnswer(l.seq.len()))
}

// find is the first place of a value from i up to before j, or -1.
func (l *listObject) find(value []byte, i, j int) int {
	found := -1
	l.seq.from(i, func(at int, e element) bool {
		if at < j && e.value == string(value) {
			found = at
		}
		return at < j && found < 0
	})
	return found
}

func (l *listObject) removeCall(c *shared.Call, a *args) error {
	value := a.item()
	if err := a.done(c); err != nil {
		return err
	}
	i := l.find(value, 0, l.seq.len())
	if i < 0 {
		return reeve.ErrNotFound
	}
	var ch shared.Change
	l.cut(&ch, i, i+1)
	return l.changed(c, &ch, nil)
}

func (l *listObject) index(c *shared.Call, a *args) error {
	value, start, stop := a.item(), a.optional(), a.optional()
	if err := a.done(c); err != nil {
		return err
	}
	i, j := 0, l.seq.len()
	if start != nil {
		i = clamp(*start, j)
	}
	if stop != nil {
		j = clamp(*stop, j)
	}
	at := l.find(value, i, j)
	if at < 0 {
		return reeve.ErrNotFound
	}
	return l.answer(c, uintAnswer(at))
}

func (l *listObject) countCall(c *shared.Call, a *args) error {
	value := a.item()
	if err := a.done(c); err != nil {
		return err
	}
	n := 0
	l.seq.from(0, func(_ int, e element) bool {
		if e.value == string(value) {
			n++
		}
		return true
	})
	return l.answer(c, uintAnswer(n))
}

func (l *listObject) clear(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	n := l.seq.len()
	l.cut(&ch, 0, n)
	return l.changed(c, &ch, uintAnswer(n))
}

// repeat makes the list so many times itself.
func (l *listObject) repeat(c *shared.Call, a *args) error {
	times := a.int()
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	n := l.seq.len()
	if times <= 0 {
		l.cut(&ch, 0, n)
		return l.changed(c, &ch, uintAnswer(0))
	}
	if more := times - 1; n > 0 && more > l.limits.MaxBytes/max(l.bytes, 1) {
		return l.room(n, 0, l.limits.MaxBytes+1)
	} else if err := l.room(n, int(more)*n, more*(l.bytes-int64(n)*overhead)); err != nil {
		return err
	} else if n > 0 {
		var values []string
		for _, e := range l.seq.all() {
			values = append(values, e.value)
		}
		l.insert(&ch, n, slices.Repeat(values, int(more)))
	}
	return l.changed(c, &ch, uintAnswer(l.seq.len()))
}

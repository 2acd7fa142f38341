package container

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// listOrders change the order of the elements, or wait for a change.
var listOrders = []method[*listObject]{
	changing("reverse", "()", (*listObject).reverse),
	changing("sort", "(reversed)", (*listObject).sort),
	changing("reorder", "(version, places) bool", (*listObject).reorder),
	reading("changes", "(since, max) [version, length]", (*listObject).changesCall),
}

var noExpiry time.Time

// rearrange gives the elements these values, in the places that they have.
func (l *listObject) rearrange(ch *shared.Change, values []string) {
	items := l.seq.all()
	for i := range items {
		if l.durable() && items[i].value != values[i] {
			ch.Put(items[i].order, []byte(values[i]), noExpiry)
		}
		items[i].value = values[i]
	}
	l.seq = newTree(items...)
	l.version++
}

func (l *listObject) values() []string {
	values := make([]string, 0, l.seq.len())
	l.seq.from(0, func(_ int, e element) bool {
		values = append(values, e.value)
		return true
	})
	return values
}

func (l *listObject) reverse(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	values := l.values()
	slices.Reverse(values)
	l.rearrange(&ch, values)
	return l.changed(c, &ch, nil)
}

// sort sorts elements that can be compared. Equal ones keep their order.
func (l *listObject) sort(c *shared.Call, a *args) error {
	reversed := a.bool()
	if err := a.done(c); err != nil {
		return err
	}
	values, err := sorted(l.values(), reversed)
	if err != nil {
		return err
	}
	var ch shared.Change
	l.rearrange(&ch, values)
	return l.changed(c, &ch, nil)
}

// reorder has the element of place places[i], 4 bytes each, come to place i, unless
// the list was changed since version. It is how clients sort by an order of their
// own.
func (l *listObject) reorder(c *shared.Call, a *args) error {
	version, places := a.uint(), a.text()
	if err := a.done(c); err != nil {
		return err
	}
	if version != l.version {
		return l.answer(c, boolAnswer(false))
	}
	n := l.seq.len()
	if len(places) != 4*n {
		return fmt.Errorf("%w: %d bytes of places for %d elements", reeve.ErrInvalid, len(places), n)
	}
	old, values, seen := l.values(), make([]string, n), make([]bool, n)
	for i := range values {
		p := binary.BigEndian.Uint32(places[4*i:])
		if uint64(p) >= uint64(n) || seen[p] {
			return fmt.Errorf("%w: place %d, out of range or for the second time", reeve.ErrInvalid, p)
		}
		seen[p] = true
		values[i] = old[p]
	}
	var ch shared.Change
	l.rearrange(&ch, values)
	return l.changed(c, &ch, boolAnswer(true))
}

func (l *listObject) changesCall(c *shared.Call, a *args) error {
	return l.changesOfState(c, a, func() []byte {
		return appendUint(appendUint(appendArray(nil, 2), l.version), uint64(l.seq.len()))
	})
}

// rekey gives new keys to the elements from place i up to before j, which have
// none yet, and to as many around them as it takes to have room for more.
func (l *listObject) rekey(ch *shared.Change, i, j int) {
	const room = 1 << 8 // labels for each
	n := l.seq.len()
	for wide := j - i + 32; ; wide *= 2 {
		i, j = max(i-wide, 0), min(j+wide, n)
		count := uint64(j - i)
		low, high := uint64(0), uint64(labels)
		switch {
		case i > 0:
			low, _, _ = cutKey(l.orderAt(i - 1))
			low++
		case j < n:
			high, _, _ = cutKey(l.orderAt(j))
			low = high - min(high, (count+1)*labelStep)
		}
		switch {
		case i == 0 && j == n:
			low = labels/2 - count/2*labelStep
			high = low + (count+1)*labelStep
		case j < n:
			high, _, _ = cutKey(l.orderAt(j))
		default:
			high = min(high, low+(count+1)*labelStep)
		}
		if i == 0 && j == n || high > low && (high-low)/(count+1) >= room {
			l.relabel(ch, i, j, low, (high-low)/(count+1))
			return
		}
	}
}

// relabel gives the elements from place i up to before j labels after low.
func (l *listObject) relabel(ch *shared.Change, i, j int, low, step uint64) {
	var items []element
	l.seq.from(i, func(at int, e element) bool {
		if at < j {
			items = append(items, e)
		}
		return at < j
	})
	for k := range items {
		if items[k].order != "" {
			ch.Delete(items[k].order)
		}
	}
	for k := range items {
		items[k].order = label(low + uint64(k+1)*step)
		ch.Put(items[k].order, []byte(items[k].value), noExpiry)
		l.seq.set(i+k, items[k])
	}
}

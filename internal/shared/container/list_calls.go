package container

import (
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

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
		return l.room(n, 0, l.limits.MaxBytes) // it is more
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

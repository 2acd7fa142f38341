package queue

import (
	"slices"

	"github.com/reeveq/reeve"
)

// What an attempt that did not succeed is remembered with. The latest stack is
// kept whole, up to reeve.MaxErrorText; of those before it a beginning is enough
// to tell whether it was the same.
const (
	historyError = 1 << 10
	historyStack = 2 << 10
)

// recordOverhead is what a record takes besides its texts.
const recordOverhead = 128

// appendHistory adds r to h, the attempts of a task from the oldest on. The
// oldest go, so that there are most, and that they take at most room bytes more
// than before; if that does not do, the texts of r are cut, and at last r is
// left out. h is changed, and is the caller's no more.
func appendHistory(h []reeve.AttemptRecord, r reeve.AttemptRecord, most int, room int64) []reeve.AttemptRecord {
	room += historySize(h)
	for i := len(h) - 1; i >= 0 && r.Stack != ""; i-- {
		if h[i].Stack != "" {
			h[i].Stack = cut(h[i].Stack, historyStack)
			break // those before it were cut before
		}
	}
	over, size := max(0, len(h)+1-most), historySize(h)
	size -= historySize(h[:over])
	least := recordOverhead + int64(len(r.Worker))
	for ; over < len(h) && size+least > room; over++ {
		size -= recordSize(&h[over])
	}
	h = slices.Delete(h, 0, over)
	if room -= size + least; room < 0 {
		return h
	}
	r.Error = cut(r.Error, min(historyError, room))
	r.Stack = cut(r.Stack, min(reeve.MaxErrorText, room-int64(len(r.Error))))
	if n := len(h); n == cap(h) { // no room for more than there may be
		h = append(make([]reeve.AttemptRecord, 0, max(n+1, min(2*n, most))), h...)
	}
	return append(h, r)
}

// trimHistory makes what was read of t's history, record by record, what its
// queue keeps of it.
func (t *task) trimHistory(most int) {
	if t.past == nil {
		return
	}
	h := t.past.history
	h = h[max(0, len(h)-most):]
	whole := true // the latest stack
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Stack != "" {
			if !whole {
				h[i].Stack = cut(h[i].Stack, historyStack)
			}
			whole = false
		}
	}
	t.past.history = h
}

// historySize is what records count for against MaxBytes.
func historySize(h []reeve.AttemptRecord) int64 {
	n := int64(0)
	for i := range h {
		n += recordSize(&h[i])
	}
	return n
}

func recordSize(r *reeve.AttemptRecord) int64 {
	return recordOverhead + int64(len(r.Worker)+len(r.Error)+len(r.Stack))
}

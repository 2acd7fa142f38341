package proxy

import (
	"iter"

	"github.com/reeveq/reeve"
)

// leases are those that a client holds, by task. Tasks that come together have ids
// that follow each other, so they stand together in pages: a map of all of them
// took an eighth of a worker's time.
type leases struct {
	pages map[reeve.ID]*leasePage
	n     int

	last   *leasePage // used last; nil: none
	lastNo reeve.ID
	spare  *leasePage // an empty one, to be used again
}

// leasePageBits is small: of a queue with many workers each has few in a row.
const leasePageBits = 4

type leasePage struct {
	held [1 << leasePageBits]held // with a nil lease where there is none
	n    int
}

func (t *leases) page(no reeve.ID) *leasePage {
	if t.last != nil && t.lastNo == no {
		return t.last
	}
	p := t.pages[no]
	if p != nil {
		t.last, t.lastNo = p, no
	}
	return p
}

// at is the entry of a task; nil: there is none.
func (t *leases) at(id reeve.ID) *held {
	if p := t.page(id >> leasePageBits); p != nil {
		if h := &p.held[id&(1<<leasePageBits-1)]; h.lease != nil {
			return h
		}
	}
	return nil
}

// add adds an entry for a task that has none.
func (t *leases) add(id reeve.ID, h held) {
	no := id >> leasePageBits
	p := t.page(no)
	if p == nil {
		if p, t.spare = t.spare, nil; p == nil {
			p = &leasePage{}
		}
		if t.pages == nil {
			t.pages = map[reeve.ID]*leasePage{}
		}
		t.pages[no] = p
		t.last, t.lastNo = p, no
	}
	p.held[id&(1<<leasePageBits-1)] = h
	p.n++
	t.n++
}

// remove removes the entry of a task, which has one.
func (t *leases) remove(id reeve.ID) {
	no := id >> leasePageBits
	p := t.page(no)
	p.held[id&(1<<leasePageBits-1)] = held{}
	t.n--
	if p.n--; p.n == 0 {
		delete(t.pages, no)
		t.last, t.spare = nil, p
	}
}

// all goes through the entries, in no order. They may be removed meanwhile.
func (t *leases) all() iter.Seq[*held] {
	return func(yield func(*held) bool) {
		for _, p := range t.pages {
			for i := range p.held {
				if p.held[i].lease != nil && !yield(&p.held[i]) {
					return
				}
			}
		}
	}
}

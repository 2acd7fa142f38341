package queue

import (
	"iter"

	"github.com/reeveq/reeve"
)

// table finds tasks by their id. Tasks put one after another have ids that
// follow each other and are mostly settled one after another, so they stand
// together in pages: with a million tasks, a map of all of them would miss the
// processor's caches at every step.
type table struct {
	pages map[reeve.ID]*page
	n     int // tasks
	peak  int // the most pages the map held
	order pageOrder
	went  uint32 // counts pages that were removed

	last   *page // used last; nil: none
	lastNo reeve.ID
	spare  *page // an empty one, to be used again
}

// pageBits is small, because a queue that gets few of the ids has few tasks in
// a page.
const pageBits = 4

type page struct {
	tasks [1 << pageBits]*task
	n     int
}

// slot is where the task id stands in its page.
func slot(id reeve.ID) int { return int(id & (1<<pageBits - 1)) }

func (b *table) page(no reeve.ID) *page {
	if b.last != nil && b.lastNo == no {
		return b.last
	}
	p := b.pages[no]
	if p != nil {
		b.last, b.lastNo = p, no
	}
	return p
}

// get returns the task id, or nil.
func (b *table) get(id reeve.ID) *task {
	if p := b.page(id >> pageBits); p != nil {
		return p.tasks[slot(id)]
	}
	return nil
}

// add adds t, whose id is not there yet.
func (b *table) add(t *task) {
	no := t.id >> pageBits
	p := b.page(no)
	if p == nil {
		if p, b.spare = b.spare, nil; p == nil {
			p = &page{}
		}
		if b.pages == nil {
			b.pages = map[reeve.ID]*page{}
		}
		b.pages[no] = p
		b.last, b.lastNo = p, no
		b.peak = max(b.peak, len(b.pages))
		b.order.add(no)
	}
	p.tasks[slot(t.id)] = t
	p.n++
	b.n++
}

// remove removes the task id, which is there.
func (b *table) remove(id reeve.ID) {
	no := id >> pageBits
	p := b.page(no)
	p.tasks[slot(id)] = nil
	b.n--
	if p.n--; p.n > 0 {
		return
	}
	delete(b.pages, no)
	b.order.remove(no, b.pages)
	b.went++
	b.last, b.spare = nil, p
	b.shrink()
}

// shrink gives back the memory of what is gone: a map keeps that of the most
// it ever held.
func (b *table) shrink() {
	if b.peak < 1<<10 || len(b.pages) > b.peak/16 {
		return
	}
	kept := make(map[reeve.ID]*page, len(b.pages))
	for no, p := range b.pages {
		kept[no] = p
	}
	b.pages, b.peak = kept, len(kept)
}

// all goes through the tasks, in no order. They may be removed meanwhile.
func (b *table) all() iter.Seq[*task] {
	return func(yield func(*task) bool) {
		for _, p := range b.pages {
			for _, t := range p.tasks {
				if t != nil && !yield(t) {
					return
				}
			}
		}
	}
}

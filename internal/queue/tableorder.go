package queue

import (
	"iter"
	"slices"

	"github.com/reeveq/reeve"
)

// pageOrder knows the numbers of a table's pages in their order. It costs next
// to nothing where they come in that order and go from either end, as they do:
// the others are put in their place when someone wants to go through them, and
// those that went from the middle are left in until they are too many.
type pageOrder struct {
	nos  []reeve.ID // sorted from head on; some may be of pages that are gone
	head int
	late []reeve.ID // not yet among nos, and not sorted
}

// add notes a page that is not there.
func (o *pageOrder) add(no reeve.ID) {
	n := len(o.nos)
	switch {
	case n == o.head || o.nos[n-1] < no:
		if n == cap(o.nos) && o.head > n/2 {
			n = copy(o.nos, o.nos[o.head:])
			o.nos, o.head = o.nos[:n], 0
		}
		o.nos = append(o.nos, no)
	case o.nos[n-1] > no:
		o.late = append(o.late, no)
	}
}

// gone is how many of the numbers noted are not of pages that are there.
func (o *pageOrder) gone(pages map[reeve.ID]*page) int {
	return len(o.nos) - o.head + len(o.late) - len(pages)
}

// remove notes that the page no is not among pages any more.
func (o *pageOrder) remove(no reeve.ID, pages map[reeve.ID]*page) {
	switch n := len(o.nos); {
	case n > o.head && o.nos[n-1] == no:
		o.nos = o.nos[:n-1]
		for n = len(o.nos); n > o.head && o.gone(pages) > 0 && pages[o.nos[n-1]] == nil; n-- {
			o.nos = o.nos[:n-1]
		}
	case n > o.head && o.nos[o.head] == no:
		o.head++
		for o.head < n && o.gone(pages) > 0 && pages[o.nos[o.head]] == nil {
			o.head++
		}
	default:
		if o.gone(pages) <= len(pages)+64 {
			return
		}
		o.merge()
		o.nos = slices.DeleteFunc(o.nos[o.head:], func(no reeve.ID) bool { return pages[no] == nil })
		o.head = 0
	}
	if n := len(o.nos) - o.head; cap(o.nos) >= 1<<10 && n < cap(o.nos)/8 {
		o.nos, o.head = append(make([]reeve.ID, 0, 2*n), o.nos[o.head:]...), 0
	}
}

// merge puts the late ones in their places.
func (o *pageOrder) merge() {
	if len(o.late) == 0 {
		return
	}
	slices.Sort(o.late)
	late := slices.DeleteFunc(slices.Compact(o.late), func(no reeve.ID) bool {
		_, there := slices.BinarySearch(o.nos[o.head:], no)
		return there
	})
	i, j := len(o.nos)-1, len(late)-1
	o.nos = append(o.nos, late...)
	for to := len(o.nos) - 1; j >= 0; to-- {
		if i >= o.head && o.nos[i] > late[j] {
			o.nos[to] = o.nos[i]
			i--
		} else {
			o.nos[to] = late[j]
			j--
		}
	}
	if o.late = o.late[:0]; cap(o.late) >= 1<<10 {
		o.late = nil
	}
}

// seek returns where the first number from no on stands in nos; len(nos):
// there is none. guess is where it probably stands.
func (o *pageOrder) seek(no reeve.ID, guess int) int {
	o.merge()
	if guess >= o.head && guess < len(o.nos) && o.nos[guess] >= no && (guess == o.head || o.nos[guess-1] < no) {
		return guess
	}
	i, _ := slices.BinarySearch(o.nos[o.head:], no)
	return o.head + i
}

// from goes through the tasks with ids after after, in the order of the ids.
// Meanwhile tasks may be removed, and others be added.
func (b *table) from(after reeve.ID) iter.Seq[*task] {
	return func(yield func(*task) bool) {
		at := -1
	pages:
		for id := after + 1; id != 0; { // after the last id there is comes 0
			if at = b.order.seek(id>>pageBits, at); at == len(b.order.nos) {
				return
			}
			no := b.order.nos[at]
			id = max(id, no<<pageBits)
			if p := b.pages[no]; p != nil {
				for i := slot(id); i < len(p.tasks); i++ {
					t := p.tasks[i]
					if t == nil {
						continue
					}
					went := b.went
					if !yield(t) {
						return
					}
					if b.went != went { // p may be gone, or be another page by now
						id = no<<pageBits + reeve.ID(i) + 1
						continue pages
					}
				}
			}
			id = (no + 1) << pageBits
			at++
		}
	}
}

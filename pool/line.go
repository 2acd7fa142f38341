package pool

// line is a queue of items, from which some may be taken out of turn. The zero
// value is empty.
type line struct {
	items  []*item
	head   int
	cursor int // where the next round begins, counted from head
}

func (l *line) len() int { return len(l.items) - l.head }

func (l *line) push(it *item) { l.items = append(l.items, it) }

// pop takes the first; nil: there is none.
func (l *line) pop() *item {
	if l.len() == 0 {
		return nil
	}
	it := l.items[l.head]
	l.items[l.head] = nil
	l.head++
	l.cursor = max(0, l.cursor-1)
	switch {
	case l.len() == 0:
		*l = line{}
	case l.head > 64 && l.head > len(l.items)/2: // what is before head is no use
		l.items = append([]*item(nil), l.items[l.head:]...)
		l.head = 0
	}
	return it
}

// round returns the next up to n, beginning where the last round ended. They
// stay.
func (l *line) round(n int) []*item {
	if l.cursor >= l.len() {
		l.cursor = 0
	}
	begin := l.head + l.cursor
	end := min(begin+n, len(l.items))
	l.cursor += end - begin
	return append([]*item(nil), l.items[begin:end]...)
}

// take takes those of some that are still there.
func (l *line) take(some []*item) []*item {
	wanted := make(map[*item]bool, len(some))
	for _, it := range some {
		wanted[it] = true
	}
	var taken []*item
	kept := make([]*item, 0, l.len())
	cursor := l.cursor
	for i, it := range l.items[l.head:] {
		if !wanted[it] {
			kept = append(kept, it)
			continue
		}
		taken = append(taken, it)
		if i < l.cursor {
			cursor--
		}
	}
	*l = line{items: kept, cursor: cursor}
	return taken
}

package queue

// taker is a place in the round of those who can take a task now: a consumer
// with a free slot, or a waiting Get.
type taker struct {
	consumer   *Consumer // or
	get        *GetOp
	hold       *hold
	profile    *profile
	list       *takers // it stands in: its profile's, or its hold's aside; nil: neither
	prev, next *taker
}

// takers is the round: the head takes next.
type takers struct {
	head, tail *taker
	n          int
}

func (l *takers) add(t *taker) {
	if t.list != nil {
		return
	}
	t.list = l
	t.countGet(1)
	t.prev, t.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = t
	} else {
		l.head = t
	}
	l.tail = t
	l.n++
	t.hold.queue.changed(t.profile)
}

// addFirst puts t, which is in no list, before all others.
func (l *takers) addFirst(t *taker) {
	l.add(t)
	if l.head == t {
		return
	}
	l.tail = t.prev
	l.tail.next = nil
	t.prev, t.next = nil, l.head
	l.head.prev = t
	l.head = t
}

// leave takes t out of the list it stands in, if any.
func (t *taker) leave() {
	l := t.list
	if l == nil {
		return
	}
	t.list = nil
	t.countGet(-1)
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		l.head = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		l.tail = t.prev
	}
	t.prev, t.next = nil, nil
	l.n--
	t.hold.queue.changed(t.profile)
}

// countGet counts a Get that begins to wait or ends.
func (t *taker) countGet(n int) {
	if t.get != nil {
		t.hold.queue.gets += n
		t.hold.queue.freeSlots += n * t.get.Max
	}
}

// rotate moves t to the end.
func (l *takers) rotate(t *taker) {
	if l.tail != t {
		t.leave()
		l.add(t)
	}
}

package proxy

// pending holds the calls that have a request id and no answer yet. Ids are
// consecutive over the client's life, so a ring indexed by id is all it takes.
type pending struct {
	low  uint64 // the lowest id without an answer; next when there is none
	next uint64 // the id the next call gets
	n    int
	ring []*call // a power of two long; the call of id stands at id modulo that

	bytes [lanes]int64 // weights, by lane
}

const minRing = 64

func newPending() pending {
	return pending{low: 1, next: 1, ring: make([]*call, minRing)}
}

// span is how many ids lie between the lowest unanswered one and the next.
func (p *pending) span() uint64 { return p.next - p.low }

func (p *pending) at(id uint64) **call { return &p.ring[id&uint64(len(p.ring)-1)] }

// add gives k the next id.
func (p *pending) add(k *call) {
	if p.span() == uint64(len(p.ring)) {
		old := *p
		p.ring = make([]*call, 2*len(p.ring))
		for id := p.low; id < p.next; id++ {
			*p.at(id) = *old.at(id)
		}
	}
	k.id = p.next
	*p.at(k.id) = k
	p.next++
	p.n++
	p.bytes[k.lane()] += k.weight
}

// get returns the call that waits for the answer to id, or nil.
func (p *pending) get(id uint64) *call {
	if id < p.low || id >= p.next {
		return nil
	}
	return *p.at(id)
}

// remove takes k out: it has its answer, or needs none any more.
func (p *pending) remove(k *call) {
	*p.at(k.id) = nil
	p.n--
	p.bytes[k.lane()] -= k.weight
	for p.low < p.next && *p.at(p.low) == nil {
		p.low++
	}
}

// all returns the calls in the order of their ids.
func (p *pending) all() []*call {
	calls := make([]*call, 0, p.n)
	for id := p.low; id < p.next; id++ {
		if k := *p.at(id); k != nil {
			calls = append(calls, k)
		}
	}
	return calls
}

// callList is a list of calls that wait for their turn to be asked. A call is
// in one list at most.
type callList struct {
	head, tail *call
	n          int
}

func (l *callList) push(k *call) {
	k.list, k.prev, k.next = l, l.tail, nil
	if l.tail == nil {
		l.head = k
	} else {
		l.tail.next = k
	}
	l.tail = k
	l.n++
}

func (l *callList) pushFront(k *call) {
	k.list, k.prev, k.next = l, nil, l.head
	if l.head == nil {
		l.tail = k
	} else {
		l.head.prev = k
	}
	l.head = k
	l.n++
}

func (l *callList) remove(k *call) {
	if k.prev == nil {
		l.head = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		l.tail = k.prev
	} else {
		k.next.prev = k.prev
	}
	k.list, k.prev, k.next = nil, nil, nil
	l.n--
}

func (l *callList) pop() *call {
	k := l.head
	if k != nil {
		l.remove(k)
	}
	return k
}

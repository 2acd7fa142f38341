package limit

// blockItems is how many items a queue allocates room for at a time.
const blockItems = 512

// fifo holds payloads in blocks, so that a long queue is never copied.
type fifo struct {
	blocks [][]([]byte) // the first from head on, the last not full
	head   int
	count  int
}

func (f *fifo) push(payload []byte) {
	if f.head == 0 && f.count == 0 && len(f.blocks) > 0 {
		f.blocks[0] = f.blocks[0][:0]
	}
	last := len(f.blocks) - 1
	if last < 0 || len(f.blocks[last]) == blockItems {
		f.blocks = append(f.blocks, make([][]byte, 0, blockItems))
		last++
	}
	f.blocks[last] = append(f.blocks[last], payload)
	f.count++
}

// pop takes the oldest. There is one.
func (f *fifo) pop() []byte {
	block := f.blocks[0]
	payload := block[f.head]
	block[f.head] = nil
	f.head++
	f.count--
	switch {
	case f.count == 0:
		f.head = 0
		f.blocks = f.blocks[:1]
		f.blocks[0] = block[:0]
	case f.head == blockItems:
		f.head = 0
		f.blocks = f.blocks[1:]
	}
	return payload
}

// queue hands items to the consumers that have credit. The server's mu guards it.
type queue struct {
	items   fifo
	ready   []*consumer // have credit, and are listed; in turns
	changed bool        // is to be dispatched
}

// consumer is a client's. The server's mu guards it.
type consumer struct {
	peer   *peer
	queue  *queue
	number uint32
	credit int
	listed bool // in queue.ready
	gone   bool
}

// grant gives credit, and returns the queue, which is to be dispatched.
func (c *consumer) grant(n int) *queue {
	c.credit += n
	if !c.listed && !c.gone {
		c.listed = true
		c.queue.ready = append(c.queue.ready, c)
	}
	return c.queue
}

// dispatch hands over what there is credit for, to each consumer as much as it
// takes and then to the next, and adds the peers that have something to write
// to touched.
func (q *queue) dispatch(touched []*peer) []*peer {
	q.changed = false
	for q.items.count > 0 && len(q.ready) > 0 {
		c := q.ready[0]
		q.ready = q.ready[1:]
		c.listed = false
		if c.gone {
			continue
		}
		n := min(c.credit, q.items.count)
		c.peer.out.mu.Lock()
		for range n {
			payload := q.items.pop()
			id := c.peer.leases.add(c, payload)
			c.peer.out.deliveries = append(c.peer.out.deliveries, delivery{id, c.number, payload})
		}
		c.credit -= n
		if c.credit > 0 {
			c.listed = true
			q.ready = append(q.ready, c)
		}
		c.peer.out.leased = c.peer.leases.bytes
		c.peer.out.mu.Unlock()
		if !c.peer.touched {
			c.peer.touched = true
			touched = append(touched, c.peer)
		}
	}
	return touched
}

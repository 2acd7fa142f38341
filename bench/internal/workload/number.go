package workload

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The queues of the workloads.
const (
	tasksQueue   = "tasks"
	resultsQueue = "results"
)

// itemBytes is how long a task and a result are: a number of 8 bytes, the
// highest first, and zeros.
const itemBytes = 100

// maker makes payloads with numbers, many of them in one piece of memory.
type maker struct {
	slab  []byte
	slots [][]byte
}

const makerItems = 256

// list returns a list of n payloads to be filled in, which belongs to the caller.
func (p *maker) list(n int) [][]byte {
	if n > makerItems {
		return make([][]byte, n)
	}
	if len(p.slots) < n {
		p.slots = make([][]byte, makerItems)
	}
	list := p.slots[:n:n]
	p.slots = p.slots[n:]
	return list
}

// numbers returns n payloads with numbers from first on.
func (p *maker) numbers(first, n int) [][]byte {
	list := p.list(n)
	for i := range list {
		list[i] = p.item(uint64(first + i))
	}
	return list
}

// item returns a payload with a number.
func (p *maker) item(n uint64) []byte {
	if len(p.slab) == 0 {
		p.slab = make([]byte, makerItems*itemBytes)
	}
	item := p.slab[:itemBytes:itemBytes]
	p.slab = p.slab[itemBytes:]
	binary.BigEndian.PutUint64(item, n)
	return item
}

// result returns the result of a task: n·n for n, or what is no result of any
// for what is no task.
func (p *maker) result(task []byte) []byte {
	if len(task) < 8 {
		return nil
	}
	n := binary.BigEndian.Uint64(task)
	return p.item(n * n)
}

// checklist takes note of results: each of so many tasks has to be there once.
type checklist struct {
	first uint64
	seen  []uint64 // a bit for each
	left  int
}

func newChecklist(first, n int) *checklist {
	return &checklist{first: uint64(first), seen: make([]uint64, (n+63)/64), left: n}
}

// note takes a result, or returns what is wrong with it.
func (c *checklist) note(payload []byte) error {
	if len(payload) != itemBytes {
		return fmt.Errorf("a result has %d bytes, not %d", len(payload), itemBytes)
	}
	square := binary.BigEndian.Uint64(payload)
	n := uint64(math.Round(math.Sqrt(float64(square))))
	i := n - c.first
	if n*n != square || i/64 >= uint64(len(c.seen)) {
		return fmt.Errorf("%d is the result of no task", square)
	}
	if c.seen[i/64]&(1<<(i%64)) != 0 {
		return fmt.Errorf("the result of task %d came twice", n)
	}
	c.seen[i/64] |= 1 << (i % 64)
	c.left--
	return nil
}

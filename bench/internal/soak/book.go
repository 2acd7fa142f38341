package soak

import (
	"fmt"
	"sync"
)

// book is what everybody was told, and judges whether all of it holds:
//
//   - a task whose put was acknowledged has exactly one result, and the right
//     one, unless its cancel was acknowledged: then it has none;
//   - a result whose Ack was acknowledged is not handed over again;
//   - no result is of a task that nobody put.
//
// A put or a cancel whose outcome the master does not know any more, which it
// says, leaves the task out of account. How often a handler ran is of no
// interest: delivery is at least once.
type book struct {
	mu     sync.Mutex // guards the fields below
	tasks  [][]state  // by producer and number
	counts Counts
	wrongs []string // the first maxWrongs
	wrong  int
}

const maxWrongs = 50

// state is what is known of one task, as bits.
type state uint8

const (
	isPut       state = 1 << iota // acknowledged
	isCancelled                   // acknowledged
	isUnknown                     // the put's or the cancel's outcome
	hasResult                     // whose Ack was acknowledged
)

// Counts are what happened to tasks and objects.
type Counts struct {
	Put         int `json:"put"`       // acknowledged
	Results     int `json:"results"`   // acknowledged
	Cancelled   int `json:"cancelled"` // acknowledged
	Unknown     int `json:"unknown"`   // puts and cancels of which the master does not know the outcome, as it may after a long absence
	Lost        int `json:"lost"`      // acknowledged puts without a result
	LeasesLost  int `json:"leases_lost"`
	MapWrites   int `json:"map_writes"`
	Holds       int `json:"holds"`         // of locks
	HoldsLost   int `json:"holds_lost"`    // with the connection
	CallUnknown int `json:"calls_unknown"` // calls of objects without a known outcome, for a restart
}

func newBook(producers int) *book { return &book{tasks: make([][]state, producers)} }

// fault notes that something is not as it has to be.
func (b *book) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faultLocked(format, args...)
}

func (b *book) faultLocked(format string, args ...any) {
	if b.wrong++; b.wrong <= maxWrongs {
		b.wrongs = append(b.wrongs, fmt.Sprintf(format, args...))
	}
}

// count changes the counts.
func (b *book) count(f func(c *Counts)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.counts)
}

func (b *book) wasPut(producer, first, n int) {
	b.mark(producer, first, n, isPut)
	b.count(func(c *Counts) { c.Put += n })
}

func (b *book) wasCancelled(producer, number int) {
	b.mark(producer, number, 1, isCancelled)
	b.count(func(c *Counts) { c.Cancelled++ })
}

func (b *book) isUnknown(producer, first, n int) {
	b.mark(producer, first, n, isUnknown)
	b.count(func(c *Counts) { c.Unknown += n })
}

func (b *book) mark(producer, first, n int, s state) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := first; i < first+n; i++ {
		*b.atLocked(producer, i) |= s
	}
}

// atLocked is the state of a task of which a producer, or a result, told first.
func (b *book) atLocked(producer, number int) *state {
	for len(b.tasks[producer]) <= number {
		b.tasks[producer] = append(b.tasks[producer], 0)
	}
	return &b.tasks[producer][number]
}

// maxNumber bounds what a wrong result can make the book allocate.
const maxNumber = 1 << 30

// handedOver notes that a result came, and reports whether it is one.
func (b *book) handedOver(producer, number int, right bool, text []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !right || producer >= len(b.tasks) || number > maxNumber {
		b.faultLocked("a result is wrong: %.60q", text)
		return false
	}
	if *b.atLocked(producer, number)&hasResult != 0 {
		b.faultLocked("task %d of producer %d has a second result, or one that was acknowledged came again", number, producer)
	}
	return true
}

func (b *book) accepted(producer, number int) {
	b.mark(producer, number, 1, hasResult)
	b.count(func(c *Counts) { c.Results++ })
}

// judge is called once, when everything is done.
func (b *book) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, tasks := range b.tasks {
		for n, s := range tasks {
			done := s&hasResult != 0
			switch {
			case s&isUnknown != 0:
			case s&isPut == 0 && done:
				b.faultLocked("task %d of producer %d has a result, but was not put", n, p)
			case s&isPut != 0 && s&isCancelled != 0 && done:
				b.faultLocked("task %d of producer %d was cancelled, and has a result", n, p)
			case s&isPut != 0 && s&isCancelled == 0 && !done:
				b.counts.Lost++
				b.faultLocked("task %d of producer %d, whose put was acknowledged, has no result", n, p)
			}
		}
	}
}

// verdict is the counts and what was wrong.
func (b *book) verdict() (c Counts, wrongs []string, wrong int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts, append([]string(nil), b.wrongs...), b.wrong
}

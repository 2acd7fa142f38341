package cmd_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
)

// book is what the crew was told.
type book struct {
	t *testing.T

	mu      sync.Mutex // guards the fields below
	put     map[reeve.ID]string
	ended   map[reeve.ID]bool     // tasks whose completion was acknowledged to who had them
	results map[reeve.ID]reeve.ID // which result each task has, of those that were acknowledged
	values  map[reeve.ID]string   // by task
	acked   map[reeve.ID]bool     // results, by their own ids
	runs    int                   // handlers that began
	failed  int                   // of them as their tasks asked
	lost    int                   // leases that did not stand any more when they were ended
	more    chan struct{}         // closed when there is more in put and results
}

func newBook(t *testing.T) book {
	return book{
		t: t, put: map[reeve.ID]string{}, ended: map[reeve.ID]bool{}, results: map[reeve.ID]reeve.ID{},
		values: map[reeve.ID]string{}, acked: map[reeve.ID]bool{}, more: make(chan struct{}),
	}
}

func (b *book) wasPut(ids []reeve.ID, values []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, id := range ids {
		if old, known := b.put[id]; known {
			b.t.Errorf("%v is the id of %.20q and of %.20q", id, old, values[i])
		}
		b.put[id] = values[i]
	}
	b.tellLocked()
}

// began notes that somebody was given a task.
func (b *book) began(id reeve.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs++; b.ended[id] {
		b.t.Errorf("task %v was handed over although it had been acknowledged that it is done", id)
	}
}

// hasEnded notes that the completion of a task was acknowledged.
func (b *book) hasEnded(id reeve.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended[id] {
		b.t.Errorf("task %v was completed twice", id)
	}
	b.ended[id] = true
}

func (b *book) fails() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed++
}

func (b *book) isLost() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost++
}

// got notes that a result was handed over.
func (b *book) got(result reeve.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acked[result] {
		b.t.Errorf("result %v was handed over although its Ack had been acknowledged", result)
	}
}

// accepted notes that the Ack of a result was acknowledged.
func (b *book) accepted(l *reeve.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if other, known := b.results[l.Source]; known {
		b.t.Errorf("task %v has the results %v and %v", l.Source, other, l.ID)
	}
	b.results[l.Source], b.values[l.Source], b.acked[l.ID] = l.ID, string(l.Payload), true
	b.tellLocked()
}

func (b *book) tellLocked() {
	close(b.more)
	b.more = make(chan struct{})
}

// count is how many puts and results there are, and where more are told.
func (b *book) count() (puts, results int, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.put), len(b.results), b.more
}

// judge: what was put has one result, that of its own, and nothing else has.
func (b *book) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	missing, wrong := 0, 0
	for id, value := range b.put {
		got, done := b.values[id]
		switch {
		case !done:
			if missing++; missing <= 5 {
				b.t.Errorf("task %v, whose put was acknowledged, has no result", id)
			}
		case got != value:
			if wrong++; wrong <= 5 {
				b.t.Errorf("task %v has the result %.40q of %d bytes, want %.40q of %d", id, got, len(got), value, len(value))
			}
		}
	}
	for id := range b.results {
		if _, known := b.put[id]; !known {
			b.t.Errorf("there is a result of %v, which nobody put", id)
		}
	}
	for id := range b.ended {
		if _, done := b.results[id]; !done {
			b.t.Errorf("task %v was acknowledged as done, and has no result", id)
		}
	}
	if missing+wrong > 0 {
		b.t.Errorf("of %d tasks %d have no result and %d a wrong one", len(b.put), missing, wrong)
	}
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d tasks put, %d results, %d leases lost; in this process %d attempts of which %d failed as asked",
		len(b.put), len(b.results), b.lost, b.runs, b.failed)
}

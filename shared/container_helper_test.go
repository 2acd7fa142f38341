package shared_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	internal "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/container"
)

// containers is a master of containers in this process.
func containers(t testing.TB) *internal.Host {
	t.Helper()
	h := internal.New(internal.Config{})
	container.Add(h)
	t.Cleanup(h.Close)
	return h
}

var callers atomic.Uint32

// callerOf is another client of the master.
func callerOf(t testing.TB, h *internal.Host) *internal.Caller {
	t.Helper()
	n := callers.Add(1)
	id := internal.ClientID{Process: [16]byte{byte(n), byte(n >> 8), byte(n >> 16)}}
	c := h.NewCaller(id, internal.Who{Name: "test"})
	t.Cleanup(func() { c.Close(true) })
	return c
}

// memory is a journal of objects that is kept in memory. What a master records
// there, another can begin with.
type memory struct {
	mu      sync.Mutex
	objects []*internal.Restored
}

func (j *memory) Room() error { return nil }

func (j *memory) Add(typ, name string, config []byte) uint32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	no := uint32(len(j.objects) + 1)
	j.objects = append(j.objects, &internal.Restored{No: no, Type: typ, Name: name, Config: slices.Clone(config)})
	return no
}

func (j *memory) Drop(uint32, func(error)) {}

func (j *memory) Change(no uint32, entries []internal.Entry, _ *internal.CallID, _ []byte, told func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := j.objects[no-1]
	for _, e := range entries {
		i := slices.IndexFunc(o.Entries, func(x internal.Entry) bool { return x.Key == e.Key })
		switch {
		case e.Gone && i >= 0:
			o.Entries = slices.Delete(o.Entries, i, i+1)
		case e.Gone:
		case i >= 0:
			o.Entries[i] = e
		default:
			o.Entries = append(o.Entries, e)
		}
	}
	go told(nil)
}

func (j *memory) Follow(uint32, func(error)) bool { return false }

// master is a master of containers that begins with what j has.
func (j *memory) master(t testing.TB) *internal.Host {
	t.Helper()
	h := containers(t)
	j.mu.Lock()
	defer j.mu.Unlock()
	var objects []internal.Restored
	for _, o := range j.objects {
		c := *o
		c.Entries = slices.Clone(o.Entries)
		objects = append(objects, c)
	}
	if err := h.Restore(j, objects); err != nil {
		t.Fatal(err)
	}
	return h
}

func must0(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails reports an error that is not want.
func fails(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

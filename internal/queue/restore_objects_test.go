package queue_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// shelf is what objects have: by name, then by key.
type shelf map[string]map[string]string

func (s shelf) clone() shelf {
	c := shelf{}
	for name, entries := range s {
		c[name] = maps.Clone(entries)
	}
	return c
}

// objectRun drives the objects of an engine, and knows all states they were in.
type objectRun struct {
	t       *testing.T
	seed    uint64
	rnd     *rand.Rand
	journal *journaltest.Memory
	engine  *queue.Engine
	cfg     queue.Config

	mu      sync.Mutex // guards told and known, which the engine asks and tells of
	numbers map[string]uint32
	states  []shelf         // after each change, from the last start on; the first is what there was then
	told    int             // the last state of which it was told that it is durable
	answers map[uint64]int  // by request: the state of which it tells
	known   map[uint64]bool // requests whose answers are still remembered
	texts   map[uint64]string
	req     uint64
}

const objectClient = 7

func (r *objectRun) client() queue.ClientID {
	return queue.ClientID{Key: "k", Process: [16]byte{objectClient}}
}

func (r *objectRun) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("-restore.seed=%d: %s", r.seed, fmt.Sprintf(format, args...))
}

func (r *objectRun) open() {
	cfg := r.cfg
	cfg.Journal = r.journal
	e, err := queue.Open(context.Background(), cfg)
	if err != nil {
		r.fatalf("%v", err)
	}
	r.engine = e
	e.Clients().Attach(r.client())
	e.Objects().SetRecall(func(c queue.ObjectCall) bool { return c.Client == r.client() && r.knows(c.Req) })
}

func (r *objectRun) knows(req uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[req]
}

// restored checks that what came back is a state there was, not older than what
// was told, and goes on from it.
func (r *objectRun) restored() {
	r.mu.Lock()
	defer r.mu.Unlock()
	objects, answers := r.engine.Objects().TakeRestored()
	got := shelf{}
	r.numbers = map[string]uint32{}
	for _, o := range objects {
		if o.Type != "map" || string(o.Config) != "config of "+o.Name {
			r.fatalf("%q is a %q with %q", o.Name, o.Type, o.Config)
		}
		got[o.Name] = map[string]string{}
		r.numbers[o.Name] = o.No
		for _, e := range o.Entries {
			if e.Gone || !e.Expires.Equal(expiryOf(e.Key)) {
				r.fatalf("%q of %q: %+v", e.Key, o.Name, e)
			}
			got[o.Name][e.Key] = string(e.Value)
		}
	}
	at := -1
	for i := len(r.states) - 1; i >= r.told && at < 0; i-- {
		if maps.EqualFunc(got, r.states[i], maps.Equal[map[string]string, map[string]string]) {
			at = i
		}
	}
	if at < 0 {
		r.fatalf("came back as %v; told was %v, the last was %v", got, r.states[r.told], r.states[len(r.states)-1])
	}
	back := map[uint64]string{}
	for _, a := range answers {
		back[a.Call.Req] = string(a.Value)
	}
	for req, state := range r.answers {
		text, ok := back[req]
		switch {
		case !r.known[req]:
		case state <= r.told && !ok:
			r.fatalf("the answer to %d, which was told, is forgotten", req)
		case ok && text != r.texts[req]:
			r.fatalf("the answer to %d is %q, was %q", req, text, r.texts[req])
		case !ok:
			delete(r.known, req)
		}
	}
	r.states, r.told, r.answers = []shelf{got}, 0, map[uint64]int{}
	for req := range r.known {
		r.answers[req] = 0
	}
}

// expiryOf is when a key ends, for some.
func expiryOf(key string) time.Time {
	if key[0] == 'x' {
		return time.Unix(1<<33, int64(len(key)))
	}
	return time.Time{}
}

func (r *objectRun) step() {
	now := r.states[len(r.states)-1].clone()
	names := slices.Sorted(maps.Keys(now))
	reached := len(r.states)
	told := func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil {
			r.told = max(r.told, reached)
		}
	}
	o := r.engine.Objects()
	switch n := r.rnd.IntN(100); {
	case n < 8 || len(names) == 0:
		name := fmt.Sprint("o", r.rnd.IntN(5))
		if now[name] != nil {
			return
		}
		now[name] = map[string]string{}
		r.numbers[name] = o.Add("map", name, []byte("config of "+name))
		if !o.Follow(r.numbers[name], told) {
			told(nil)
		}
	case n < 12:
		name := names[r.rnd.IntN(len(names))]
		delete(now, name)
		o.Drop(r.numbers[name], told)
	default:
		name := names[r.rnd.IntN(len(names))]
		var changes []queue.ObjectEntry
		for range 1 + r.rnd.IntN(4) {
			key := fmt.Sprint(string("xy"[r.rnd.IntN(2)]), r.rnd.IntN(6))
			if r.rnd.IntN(3) == 0 {
				changes = append(changes, queue.ObjectEntry{Key: key, Gone: true})
				delete(now[name], key)
				continue
			}
			value := fmt.Sprint(r.rnd.Uint64(), string(make([]byte, r.rnd.IntN(100))))
			changes = append(changes, queue.ObjectEntry{Key: key, Value: []byte(value), Expires: expiryOf(key)})
			now[name][key] = value
		}
		var by *queue.ObjectCall
		if r.rnd.IntN(2) == 0 {
			r.req++
			by = &queue.ObjectCall{Client: r.client(), Req: r.req}
			r.asks(reached)
		}
		o.Change(r.numbers[name], changes, by, []byte(fmt.Sprint("answer ", r.req)), told)
	}
	r.states = append(r.states, now)
}

// asks notes a call with an answer, and that the client goes on.
func (r *objectRun) asks(state int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[r.req], r.known[r.req], r.texts[r.req] = state, true, fmt.Sprint("answer ", r.req)
	for req := range r.known {
		if req+20 < r.req {
			delete(r.known, req)
		}
	}
}

func TestCrash_ObjectsAreWhatTheyWere(t *testing.T) {
	restoreSeeds(t, func(t *testing.T, seed uint64) {
		r := &objectRun{
			t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 5)), journal: journaltest.NewMemory(journaltest.MemoryConfig{TB: t}),
			numbers: map[string]uint32{}, states: []shelf{{}}, answers: map[uint64]int{}, known: map[uint64]bool{}, texts: map[uint64]string{},
		}
		r.cfg.Durability = []reeve.Durability{0, reeve.DurabilitySync, reeve.DurabilityNone}[r.rnd.IntN(3)]
		r.open()
		trimmed := 0
		for range 4 {
			for range 100 {
				r.step()
				if r.rnd.IntN(4) == 0 {
					synctest.Wait()
				}
			}
			how := journaltest.Kill()
			if r.cfg.Durability != reeve.DurabilityNone && r.rnd.IntN(2) == 0 {
				how = journaltest.LoseSome(r.rnd)
			}
			trimmed += int(r.journal.Stats().Trimmed)
			old := r.engine
			r.journal = r.journal.Crash(how)
			old.Close() // finds that the journal is another's
			r.open()
			r.restored()
		}
		if err := r.engine.Close(); err != nil {
			r.fatalf("%v", err)
		}
		if trimmed == 0 {
			r.fatalf("nothing was cleaned: the test has tested less than it should")
		}
	})
}

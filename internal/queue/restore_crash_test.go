package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestCrash_LosesNothingThatWasAcknowledged(t *testing.T) {
	restoreSeeds(t, func(t *testing.T, seed uint64) {
		w := newCrashes(t, seed)
		defer w.explain()
		for range 4 {
			for range *restoreSteps / 4 {
				w.step()
			}
			w.crash()
		}
		w.drain()
	})
}

// crashes is an engine that is crashed at any moment, and what is known of it
// from what its members were told.
type crashes struct {
	*kept
	rnd     *rand.Rand
	seed    uint64
	writing sync.Mutex // guards history
	history []string
	gate    *journaltest.Gate
	cfgs    []reeve.QueueConfig
	queues  []*queue.Queue
	members []*member
	items   []*item
	byText  map[string]*item
	ids     map[reeve.ID]*item
	gets    map[[2]uint64]*ask
	life    int // of the master; guarded by told
}

// item is one task, named by its payload.
type item struct {
	payload string
	q       int
	id      reeve.ID
	from    *item // of which it is the result

	attempt uint32
	there   bool     // somebody was told that it is there
	endings []string // that were asked for
	ended   string   // somebody was told that it has ended so
	result  *item
	lost    bool // with its power, and what was told of it with it

	// deleted: its queue was, and a request for it may go to the one after that.
	deleted bool
	gone    *deletion // if it was known to be there
}

// deletion is that of a queue.
type deletion struct{ told bool }

// crashFailure is a failure that is the test's own.
type crashFailure string

func newCrashes(t *testing.T, seed uint64) *crashes {
	w := &crashes{rnd: rand.New(rand.NewPCG(seed, 2)), seed: seed, byText: map[string]*item{}, ids: map[reeve.ID]*item{}, gets: map[[2]uint64]*ask{}}
	w.kept = &kept{t: t, journal: journaltest.NewMemory(journaltest.MemoryConfig{TB: t, TrimUnit: 1 + w.rnd.IntN(4)}),
		cfg: queue.Config{Memory: []int64{0, 1, 200}[w.rnd.IntN(3)]}}
	w.open()
	for i := range 3 {
		d := []reeve.Durability{reeve.DurabilitySync, reeve.DurabilitySync, reeve.DurabilityNone, reeve.Durability(20 * time.Millisecond)}[w.rnd.IntN(4)]
		cfg := reeve.QueueConfig{Durability: d, Lease: time.Hour, LIFO: w.rnd.IntN(4) == 0}
		w.note("declare q%d %v", i, d)
		w.cfgs = append(w.cfgs, cfg)
		w.queues = append(w.queues, w.declare(fmt.Sprint("q", i), cfg))
	}
	for i := range 3 {
		m := &member{w: w, id: queue.ClientID{Key: "key", Process: [16]byte{byte(i + 1)}}}
		m.connect()
		w.members = append(w.members, m)
	}
	return w
}

func (w *crashes) note(format string, args ...any) {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.history = append(w.history, fmt.Sprintf("%12v  ", time.Now().UnixNano()%1e12)+fmt.Sprintf(format, args...))
}

func (w *crashes) fail(format string, args ...any) { panic(crashFailure(fmt.Sprintf(format, args...))) }

func (w *crashes) explain() {
	p := recover()
	if p == nil && !w.t.Failed() {
		if err := w.Close(); err != nil {
			w.t.Error(err)
		}
		return
	}
	h := w.history
	text := fmt.Sprintf("-restore.seed=%d: %v\nafter %d steps, the last:\n%s", w.seed, p, len(h), strings.Join(h[max(0, len(h)-*restoreTail):], "\n"))
	if _, ours := p.(crashFailure); !ours && p != nil {
		fmt.Println(text)
		panic(p)
	}
	w.t.Error(text)
	w.journal.Crash(journaltest.Kill())
	w.Close()
	w.t.FailNow()
}

// step does one thing, without waiting for what follows from it.
func (w *crashes) step() {
	m := w.members[w.rnd.IntN(len(w.members))]
	switch n := w.rnd.IntN(100); {
	case n < 35:
		i := &item{payload: fmt.Sprintf("%04d%s", len(w.items), strings.Repeat(".", w.rnd.IntN(40))), q: w.rnd.IntN(3)}
		told.Lock()
		w.items, w.byText[i.payload] = append(w.items, i), i
		told.Unlock()
		w.note("%d puts %.4s into q%d", m.id.Process[0], i.payload, i.q)
		m.request(&ask{what: "put", q: i.q, t: i})
	case n < 55:
		q := w.rnd.IntN(3)
		r := &ask{what: "get", q: q}
		told.Lock()
		m.next++
		r.no = m.next
		w.gets[[2]uint64{uint64(m.id.Process[0]), r.no}] = r
		told.Unlock()
		w.queues[q].Get(m.now.Holder, &queue.GetOp{Max: 1 + w.rnd.IntN(3), NoWait: true, Tag: r.no})
	case n < 75:
		w.end(m)
	case n < 80:
		told.Lock()
		k := len(m.done)
		told.Unlock()
		if k > 0 {
			m.again(w.rnd.IntN(k))
		}
	case n < 85 && w.gate == nil:
		op := []journaltest.Op{journaltest.OpAppend, journaltest.OpSync, journaltest.OpTrim, journaltest.OpRead}[w.rnd.IntN(4)]
		w.note("block %v", op)
		w.gate = w.journal.Block(op)
	case n < 88 && w.gate != nil:
		w.note("open")
		w.gate.Open()
		w.gate = nil
	case n < 90:
		w.delete(w.rnd.IntN(3))
	case n < 95:
		time.Sleep(time.Duration(w.rnd.IntN(30)) * time.Millisecond)
	default:
		synctest.Wait()
	}
}

// delete deletes a queue with all that is in it, and declares it again.
func (w *crashes) delete(q int) {
	d := &deletion{}
	told.Lock()
	for _, i := range w.items {
		if i.q == q {
			if i.deleted = true; i.there {
				i.gone = d
			}
		}
	}
	life := w.life
	told.Unlock()
	w.note("delete q%d", q)
	if err := w.Delete(fmt.Sprint("q", q), true); err != nil {
		w.fail("delete of q%d: %v", q, err)
	}
	w.After(func(err error) {
		told.Lock()
		defer told.Unlock()
		if err == nil && w.life == life {
			d.told = true
			w.note("told: q%d is deleted", q)
		}
	})
	w.queues[q] = w.declare(fmt.Sprint("q", q), w.cfgs[q])
}

// end has m end one of its leases.
func (w *crashes) end(m *member) {
	told.Lock()
	if len(m.held) == 0 {
		told.Unlock()
		return
	}
	k := w.rnd.IntN(len(m.held))
	i := m.held[k]
	m.held = append(m.held[:k:k], m.held[k+1:]...)
	r := &ask{what: []string{"ack", "bury", "complete", "complete"}[w.rnd.IntN(4)], q: i.q, to: w.rnd.IntN(3), t: i, attempt: i.attempt}
	i.endings = append(i.endings, r.what)
	if r.what == "complete" && i.result == nil {
		i.result = &item{payload: "r" + i.payload, q: r.to, from: i}
		w.items, w.byText[i.result.payload] = append(w.items, i.result), i.result
	}
	if i.result != nil {
		r.to = i.result.q
	}
	told.Unlock()
	w.note("%d: %s of %.5s of q%d at %d to q%d", m.id.Process[0], r.what, i.payload, i.q, i.attempt, r.to)
	m.request(r)
}

// known notes that the task id is i. The told mutex is held.
func (w *crashes) known(id reeve.ID, i *item) {
	if o := w.ids[id]; o != nil && o != i {
		w.fail("id %v is that of %.5s, and of %.5s", id, o.payload, i.payload)
	}
	if i.id != 0 && i.id != id && !i.lost && !i.deleted {
		w.fail("%.5s was put twice: %v and %v", i.payload, i.id, id)
	}
	w.ids[id], i.id, i.there = i, id, true
}

// handed notes what a member got. The told mutex is held.
func (w *crashes) handed(m *member, tag uint64, ts []reeve.Task) {
	for _, t := range ts {
		i := w.byText[string(t.Payload)]
		if i == nil {
			w.fail("a payload that nobody put: %q", t.Payload)
		}
		if i.ended != "" && !i.lost && !i.deleted {
			w.fail("%.5s was handed over after its %s", i.payload, i.ended)
		}
		w.known(t.ID, i)
		i.lost, i.attempt = false, t.Attempt
		if i.from != nil {
			i.from.ended = "complete"
		}
		m.held = append(m.held, i)
		w.note("%d got %.5s of q%d at %d", m.id.Process[0], i.payload, i.q, t.Attempt)
	}
}

// told notes what a request has come to. The told mutex is held.
func (w *crashes) told(r *ask) {
	w.note("told: %s of %.5s: %v %v", r.what, r.t.payload, r.first, r.err)
	switch {
	case errors.Is(r.err, reeve.ErrNoSuchQueue) && (r.t.deleted || r.t.result != nil && r.t.result.deleted):
	case r.what == "put":
		if r.err != nil {
			w.fail("put of %.5s: %v", r.t.payload, r.err)
		}
		w.known(r.first, r.t)
	case r.err == nil:
		r.t.ended = r.what
		if r.what == "complete" {
			r.t.result.there = true
		}
	case !errors.Is(r.err, reeve.ErrLeaseLost):
		w.fail("%s of %.5s: %v", r.what, r.t.payload, r.err)
	}
}

// sync reports whether a queue's changes survive power cuts.
func (w *crashes) sync(q int) bool { return w.cfgs[q].Durability == reeve.DurabilitySync }

// crash ends the master, opens the journal again, and holds what is there
// against what was told.
func (w *crashes) crash() {
	mode, name := journaltest.Kill(), "kill"
	power := w.rnd.IntN(2) == 0
	if power {
		mode, name = journaltest.LoseSome(w.rnd), "power cut"
	}
	told.Lock()
	w.note("%s", name)
	w.life++
	for _, m := range w.members {
		m.now.deaf = true
	}
	told.Unlock()
	old := w.Engine
	w.journal, w.gate = w.journal.Crash(mode), nil
	old.Close()
	time.Sleep(time.Microsecond)
	w.open()
	for i := range w.queues {
		q, err := w.Lookup(fmt.Sprint("q", i))
		if err != nil { // nothing of it was durable
			q = w.declare(fmt.Sprint("q", i), w.cfgs[i])
		}
		w.queues[i] = q
	}
	w.compare(power)
	w.gets = map[[2]uint64]*ask{}
	for _, m := range w.members {
		w.comeBack(m, power)
	}
}

// compare holds what there is against what was told.
func (w *crashes) compare(power bool) {
	there := map[*item]reeve.TaskInfo{}
	for k, q := range w.queues {
		page, err := q.List(nil, reeve.ListOptions{Max: reeve.MaxBatch, Payload: reeve.NoLimit})
		if err != nil {
			w.fail("list: %v", err)
		}
		for _, t := range page.Tasks {
			i := w.byText[string(t.Payload)]
			switch _, twice := there[i]; {
			case i == nil:
				w.fail("a payload that nobody put: %q", t.Payload)
			case twice:
				w.fail("%.5s is there twice", i.payload)
			case i.q != k:
				w.fail("%.5s is in q%d", i.payload, k)
			}
			there[i] = t
			w.known(t.ID, i)
		}
	}
	for _, i := range w.items {
		t, is := there[i]
		if is && i.gone != nil && i.gone.told {
			w.fail("%.5s is there after the deletion of its queue was acknowledged", i.payload)
		}
		if i.deleted || i.result != nil && i.result.deleted || i.from != nil && i.from.deleted {
			if i.ended = ""; !is {
				i.there, i.lost = false, true
			}
			continue
		}
		certain := !power || w.sync(i.q)
		over := i.ended != "" && i.ended != "bury" // and was
		switch {
		case is && over && (certain || i.ended == "complete" && w.sync(i.result.q)):
			w.fail("%.5s is there after its %s was acknowledged", i.payload, i.ended)
		case is && i.ended == "bury" && certain && t.State != reeve.StateDead:
			w.fail("%.5s is %v after its bury was acknowledged", i.payload, t.State)
		case is && t.State == reeve.StateDead && !slices.Contains(i.endings, "bury"):
			w.fail("%.5s is dead", i.payload)
		case !is && i.there && !slices.Contains(i.endings, "ack") && !slices.Contains(i.endings, "complete") && certain && !i.lost && w.safe(i, power):
			w.fail("%.5s was acknowledged and is not there", i.payload)
		}
		if i.result != nil {
			if _, both := there[i.result]; both && is {
				w.fail("%.5s is there, and so is its result", i.payload)
			}
		}
		switch {
		case is: // what was told of its end, if that was lost
			if i.ended != "bury" || t.State != reeve.StateDead {
				i.ended = ""
			}
		case !over && !certain, i.from != nil && there[i.from].ID != 0:
			i.there, i.lost, i.ended = false, true, ""
		}
	}
}

// safe reports whether a put that was acknowledged survived: that of a result
// did if either queue's changes do.
func (w *crashes) safe(i *item, power bool) bool { return !power || w.sync(i.q) }

// comeBack begins m's next session: it claims what it held, and sends again what
// was not answered.
func (w *crashes) comeBack(m *member, power bool) {
	m.connect()
	for k, q := range w.queues {
		told.Lock()
		var ops []queue.AckOp
		var mine []*item
		for _, i := range m.held {
			if i.q == k {
				ops, mine = append(ops, queue.AckOp{ID: i.id, Attempt: i.attempt}), append(mine, i)
			}
		}
		for _, r := range m.open {
			if r.what != "put" && r.q == k && !r.answered {
				ops = append(ops, queue.AckOp{ID: r.t.id, Attempt: r.attempt})
			}
		}
		told.Unlock()
		for n, kept := range q.Claim(m.now.Holder, nil, ops) {
			if n >= len(mine) {
				break // it may have ended
			}
			i := mine[n]
			// That it was given back before a later attempt may not be written down.
			if !kept && !i.lost && !i.deleted && i.attempt == 1 {
				w.fail("%.5s at %d was not given back to %d, who held it", i.payload, i.attempt, m.id.Process[0])
			}
			if !kept {
				told.Lock()
				for k, h := range m.held {
					if h == i {
						m.held = append(m.held[:k:k], m.held[k+1:]...)
						break
					}
				}
				told.Unlock()
			}
		}
	}
	if w.rnd.IntN(4) > 0 {
		m.now.ClaimsComplete()
	}
	told.Lock()
	// What was lost, or refused, may have another outcome now.
	unsure := func(r *ask) bool { return r.answered && (r.err != nil || power && !w.sync(r.q)) }
	m.open, m.done = slices.DeleteFunc(m.open, unsure), slices.DeleteFunc(m.done, unsure)
	open := slices.Clone(m.open)
	told.Unlock()
	for _, r := range open {
		m.send(r)
	}
}

// drain ends everything, and looks what is left.
func (w *crashes) drain() {
	if w.gate != nil {
		w.gate.Open()
		w.gate = nil
	}
	synctest.Wait()
	for _, m := range w.members {
		if len(m.open) > 0 {
			w.fail("request %d of %d was never answered", m.open[0].no, m.id.Process[0])
		}
		for len(m.held) > 0 {
			w.end(m)
			synctest.Wait()
		}
	}
	m := w.members[0]
	time.Sleep(2 * time.Hour) // leases that nobody heard of end
	synctest.Wait()
	for k := 0; k < len(w.queues); {
		if _, err := w.queues[k].Purge(&reeve.Filter{}); err != nil {
			w.fail("purge: %v", err)
		}
		n := len(m.held)
		m.next++
		w.gets[[2]uint64{uint64(m.id.Process[0]), m.next}] = &ask{}
		w.queues[k].Get(m.now.Holder, &queue.GetOp{Max: 10, NoWait: true, Tag: m.next})
		synctest.Wait()
		if len(m.held) == n {
			k++
			continue
		}
		for _, i := range m.held {
			r := &ask{what: "ack", q: i.q, t: i, attempt: i.attempt}
			i.endings = append(i.endings, "ack")
			m.request(r)
		}
		m.held = nil
		synctest.Wait()
	}
	for _, q := range w.queues {
		if s := q.Stats(); s.Ready+s.Delayed+s.Leased+s.Dead > 0 {
			w.fail("after everything was ended there is %+v", s)
		}
	}
	if s := w.journal.Stats(); s.Bytes > 3*queue.CleanSlack {
		w.fail("the journal of empty queues has %d bytes in %d frames", s.Bytes, s.Frames)
	}
}

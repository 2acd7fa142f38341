package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// Everything at once, and masters that do not last: they are killed, their
// power is cut, their journal fails or is full. Whoever takes part is connected,
// and what is held against each other in the end is what they were told:
//
//	behave_restart_test.go          masters and their ends
//	behave_restart_verdict_test.go  what they were told against what came of it
//
// What events say cannot be it: some of what happens in the moment before a
// crash has not happened.
func TestBehave_MastersThatEndLoseNothingThatWasAcknowledged(t *testing.T) {
	seed := *behaveSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for i := range *behaveRounds {
		seed := seed + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			fmt.Fprintf(os.Stderr, "-behave.seed=%d\n", seed)
			d := newWorld(t, nil, seed).rand("disk", 0)
			disk := &disk{}
			cfg := manager.Config{Heartbeat: time.Second, Journal: managertest.Reopen(func(prev journal.Journal) (journal.Journal, error) {
				disk.mu.Lock()
				defer disk.mu.Unlock()
				if prev == nil {
					disk.now = journaltest.NewMemory(journaltest.MemoryConfig{TB: t, TrimUnit: 1 + d.IntN(8)})
				} else {
					how := pick(d, []journaltest.CrashMode{journaltest.Kill(), journaltest.PowerCut(), journaltest.LoseSome(d.Rand)})
					disk.now = prev.(*journaltest.Memory).Crash(how)
				}
				return disk.now, nil
			})}
			if d.chance(50) {
				cfg.Memory = 1 // nearly all payloads are read back
			}
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				w := newWorld(t, m, seed)
				w.disk = disk
				w.roundOfRestarts()
			}, cfg)
		})
	}
}

// disk is the journal of a round.
type disk struct {
	mu  sync.Mutex // guards the fields below
	now *journaltest.Memory
}

func (d *disk) journal() *journaltest.Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// roundOfRestarts is round with masters that end.
func (w *world) roundOfRestarts() {
	w.declare()
	w.afar()
	ctx, stop := context.WithCancel(w.t.Context())
	var always, chaos, producing sync.WaitGroup
	always.Go(func() { w.collect(ctx) })
	for i := range 3 {
		c, cable := w.connect(fmt.Sprint("producer ", i), nil)
		producing.Go(func() {
			w.produce(w.rand("producer", i), c.Queue, *behaveTasks/3)
			cable.Heal()
		})
	}
	unrest, rest := context.WithCancel(ctx)
	for i := range 5 {
		h := w.newHand(i)
		w.hands = append(w.hands, h)
		chaos.Go(func() { h.live(unrest) })
	}
	for i := range 2 { // who can be restarted
		chaos.Go(func() { w.operate(unrest, i) })
	}
	chaos.Go(func() { w.breakThings(unrest) })
	chaos.Go(func() { w.watchNumbers(unrest) })

	begun := time.Now()
	ends := w.rand("ends", 0)
	for time.Since(begun) < 20*time.Second {
		w.oneLife(ends)
	}
	w.whenPut(&producing, func() { w.oneLife(ends) })
	rest()
	chaos.Wait()

	w.calmDown()
	w.checkNumbers("at the end")
	w.m.Restart(w.t) // nothing of it was in memory only
	w.restarted()
	w.checkNumbers("after the end")
	stop()
	always.Wait()
	w.judgeTold()
}

// afar has queues, and the whole master, asked from afar, as by those who do not
// notice that it is another one.
func (w *world) afar() {
	c, _, err := plug(context.Background(), w.m, proxy.Config{Name: "overseer"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	w.overseer = c
	for _, q := range w.queues {
		q.Queue = c.Queue(q.Name())
	}
	w.restarted()
}

// oneLife is one master's, up to the next one.
func (w *world) oneLife(d *dice) {
	for span := d.upTo(5 * time.Second); span > 0; span -= 100 * time.Millisecond {
		time.Sleep(100 * time.Millisecond)
		w.sumsUp()
	}
	j := w.disk.journal()
	switch d.IntN(6) {
	case 0:
		j.SetSpace(journaltest.ReserveOnly)
		time.Sleep(d.upTo(4 * time.Second))
		if d.chance(30) {
			j.SetSpace(journaltest.NoSpace)
			time.Sleep(d.upTo(time.Second))
		}
		if d.chance(50) { // space comes while nobody looks
			j.SetSpace(journaltest.Enough)
			return
		}
	case 1:
		j.Fail(pick(d, []journaltest.Op{journaltest.OpAppend, journaltest.OpSync}), 1+d.IntN(5), errors.New("the disk is on fire"))
		select {
		case <-w.m.Manager().Done():
		case <-time.After(10 * time.Second):
			w.t.Error("a master goes on although its journal failed")
		}
	case 2: // a frame is on its way for long
		g := j.Block(pick(d, []journaltest.Op{journaltest.OpAppend, journaltest.OpSync}))
		defer g.Open()
		time.Sleep(d.upTo(3 * time.Second))
		if d.chance(30) {
			g.Open()
			return
		}
	case 3:
		ctx, end := context.WithTimeout(context.Background(), d.upTo(2*time.Second))
		if err := w.m.Manager().Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			w.t.Errorf("Shutdown: %v", err)
		}
		end()
	case 4:
		if err := w.m.Manager().Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	}
	w.m.Kill()
	j.SetSpace(journaltest.Enough)
	if d.chance(30) {
		time.Sleep(d.upTo(8 * time.Second)) // less than a lease, or more
	}
	w.m.Restart(w.t)
	w.restarted()
}

// restarted begins to count anew, as a master does: what it recovered is what
// it began with.
func (w *world) restarted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives++
	clear(w.base)
	sum := 0
	for _, s := range w.m.Manager().QueueStats() {
		n := there(&s) + int(left(&s)) - int(s.Put+s.MovedIn)
		w.base[s.Name] = n
		sum += n
	}
	if r := w.m.Manager().Recovered(); r.Tasks != sum {
		w.t.Errorf("-behave.seed=%d: %d tasks were recovered, and the queues began with %d", w.seed, r.Tasks, sum)
	}
}

// sumsUp: what the master began with and what came is there, or has ended in one
// way. Nobody ends it meanwhile.
func (w *world) sumsUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.m.Manager().QueueStats() {
		if w.base[s.Name]+int(s.Put+s.MovedIn) != int(left(&s))+there(&s) {
			w.t.Errorf("-behave.seed=%d: master %d began with %d tasks in %s: %+v", w.seed, w.lives, w.base[s.Name], s.Name, s)
		}
	}
}

func there(s *reeve.QueueStats) int { return s.Ready + s.Delayed + s.Leased + s.Dead }

// left is how many tasks have left the queue.
func left(s *reeve.QueueStats) uint64 {
	return s.Done + s.Discarded + s.Cancelled + s.Expired + s.Purged + s.Dropped + s.MovedOut
}

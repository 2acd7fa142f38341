package managertest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// Everything at once: producers, workers, operators and faults at random, with a
// real master and real connections in fake time. Nobody is told what the engine
// does; what it said in events, answers and hand-overs is held against the rules
// when all is over, and its numbers meanwhile, too.
//
//	behave_test.go           one round, from the first put to the verdict
//	behave_tasks_test.go     queues, tasks, and who puts them
//	behave_workers_test.go   who runs them, and how that ends
//	behave_operators_test.go who looks and interferes
//	behave_faults_test.go    what happens to connections
//	behave_lives_test.go     the rules for one task, from its events
//	behave_limits_test.go    the rules for tasks beside each other
//	behave_verdict_test.go   events against what everybody else knows
//	behave_restart_test.go   the same with masters that end
var (
	behaveSeed   = flag.Uint64("behave.seed", 1, "first seed of the test of all mechanisms at once; 0: by the clock")
	behaveRounds = flag.Int("behave.rounds", 3, "rounds of it, one seed each")
	behaveTasks  = flag.Int("behave.tasks", 400, "tasks of a round")
)

// A seed decides what everybody is up to, but not who is first when several
// are ready at the same time.
func TestBehave_EverythingAtOnceWithFaultsKeepsEveryPromise(t *testing.T) {
	seed := *behaveSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	sum := tally{}
	for i := range *behaveRounds {
		seed := seed + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			fmt.Fprintf(os.Stderr, "-behave.seed=%d\n", seed) // a panic of the clock would not tell it
			managertest.Run(t, func(t *testing.T, m *managertest.Master) { newWorld(t, m, seed).round(sum) },
				manager.Config{Heartbeat: time.Second, EventBuffer: 1 << 16})
		})
	}
	if *behaveRounds**behaveTasks >= 1000 {
		sum.enough(t)
	}
}

// world is one round.
type world struct {
	t     *testing.T
	m     *managertest.Master
	seed  uint64
	begin time.Time

	queues []*tested
	cables []*memnet.Cable // of those who suffer faults
	hands  []*hand
	calm   atomic.Bool // handlers succeed, and nobody interferes any more

	disk     *disk         // where masters end; nil: there is one, in memory
	overseer *proxy.Client // who asks for numbers then

	mu     sync.Mutex // guards the fields below
	specs  []*spec    // by number
	byID   map[reeve.ID]*spec
	runs   []*run
	events []reeve.Event               // all, in their order
	got    map[reeve.ID][]string       // results from the queue, by the task they are of
	waited map[reeve.ID][]reeve.Result // what Wait and Result told, by task
	seen   map[string][]reeve.Event    // what followers afar saw, by who they are

	lives     int               // masters
	base      map[string]int    // how many tasks each queue had when this one began
	cancelled map[reeve.ID]bool // whose cancellation was acknowledged
}

func newWorld(t *testing.T, m *managertest.Master, seed uint64) *world {
	return &world{
		t: t, m: m, seed: seed, begin: time.Now(),
		byID: map[reeve.ID]*spec{}, got: map[reeve.ID][]string{}, waited: map[reeve.ID][]reeve.Result{},
		seen: map[string][]reeve.Event{}, base: map[string]int{}, cancelled: map[reeve.ID]bool{},
	}
}

// rand is the chance of one of those who take part.
func (w *world) rand(who string, n int) *dice {
	var h uint64
	for _, c := range []byte(who) {
		h = h*131 + uint64(c)
	}
	return &dice{rand.New(rand.NewPCG(w.seed, h+uint64(n)<<32))}
}

type dice struct{ *rand.Rand }

func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

// upTo is a time of 1 ms to most.
func (d *dice) upTo(most time.Duration) time.Duration {
	return time.Millisecond * time.Duration(1+d.Int64N(int64(most/time.Millisecond)))
}

func pick[T any](d *dice, from []T) T { return from[d.IntN(len(from))] }

// at is a time as the log of the test shows it.
func (w *world) at(t time.Time) string { return t.Sub(w.begin).String() }

// round: chaos, then calm until everything that was put has ended, then the
// verdict.
func (w *world) round(sum tally) {
	w.declare()
	ctx, stop := context.WithCancel(w.t.Context())
	var always, chaos, producing sync.WaitGroup
	always.Go(func() { w.record(ctx) })
	always.Go(func() { w.collect(ctx) })
	synctest.Wait() // from here on everything is recorded

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
	for i := range 3 {
		chaos.Go(func() { w.operate(unrest, i) })
	}
	chaos.Go(func() { w.breakThings(unrest) })
	chaos.Go(func() { w.watchNumbers(unrest) })

	time.Sleep(20 * time.Second)
	w.whenPut(&producing, func() { time.Sleep(time.Second) })
	rest()
	chaos.Wait()

	w.calmDown()
	w.checkNumbers("at the end")
	stop()
	always.Wait()
	w.judge(sum)
}

// whenPut waits for the producers, whom operators and full queues hold up.
func (w *world) whenPut(producing *sync.WaitGroup, meanwhile func()) {
	over := make(chan struct{})
	go func() { // ends with the producers, for whom the round waits
		producing.Wait()
		close(over)
	}()
	for begun := time.Now(); ; {
		select {
		case <-over:
			return
		default:
		}
		if time.Since(begun) > time.Hour {
			w.t.Errorf("the producers are not done after an hour: %s", w.numbers())
			w.t.FailNow()
		}
		meanwhile()
	}
}

// calmDown has everything that is left run, with workers for all of it.
func (w *world) calmDown() {
	w.calm.Store(true)
	for _, c := range w.cables {
		c.Heal()
	}
	ctx, stop := context.WithCancel(w.t.Context())
	defer stop()
	var working sync.WaitGroup
	for _, q := range w.queues {
		if err := q.Resume(ctx); err != nil {
			w.t.Error(err)
		}
	}
	h := w.newHand(len(w.hands))
	h.types, h.labels, h.spared = nil, labels, true
	w.hands = append(w.hands, h)
	working.Go(func() { h.live(ctx) })
	for _, q := range w.queues {
		tctx, end := context.WithTimeout(ctx, time.Hour)
		if err := q.Join(tctx); err != nil {
			w.t.Errorf("queue %s is not empty after an hour of calm: %v: %s", q.Name(), err, w.numbers())
		}
		end()
	}
	stop()
	working.Wait()
	time.Sleep(time.Minute) // the last deaf handlers return
	synctest.Wait()
}

// collect takes results from their queue, at times slowly: Completes wait for
// room then.
func (w *world) collect(ctx context.Context) {
	d := w.rand("collector", 0)
	results := w.queues[resultsAt]
	for {
		leases, err := results.Get(ctx, 1+d.IntN(8))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.t.Errorf("the Get of a result: %v", err)
			return
		}
		for _, l := range leases {
			if err := l.Ack(context.WithoutCancel(ctx)); err != nil {
				if w.disk == nil || !errors.Is(err, reeve.ErrLeaseLost) {
					w.t.Errorf("the Ack of a result: %v", err)
				}
				continue // it comes again
			}
			w.mu.Lock()
			w.got[l.Source] = append(w.got[l.Source], string(l.Payload))
			w.mu.Unlock()
		}
		if d.chance(20) && !w.calm.Load() {
			time.Sleep(d.upTo(2 * time.Second))
		}
	}
}

// record follows all events, from the master itself, which misses none.
func (w *world) record(ctx context.Context) {
	for ev, err := range w.m.Manager().Events(ctx) {
		if err != nil {
			w.t.Errorf("the master's own events: %v", err)
			return
		}
		if ev.Missed > 0 {
			w.t.Errorf("the master's own reader missed %d events", ev.Missed)
		}
		w.mu.Lock()
		w.events = append(w.events, ev)
		w.mu.Unlock()
	}
}

// numbers is what all queues say, for a failure.
func (w *world) numbers() string {
	var b strings.Builder
	for _, q := range w.queues {
		s, err := q.Stats(context.Background())
		fmt.Fprintf(&b, "\n%+v %v", s, err)
	}
	return b.String()
}

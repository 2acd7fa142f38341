package queue_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

var (
	restoreSeed   = flag.Uint64("restore.seed", 1, "first seed of the tests of restarts; 0: by the clock")
	restoreRounds = flag.Int("restore.rounds", 60, "rounds of each of them, one seed each")
	restoreSteps  = flag.Int("restore.steps", 120, "steps of a round")
	restoreTail   = flag.Int("restore.tail", 30, "how many of the last steps a failure tells")
)

// restoreSeeds runs f with each seed.
func restoreSeeds(t *testing.T, f func(t *testing.T, seed uint64)) {
	seed := *restoreSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for i := range uint64(*restoreRounds) {
		synctest.Test(t, func(t *testing.T) { f(t, seed+i) })
		if t.Failed() {
			return
		}
	}
}

func TestRestore_GivesBackEverythingAsItWas(t *testing.T) {
	restoreSeeds(t, fidelityRound)
}

// scene is an engine on which random things are done, without keeping count of
// what follows from them.
type scene struct {
	*kept
	rnd     *rand.Rand
	seed    uint64
	clients []*client
	names   int              // of clients
	named   map[*client]bool // those that are known again
	ids     []reeve.ID
	held    []grip
	history []string
	wall    *wall
	began   time.Time
}

// grip is a lease that a client was given.
type grip struct {
	c *client
	q string
	t reeve.Task
}

func fidelityRound(t *testing.T, seed uint64) {
	s := newScene(t, seed)
	defer s.explain()
	for range 3 {
		for range *restoreSteps / 3 {
			s.step()
		}
		s.restart()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func newScene(t *testing.T, seed uint64) *scene {
	s := &scene{rnd: rand.New(rand.NewPCG(seed, 1)), seed: seed, wall: &wall{}, began: time.Now(), named: map[*client]bool{}}
	unit := pickOf(s, []int{1, 1, 3, 8})
	s.kept = &kept{t: t, journal: journaltest.NewMemory(journaltest.MemoryConfig{TB: t, TrimUnit: unit}), cfg: queue.Config{
		MaxPayload: 1 << 20, Wall: s.wall.now, Memory: pickOf(s, []int64{0, 1, 100, 1000}),
	}}
	s.open()
	time.Sleep(time.Nanosecond)
	s.note("memory %d, trim unit %d", s.cfg.Memory, unit)
	for i := range 3 {
		cfg := s.randomConfig()
		s.note("declare q%d %+v", i, cfg)
		s.declare(fmt.Sprint("q", i), cfg)
	}
	s.declare("sync", reeve.QueueConfig{Durability: reeve.DurabilitySync})
	return s
}

// explain tells how a failure came about.
func (s *scene) explain() {
	p := recover()
	if p == nil && !s.t.Failed() {
		return
	}
	h := s.history
	text := fmt.Sprintf("-restore.seed=%d: after %d steps, the last:\n%s", s.seed, len(h), strings.Join(h[max(0, len(h)-*restoreTail):], "\n"))
	if p != nil {
		fmt.Println(text)
		panic(p)
	}
	s.t.Log(text)
	s.Close()
}

func (s *scene) note(format string, args ...any) {
	s.history = append(s.history, fmt.Sprintf("%12v  ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

func (s *scene) chance(percent int) bool { return s.rnd.IntN(100) < percent }

func pickOf[T any](s *scene, from []T) T { return from[s.rnd.IntN(len(from))] }

// quiesce lets go of everything that a restart ends, and makes all durable.
func (s *scene) quiesce() {
	for _, c := range s.clients {
		if s.named[c] && s.chance(70) {
			c.Leave()
		} else {
			c.Release(false)
		}
	}
	s.clients, s.held = nil, nil
	time.Sleep(time.Nanosecond)
	synctest.Wait() // what is due because of it
	q, err := s.Lookup("sync")
	if err != nil {
		s.t.Fatal(err)
	}
	c := newClient(s.Engine)
	s.ids = append(s.ids, c.mustAddDurable(s.t, q))
	c.Release(false)
	synctest.Wait()
}

// mustAddDurable puts a task and waits until that is durable.
func (c *client) mustAddDurable(t *testing.T, q *queue.Queue) reeve.ID {
	t.Helper()
	tag := c.add(q, reeve.Task{})
	synctest.Wait()
	if r := c.must(t, tag); r.err != nil {
		t.Fatal(r.err)
	}
	return c.must(t, tag).first
}

// restart ends the engine in some way, and compares what comes back.
func (s *scene) restart() {
	s.quiesce()
	was := snap(s.t, s.Engine, s.ids)
	for range 1 + s.rnd.IntN(2) {
		s.end(false)
		is := snap(s.t, s.Engine, s.ids)
		if d := was.diff(is); d != "" {
			s.t.Fatalf("after the restart:\n%s", d)
		}
	}
}

// end ends the engine and opens it again; unused: nobody asks for any queue.
func (s *scene) end(unused bool) {
	old := s.Engine
	switch s.rnd.IntN(3) {
	case 0:
		s.note("kill")
		s.journal = s.journal.Crash(journaltest.Kill())
		old.Close() // it can write nothing any more
	case 1:
		s.note("power cut")
		s.journal = s.journal.Crash(journaltest.PowerCut())
		old.Close()
	default:
		s.note("close")
		if err := old.Close(); err != nil {
			s.t.Error(err)
		}
		s.journal = s.journal.Crash(journaltest.Kill())
	}
	time.Sleep(time.Nanosecond) // a time of 0 has a meaning of its own
	s.open()
	if !unused {
		for i := range 3 {
			_, _ = s.Lookup(fmt.Sprint("q", i)) // it may be deleted
		}
	}
	synctest.Wait()
}

package manager_test

// A master with a journal is over only for as long as it takes to start the
// next one: what was acknowledged is there, and clients go on where they were.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/worker"
)

// owners are those that a journal has had, the last of which has it now.
type owners []*journaltest.Memory

func (o *owners) now() *journaltest.Memory { return (*o)[len(*o)-1] }

// kept is the configuration of a master whose queues survive power cuts as far
// as they were synced.
func kept(t testing.TB, o *owners) manager.Config {
	t.Helper()
	return manager.Config{Heartbeat: manager.DefaultHeartbeat, Journal: managertest.Reopen(func(prev journal.Journal) (journal.Journal, error) {
		next := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		if prev != nil {
			next = prev.(*journaltest.Memory).Crash(journaltest.PowerCut())
		}
		*o = append(*o, next)
		return next, nil
	})}
}

func TestJournal_ARestartKeepsWhatWasAcknowledged(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
		if r := m.Manager().Recovered(); !r.Journal || r.Tasks != 0 || r.Queues != 0 {
			t.Errorf("an empty journal gave %+v", r)
		}
		c := m.Dial(t)
		q, epoch := c.Queue("tasks"), c.Epoch()
		ids := put(t, q, 3)
		done := get(t, q)
		if err := done.Complete(t.Context(), "", reeve.Task{Payload: []byte("result")}); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		r := m.Manager().Recovered()
		if r.Queues != 1 || r.Tasks != 2 || r.Results != 1 || r.Bytes == 0 {
			t.Errorf("recovered %+v", r)
		}
		managertest.AssertState(t, c, ids[0], reeve.StateDone)
		for _, want := range []string{"1", "2"} {
			l := get(t, q)
			if string(l.Payload) != want {
				t.Errorf("got %q, want %q", l.Payload, want)
			}
			if err := l.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if res, err := c.Result(t.Context(), ids[0]); err != nil || string(res.Payload) != "result" {
			t.Errorf("%+v, %v", res, err)
		}
		if c.Epoch() != epoch {
			t.Error("the client cannot see that the master remembers it")
		}
	}, kept(t, &o))
}

func TestJournal_AWorkerGoesOnWithItsTaskOverARestart(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *managertest.Master){
		"killed":   func(_ *testing.T, m *managertest.Master) { m.Kill() },
		"closed":   func(_ *testing.T, m *managertest.Master) { m.Manager().Close() },
		"in order": func(t *testing.T, m *managertest.Master) { m.Manager().Shutdown(ended(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			var o owners
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1, KeepResult: time.Hour})
				c := m.Dial(t)
				runs, goOn := 0, make(chan struct{})
				w := worker.New(c.Queue("tasks"), worker.Config{})
				w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
					runs++
					<-goOn
					return []byte("done"), nil
				})
				r := runWorker(t, w)
				id := putOne(t, c.Queue("tasks"), "x")
				settle()
				end(t, m)
				m.Restart(t)
				time.Sleep(10 * time.Second) // it is back
				close(goOn)
				settle()
				managertest.AssertState(t, m.Manager(), id, reeve.StateDone)
				q, err := m.Manager().Lookup("tasks")
				if err != nil {
					t.Fatal(err)
				}
				if s := statsOf(t, q); runs != 1 || s.Done != 1 || s.Lost != 0 {
					t.Errorf("ran %d times: %+v", runs, s)
				}
				r.stop()
				if err := <-r.err; err != nil {
					t.Error(err)
				}
			}, kept(t, &o))
		})
	}
}

// ended is a context that has ended.
func ended(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestJournal_WhenItFailsTheMasterEndsAtOnceAndTheNextGoesOn(t *testing.T) {
	for name, op := range map[string]journaltest.Op{"append": journaltest.OpAppend, "sync": journaltest.OpSync} {
		t.Run(name, func(t *testing.T) {
			var o owners
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				own := m.Declare(t, "tasks", reeve.QueueConfig{})
				c := m.Dial(t)
				served := make(chan error, 1)
				ln, err := (&memnet.Network{}).Listen("another")
				if err != nil {
					t.Fatal(err)
				}
				go func() { served <- m.Manager().Serve(context.Background(), ln) }()
				putOne(t, c.Queue("tasks"), "before")
				if err := m.Manager().Err(); err != nil {
					t.Errorf("a master that runs: %v", err)
				}
				o.now().Fail(op, 1, errors.New("the disk is on fire"))
				put := make(chan error, 1)
				go func() {
					_, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("meanwhile")}})
					put <- err
				}()
				if err := <-served; !errors.Is(err, reeve.ErrJournal) || !strings.Contains(err.Error(), "the disk is on fire") {
					t.Errorf("Serve returned %v", err)
				}
				<-m.Manager().Done()
				if err := m.Manager().Err(); !errors.Is(err, reeve.ErrJournal) {
					t.Errorf("Err is %v", err)
				}
				if n := m.Manager().Stats().Sessions; n != 0 {
					t.Errorf("%d sessions stand", n)
				}
				if _, err := own.Put(t.Context(), []reeve.Task{{}}); err == nil {
					t.Error("a put after the end")
				}
				if _, err := m.Manager().Queues(t.Context()); !errors.Is(err, reeve.ErrJournal) {
					t.Errorf("an operator is told %v", err)
				}
				if err := m.Manager().ListenAndServe(t.Context(), "127.0.0.1:0"); !errors.Is(err, reeve.ErrJournal) {
					t.Errorf("Serve afterwards: %v", err)
				}
				if err := m.Manager().Close(); !errors.Is(err, reeve.ErrJournal) {
					t.Errorf("Close: %v", err)
				}
				settle()
				select {
				case err := <-put:
					t.Errorf("the client was told %v by a master that cannot know", err)
				default:
				}
				m.Restart(t)
				if err := <-put; err != nil {
					t.Errorf("the next master: %v", err)
				}
				for _, want := range []string{"before", "meanwhile"} {
					if l := get(t, c.Queue("tasks")); string(l.Payload) != want {
						t.Errorf("got %q, want %q", l.Payload, want)
					}
				}
				if s := statsOf(t, c.Queue("tasks")); s.Ready != 0 {
					t.Errorf("something is there twice: %+v", s)
				}
			}, kept(t, &o))
		})
	}
}

func TestJournal_CloseSaysWhatCouldNotBeMadeDurable(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Durability: reeve.DurabilityNone})
		putOne(t, q, "x")
		o.now().Fail(journaltest.OpClose, 1, errors.New("the disk is on fire"))
		for range 2 {
			if err := m.Manager().Close(); !errors.Is(err, reeve.ErrJournal) {
				t.Errorf("%v", err)
			}
		}
	}, kept(t, &o))
}

func TestJournal_AFullDiskRefusesPutsAndNothingElse(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		own := m.Declare(t, "tasks", reeve.QueueConfig{})
		q := m.Dial(t).Queue("tasks")
		put(t, q, 2)
		o.now().SetSpace(journaltest.ReserveOnly)
		refused := func() (n int) {
			for side, q := range map[string]reeve.Queue{"client": q, "master": own} {
				_, err := q.Put(t.Context(), []reeve.Task{{}})
				if err != nil && !errors.Is(err, reeve.ErrJournalFull) {
					t.Errorf("%s: %v", side, err)
				}
				if err != nil {
					n++
				}
			}
			return n
		}
		for range 10 { // the first finds out
			refused()
		}
		if n := refused(); n != 2 {
			t.Errorf("%d of 2 puts were refused", n)
		}
		if err := get(t, q).Ack(t.Context()); err != nil {
			t.Errorf("ack: %v", err)
		}
		o.now().SetSpace(journaltest.Enough)
		time.Sleep(time.Minute)
		if n := refused(); n != 0 {
			t.Errorf("%d of 2 puts are refused though there is space again", n)
		}
	}, kept(t, &o))
}

func TestJournal_NewSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	first, err := manager.New(manager.Config{AuthKey: testKey(t), Journal: m})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Queue("tasks", reeve.QueueConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	next := m.Crash(journaltest.Kill())
	next.Damage(next.Stats().First)
	_, err = manager.New(manager.Config{AuthKey: testKey(t), Journal: next})
	if damaged, ok := errors.AsType[*journal.CorruptError](err); !ok || damaged.Pos == 0 {
		t.Errorf("%v", err)
	}
}

func TestJournal_QueuesThatNobodyDeclaresAreThere(t *testing.T) {
	var o owners
	cfg := kept(t, &o)
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for i := range 3 {
			q, err := m.Manager().Queue(fmt.Sprint("queue", i), reeve.QueueConfig{}) // and not again by Restart
			if err != nil {
				t.Fatal(err)
			}
			put(t, q, i+1)
		}
		m.Restart(t)
		c := m.Dial(t)
		for i := range 3 {
			managertest.AssertReady(t, c.Queue(fmt.Sprint("queue", i)), i+1)
		}
		var missing *reeve.NoSuchQueueError
		if _, err := c.Queue("queue3").Stats(t.Context()); !errors.As(err, &missing) || len(missing.Known) != 3 {
			t.Errorf("%v", err)
		}
	}, cfg)
}

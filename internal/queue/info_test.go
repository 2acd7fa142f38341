package queue_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestInfo_TellsWhatAHolderHasInAllQueues(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, p := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newClient(e)
		w := newClient(e)
		if queues, running, leases := w.Info(); len(queues)+len(running)+leases != 0 {
			t.Errorf("a new one has %v %v %d", queues, running, leases)
		}
		b.Consume(w.Holder, 1, 3, reeve.GetOptions{Types: []string{"mail"}, Labels: []string{"gpu"}})
		a.Consume(w.Holder, 2, 1, reeve.GetOptions{})
		b.Consume(w.Holder, 3, 4, reeve.GetOptions{Types: []string{}})
		ids := []reeve.ID{p.mustAdd(t, b, reeve.Task{Type: "mail"})}
		sleep(time.Second)
		w.Touch()
		ids = append(ids, p.mustAdd(t, a, reeve.Task{}), p.mustAdd(t, b, reeve.Task{Type: "mail"}))
		p.mustAdd(t, a, reeve.Task{}) // has no slot
		sleep(2 * time.Second)
		queues, running, leases := w.Info()
		if want := []reeve.WorkerQueue{
			{Supply: 2, Queue: "a", Slots: 1, Used: 1},
			{Supply: 1, Queue: "b", Types: []string{"mail"}, Labels: []string{"gpu"}, Slots: 3, Used: 2},
			{Supply: 3, Queue: "b", Types: []string{}, Slots: 4},
		}; !reflect.DeepEqual(queues, want) {
			t.Errorf("queues: %+v", queues)
		}
		if want := []reeve.WorkerTask{
			{Queue: "b", ID: ids[0], Type: "mail", Attempt: 1, Age: 3 * time.Second},
			{Queue: "a", ID: ids[1], Attempt: 1, Age: 2 * time.Second},
			{Queue: "b", ID: ids[2], Type: "mail", Attempt: 1, Age: 2 * time.Second},
		}; !reflect.DeepEqual(running, want) {
			t.Errorf("running: %+v", running)
		}
		if leases != 3 {
			t.Errorf("%d leases", leases)
		}
		w.Release(true)
		if queues, running, leases := w.Info(); len(queues)+len(running)+leases != 0 {
			t.Errorf("a released one has %v %v %d", queues, running, leases)
		}
	})
}

func TestInfo_TellsOfTheOldestLeasesOfVeryMany(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a, b, p, w := declare(t, e, "a", reeve.QueueConfig{}), declare(t, e, "b", reeve.QueueConfig{}), newClient(e), newClient(e)
		for i, q := range []*queue.Queue{a, b, a, b} {
			w.Touch()
			p.put(q, make([]string, 100)...)
			w.take(t, q, 100)
			if i < 3 {
				sleep(time.Second)
			}
		}
		_, running, leases := w.Info()
		if leases != 400 || len(running) != 256 {
			t.Fatalf("%d of %d leases", len(running), leases)
		}
		for i, task := range running {
			if want := time.Duration(3-i/100) * time.Second; task.Age != want {
				t.Fatalf("the %dth is %v old, want %v", i, task.Age, want)
			}
		}
	})
}

func TestInfo_GivesAGroupInEachOfItsQueues(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		a := declare(t, e, "a", reeve.QueueConfig{})
		declare(t, e, "b", reeve.QueueConfig{})
		w := newClient(e)
		if g, err := e.ConsumeFrom(w.Holder, 1, 2, []reeve.Source{{Queue: "b"}, {Queue: "a"}}, reeve.GetOptions{}); g == nil || err != nil {
			t.Fatal(g, err)
		}
		w.put(a, "task")
		queues, _, _ := w.Info()
		if want := []reeve.WorkerQueue{{Supply: 1, Queue: "a", Slots: 2, Used: 1}, {Supply: 1, Queue: "b", Slots: 2}}; !reflect.DeepEqual(queues, want) {
			t.Errorf("%+v", queues)
		}
	})
}

func TestHeard_IsHowLongAHolderHasBeenSilent(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, w, local := declare(t, e, "q", reeve.QueueConfig{}), newClient(e), e.NewHolder(newClient(e), true)
		heard := func(want time.Duration) {
			t.Helper()
			if d := w.Heard(); d != want {
				t.Errorf("heard of %v ago, want %v", d, want)
			}
		}
		heard(0)
		sleep(5 * time.Second)
		heard(5 * time.Second)
		if d := local.Heard(); d != 0 {
			t.Errorf("one in this process was heard of %v ago", d)
		}
		w.Info() // somebody else asks
		q.Stats()
		heard(5 * time.Second)
		w.put(q, "task") // who asks is alive
		heard(0)
		sleep(time.Second)
		w.Touch()
		heard(0)
	})
}

// A holder's name is where people look for it: in the tasks, in what became of
// them, and in the reasons.
func TestName_IsToldWhereAWorkerIsNamed(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q := declare(t, e, "q", reeve.QueueConfig{})
		sub, err := e.Subscribe(nil, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		w := newClient(e)
		w.SetName("mailer@host:7#3")
		id := w.mustAdd(t, q, reeve.Task{})
		w.take(t, q, 1)
		i, err := e.Task(id)
		if err != nil || i.Worker != "mailer@host:7#3" {
			t.Errorf("%+v, %v", i, err)
		}
		w.Release(false)
		if i, err = e.Task(id); err != nil || i.Worker != "" || i.History[0].Worker != "mailer@host:7#3" || i.History[0].Outcome != "lost" {
			t.Errorf("%+v, %v", i, err)
		}
		named := map[reeve.EventKind]string{}
		for _, ev := range sub.Take(100) {
			named[ev.Kind] = ev.Worker
		}
		if named[reeve.EventStarted] != "mailer@host:7#3" || named[reeve.EventLost] != "mailer@host:7#3" || named[reeve.EventPut] != "" {
			t.Errorf("events name %v", named)
		}
	})
}

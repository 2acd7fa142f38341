package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
)

// watching runs f on fake time with a master that is watched. said counts how
// often a text was logged.
func watching(t *testing.T, f func(t *testing.T, m *manager.Master, said func(string) int)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		key, _, err := auth.GenerateKey("test")
		if err != nil {
			t.Fatal(err)
		}
		m, err := manager.New(manager.Config{AuthKey: key})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var out bytes.Buffer
		console := program.NewConsole(&out)
		w := newWatch(m, (&program.LogFlags{}).New(console), time.Minute, false)
		f(t, m, func(text string) int {
			synctest.Wait()
			n := 0
			console.Update(func() { n = strings.Count(out.String(), text) }) // keeps writers out
			return n
		})
		w.stop()
		t.Log(out.String())
	})
}

func declare(t *testing.T, m *manager.Master, name string, cfg reeve.QueueConfig) reeve.Queue {
	t.Helper()
	q, err := m.Queue(name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func put(t *testing.T, q reeve.Queue, opts ...reeve.PutOption) reeve.ID {
	t.Helper()
	ids, err := q.Put(t.Context(), []reeve.Task{{}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func TestWatch_SumsUpWhatChangedAndWarnsOfStandstill(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, m *manager.Master, said func(string) int) {
		q := declare(t, m, "tasks", reeve.QueueConfig{})
		time.Sleep(time.Minute) // the queue is new
		before := said("summary")
		time.Sleep(10 * time.Minute)
		if said("summary") != before {
			t.Error("a summary of nothing")
		}
		declare(t, m, "quiet", reeve.QueueConfig{})
		time.Sleep(time.Minute)
		before = said("summary")
		put(t, q)
		time.Sleep(time.Minute)
		if said("tasks.ready=1") != 1 || said("quiet.") != 0 {
			t.Error("want a summary of the queue with the task alone")
		}
		time.Sleep(10 * time.Minute)
		if said("no progress") != 1 || said("no worker takes from this queue") != 1 || said("summary") != before+1 {
			t.Error("want one warning, with its reason, and no further summary")
		}
	})
}

func TestWatch_TellsWhatEndedInAnotherWayOnceItHas(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, m *manager.Master, said func(string) int) {
		q := declare(t, m, "tasks", reeve.QueueConfig{})
		put(t, q, reeve.WithExpiry(90*time.Second))
		id := put(t, q)
		time.Sleep(time.Minute)
		if said("cancelled=") != 0 || said("expired=") != 0 {
			t.Error("what has not happened is told")
		}
		if err := m.Cancel(t.Context(), id, "no"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if said("tasks.cancelled=1 tasks.expired=1") != 1 {
			t.Error("what has happened is not told")
		}
	})
}

func TestWatch_DoesNotWarnOfAQueueThatIsPausedOrOutsideOfItsWindows(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, m *manager.Master, said func(string) int) {
		paused := declare(t, m, "paused", reeve.QueueConfig{})
		if err := paused.Pause(t.Context(), "maintenance"); err != nil {
			t.Fatal(err)
		}
		now := time.Now().UTC()
		from := time.Duration((now.Hour()+2)%24) * time.Hour
		put(t, paused)
		put(t, declare(t, m, "closed", reeve.QueueConfig{Windows: []reeve.Window{{From: from, To: (from + time.Hour) % (24 * time.Hour)}}}))
		time.Sleep(30 * time.Minute)
		if said("no progress") != 0 || said("paused.paused=true") == 0 || said("closed.outside_windows=true") == 0 {
			t.Error("want a summary and no warning")
		}
		if err := paused.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if said("no progress") != 1 {
			t.Error("no warning when it is not paused any more")
		}
	})
}

func TestWatch_TellsWhyWorkersTakeNothing(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, m *manager.Master, said func(string) int) {
		for name, opt := range map[string]reeve.PutOption{"types": reeve.WithType("mail"), "busy": reeve.WithType("resize")} {
			q := declare(t, m, name, reeve.QueueConfig{})
			consumer, err := q.Consume(t.Context(), 1, reeve.ForTypes("resize"))
			if err != nil {
				t.Fatal(err)
			}
			defer consumer.Close()
			put(t, q, opt)
			put(t, q, opt)
		}
		time.Sleep(5 * time.Minute)
		if said(`queue=types ready=2 leased=0 for=1m0s why="workers wait, but take nothing`) != 1 || said(`queue=busy ready=1 leased=1 for=1m0s why="all workers are busy"`) != 1 {
			t.Error("the reasons are not told")
		}
	})
}

func TestWatch_DoesNotWarnOfAQueueThatKeepsToItsRate(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, m *manager.Master, said func(string) int) {
		slow := declare(t, m, "slow", reeve.QueueConfig{Rate: reeve.Rate{Tasks: 1, Per: 24 * time.Hour}})
		put(t, slow)
		put(t, slow)
		leases, err := slow.Get(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := leases[0].Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		if said("no progress") != 0 {
			t.Error("a warning of a queue whose next task is not due")
		}
	})
}

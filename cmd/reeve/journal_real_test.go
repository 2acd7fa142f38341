package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// openSite is a master that keeps its queues in dir.
func openSite(t *testing.T, dir string, queues ...string) *site {
	t.Helper()
	j, err := file.Open(dir, file.Options{SegmentSize: file.MinSegmentSize})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, m: managertest.Start(t, manager.Config{Journal: j})}
	for _, name := range queues {
		s.m.Declare(t, name, reeve.QueueConfig{KeepResult: time.Hour})
	}
	return s
}

// tasks are the ids and states of a queue's tasks, and their payloads.
func (s *site) tasks(queue string) string {
	s.t.Helper()
	var b strings.Builder
	page, err := s.m.Manager().List(s.t.Context(), queue, reeve.Filter{}, reeve.ListOptions{Max: reeve.MaxBatch, Payload: reeve.NoLimit})
	if err != nil || page.Next != 0 {
		s.t.Fatal(err, page.Next)
	}
	for _, task := range page.Tasks {
		b.WriteString(task.ID.String() + " " + task.State.String() + " " + string(task.Payload) + "\n")
	}
	return b.String()
}

func TestReal_ABackupIsAnotherMaster(t *testing.T) {
	t.Parallel()
	s := openSite(t, filepath.Join(t.TempDir(), "data"), "tasks", "busy")
	s.put("tasks", "ready")
	s.put("tasks -delay 1h", "delayed")
	s.put("tasks -attempts 1 -priority 9", "dead")
	if err := s.take("tasks").Nack(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	done := s.put("tasks -priority 9", "done")
	if err := s.take("tasks").Complete(t.Context(), "", reeve.Task{Payload: []byte("result")}); err != nil {
		t.Fatal(err)
	}
	s.put("tasks", strings.Repeat("long", 1<<18))
	s.says("queue tasks is paused\n", "pause tasks -reason", "deploy")
	want := s.tasks("tasks")

	// Somebody works on meanwhile, and what is done is trimmed.
	busy, err := s.m.Manager().Lookup("busy")
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped, begun := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() { // received below
		defer close(stopped)
		for i := 0; ; i++ {
			if i == 200 {
				close(begun)
			}
			select {
			case <-stop:
				return
			default:
			}
			if _, err := busy.Put(t.Context(), []reeve.Task{{Payload: []byte(strings.Repeat("x", 1000))}}); err != nil {
				t.Error(err)
				return
			}
			ls, err := busy.Get(t.Context(), 1)
			if err == nil {
				err = ls[0].Ack(t.Context())
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	<-begun
	backup, stderr := s.run(0, "", "backup")
	close(stop)
	<-stopped
	if !strings.HasPrefix(stderr, "reeve: backed up: ") {
		t.Error(stderr)
	}

	newDir := filepath.Join(t.TempDir(), "new")
	journalRun(t, backup, []string{"restore", "-", newDir}, 0, "*", "")
	journalRun(t, "", []string{"check", newDir}, 0, "*", "")
	again := openSite(t, newDir)
	if got := again.tasks("tasks"); got != want {
		t.Errorf("there are\n%s, want\n%s", got, want)
	}
	again.says("result\n", "result "+done)
	again.says("(?s).*paused: deploy.*", "ls tasks")
	if n := strings.Count(again.tasks("busy"), "\n"); n > 1 {
		t.Errorf("%d tasks of one that has one at a time", n)
	}
}

// Whatever is damaged, a master goes on with what is salvaged.
func TestReal_WhatIsSalvagedIsAMaster(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := openSite(t, dir, "tasks", "later")
	for i := range 300 {
		s.putDirectly(i)
	}
	s.m.Kill()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 10 {
		bad := filepath.Join(t.TempDir(), strconv.Itoa(round))
		if err := os.CopyFS(bad, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat(bad)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(5) {
			seg := info.Segments[r.IntN(len(info.Segments))]
			flip(t, seg.File, r.Int64N(seg.Bytes))
		}
		_, stdout, stderr := runWith(t, "", nil, "", "journal", "salvage", bad, bad+"-new")
		journalRun(t, "", []string{"check", bad + "-new"}, 0, "*", "")
		again := openSite(t, bad+"-new")
		found := 0
		stats := again.m.Manager().QueueStats()
		for _, q := range stats {
			found += q.Ready + q.Leased + q.Delayed + q.Dead
		}
		if found < 50 || len(stats) < 1 {
			t.Errorf("seed %d, round %d: %d tasks in %d queues\n%s%s", seed, round, found, len(stats), stdout, stderr)
		}
		again.m.Kill()
	}
}

// putDirectly puts a task, and every third time ends one.
func (s *site) putDirectly(i int) {
	s.t.Helper()
	q, err := s.m.Manager().Lookup([]string{"tasks", "later"}[i%2])
	if err == nil {
		_, err = q.Put(s.t.Context(), []reeve.Task{{Payload: []byte(strings.Repeat("x", 1000))}})
	}
	if err == nil && i%3 == 0 {
		err = s.take(q.Name()).Ack(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func flip(t *testing.T, name string, at int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (at % 8)
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

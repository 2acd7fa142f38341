package queue_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

func openObjects(t *testing.T, j *journaltest.Memory) *queue.Engine {
	t.Helper()
	e, err := queue.Open(context.Background(), queue.Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Who remembers answers has a lock of his own, and records objects with it held.
func TestObjects_CleaningAsksForAnswersWithNothingLocked(t *testing.T) {
	t.Parallel()
	e := openObjects(t, journaltest.NewMemory(journaltest.MemoryConfig{TB: t}))
	defer e.Close()
	id := queue.ClientID{Key: "k", Process: [16]byte{1}}
	e.Clients().Attach(id)
	o := e.Objects()
	asked := make(chan bool, 1)
	o.SetRecall(func(queue.ObjectCall) bool {
		added := make(chan struct{})
		go func() {
			o.Add("map", "another", nil)
			close(added)
		}()
		ok := false
		select {
		case <-added:
			ok = true
		case <-time.After(10 * time.Second):
		}
		select {
		case asked <- ok:
		default: // the first one counts
		}
		return false
	})
	no := o.Add("map", "m", nil)
	told := make(chan error, 1)
	for i := 0; ; i++ {
		if i == 10_000 {
			t.Fatal("the journal was not cleaned")
		}
		change := []queue.ObjectEntry{{Key: "k", Value: make([]byte, 1000)}}
		o.Change(no, change, &queue.ObjectCall{Client: id, Req: uint64(i)}, []byte{1}, func(err error) { told <- err })
		select {
		case ok := <-asked:
			if !ok {
				t.Fatal("an object cannot be recorded while the cleaner asks who remembers an answer")
			}
			return
		case err := <-told:
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestObjects_WhatWasDroppedCountsNoMoreAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		e := openObjects(t, j)
		o := e.Objects()
		entries := func(prefix string) (list []queue.ObjectEntry) {
			for i := range 10 {
				list = append(list, queue.ObjectEntry{Key: fmt.Sprint(prefix, i), Value: make([]byte, 100)})
			}
			return list
		}
		kept, dropped := o.Add("map", "kept", []byte{1}), o.Add("map", "dropped", nil)
		none := func(error) {}
		o.Change(kept, entries("k"), nil, nil, none)
		o.Change(dropped, entries("d"), nil, nil, none)
		o.Drop(dropped, none)
		synctest.Wait()
		want := o.Bytes()
		j = j.Crash(journaltest.Kill())
		e.Close() // finds that the journal is another's
		e = openObjects(t, j)
		defer e.Close()
		if got := e.Objects().Bytes(); got != want {
			t.Errorf("%d bytes live after a restart, %d before", got, want)
		}
	})
}

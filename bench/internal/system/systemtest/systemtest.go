// Package systemtest checks adapters: that they do what package system says of
// them, with the server that they start. It says nothing of how fast they are.
package systemtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// bound is how long one check may take.
const bound = time.Minute

// Start starts the server of s, to be stopped with the test. It returns nil, and
// says so where it is seen, when the server is not on this machine.
func Start(t *testing.T, s system.System, set system.Settings) *system.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), system.StartTimeout)
	defer cancel()
	set.Dir, set.Log = t.TempDir(), t.Output()
	server, err := s.Start(ctx, set)
	switch {
	case errors.Is(err, system.ErrAbsent):
		fmt.Fprintf(os.Stderr, "\nNOT TESTED: %s: %v\n\n", s.Name(), err)
		return nil
	case err != nil:
		t.Fatal(err)
	case server.Version == "" || server.PID == 0:
		t.Errorf("version %q, pid %d", server.Version, server.PID)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Dial makes a connection, to be closed with the test.
func Dial(t *testing.T, s system.System, endpoint string) system.Client {
	t.Helper()
	c, err := s.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Pipeline puts tasks of so many bytes, has a worker square them, and checks that
// each result comes once.
func Pipeline(t *testing.T, s system.System, endpoint string, tasks, bytes int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	ready := make(chan struct{})
	go func() { // ends with working, received below
		worked <- work(ctx, working, s, endpoint, func() { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-worked:
		t.Fatal(err)
	}
	in, err := Dial(t, s, endpoint).Consume(ctx, "results", 2*s.Batch())
	if err != nil {
		t.Fatal(err)
	}
	payloads := make([][]byte, tasks)
	for i := range payloads {
		payloads[i] = make([]byte, bytes)
		binary.BigEndian.PutUint64(payloads[i], uint64(i))
	}
	if err := Dial(t, s, endpoint).Put(ctx, "tasks", payloads); err != nil {
		t.Fatal(err)
	}
	seen := make(map[uint64]int)
	for range tasks {
		if len(seen) == tasks {
			break
		}
		items, err := in.Next(ctx, nil, s.Batch())
		if err != nil {
			t.Fatalf("after %d of %d results: %v", len(seen), tasks, err)
		}
		for _, item := range items {
			seen[binary.BigEndian.Uint64(item.Payload)]++
		}
		if err := in.End(ctx, items, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(tasks) {
		if seen[i*i] != 1 {
			t.Errorf("the result of %d came %d times", i, seen[i*i])
		}
	}
	stop()
	if err := <-worked; err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
}

func square(task []byte) []byte {
	result := make([]byte, len(task))
	n := binary.BigEndian.Uint64(task)
	binary.BigEndian.PutUint64(result, n*n)
	return result
}

// work squares tasks until working ends, and finishes what it has.
func work(ctx, working context.Context, s system.System, endpoint string, ready func()) error {
	if r, ok := s.(system.Runner); ok {
		return r.Run(working, endpoint, "tasks", "results", square, ready)
	}
	c, err := s.Dial(ctx, endpoint)
	if err != nil {
		return err
	}
	defer c.Close()
	in, err := c.Consume(ctx, "tasks", 2*s.Batch())
	if err != nil {
		return err
	}
	defer in.Close()
	ready()
	for {
		items, err := in.Next(working, nil, s.Batch())
		if working.Err() != nil {
			return in.Flush(ctx)
		}
		if err != nil {
			return err
		}
		results := make([][]byte, len(items))
		for i := range items {
			results[i] = square(items[i].Payload)
		}
		if err := in.End(ctx, items, "results", results); err != nil {
			return err
		}
	}
}

// Objects does each operation of a client once.
func Objects(t *testing.T, o system.Objects) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for name, err := range map[string]error{
		"call": o.Call(ctx), "lock": o.Lock(ctx), "lock again": o.Lock(ctx),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.Set(ctx, "a key"); err != nil {
		t.Error(err)
	}
	if err := o.Get(ctx, "a key"); err != nil {
		t.Error(err)
	}
}

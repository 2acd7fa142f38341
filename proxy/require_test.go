package proxy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

func TestRequire_WhatTheMasterHasIsNoError(t *testing.T) {
	t.Parallel()
	_, addr, cfg := serveAt(t, unixSocket(t), "tasks", "results")
	cfg.Require = []string{"results", "$master", "tasks"}
	connectTo(t, addr, cfg)
}

func TestRequire_WhatIsMissingIsToldByDial(t *testing.T) {
	t.Parallel()
	_, addr, cfg := serveAt(t, unixSocket(t), "tasks", "results")
	cfg.Require = []string{"tasks", "taks", "scores"}
	c, err := proxy.Dial(t.Context(), addr, cfg)
	if err == nil {
		c.Close()
		t.Fatal("no error")
	}
	var queue *reeve.NoSuchQueueError
	var object *reeve.NoSuchNameError
	if !errors.As(err, &queue) || !errors.As(err, &object) || !errors.Is(err, reeve.ErrNoSuchQueue) || !errors.Is(err, reeve.ErrNoSuchName) {
		t.Fatalf("%v", err)
	}
	slices.Sort(queue.Known)
	if queue.Name != "taks" || object.Name != "taks" || !slices.Equal(queue.Known, []string{"results", "tasks"}) {
		t.Errorf("%+v %+v", queue, object)
	}
	for _, part := range []string{`"taks", "scores"`, "tasks", "results", "objects: none"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not tell %s", err, part)
		}
	}
}

func TestRequire_OfManyQueuesTheTextNamesSome(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("queue-%d", i))
	}
	_, addr, cfg := serveAt(t, unixSocket(t), names...)
	cfg.Require = []string{"taks"}
	_, err := proxy.Dial(t.Context(), addr, cfg)
	queue, ok := errors.AsType[*reeve.NoSuchQueueError](err)
	if !ok || len(queue.Known) != 100 || !strings.Contains(err.Error(), "queue-63, and 36 more;") {
		t.Errorf("%v", err)
	}
}

// TestDial_SeveralMastersShareNothing has two masters with queues of the same
// name, with different keys.
func TestDial_SeveralMastersShareNothing(t *testing.T) {
	t.Parallel()
	first, firstAddr, firstCfg := serveAt(t, "127.0.0.1:0", "tasks")
	_, secondAddr, secondCfg := serveAt(t, unixSocket(t), "tasks")
	a, b := connectTo(t, firstAddr, firstCfg), connectTo(t, secondAddr, secondCfg)
	if a.Epoch() == b.Epoch() {
		t.Errorf("one epoch for two masters: %d", a.Epoch())
	}
	qa, qb := proxy.QueueOf[string](a, "tasks"), proxy.QueueOf[string](b, "tasks")
	for i, q := range []*reeve.TypedQueue[string]{qa, qb, qb} {
		if _, err := q.Put(t.Context(), "task of the "+[]string{"first", "second", "second"}[i]); err != nil {
			t.Fatal(err)
		}
	}
	first.Close() // the other does not notice
	for range 2 {
		item, err := qb.Get(t.Context())
		if err != nil || item.Value != "task of the second" {
			t.Fatalf("%v, %v", item, err)
		}
		if err := item.Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := qb.TryGet(t.Context()); !errors.Is(err, reeve.ErrEmpty) {
		t.Errorf("%v", err)
	}
}

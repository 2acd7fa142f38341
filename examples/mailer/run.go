package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/worker"
)

const (
	perSecond = 50                      // mails that the server takes
	attempts  = 3                       // at a mail, before it is a dead letter
	remindIn  = 1500 * time.Millisecond // from the beginning on
)

// run writes the letters, has them sent, brings the dead ones back, and checks
// what the server got.
func run(ctx context.Context, out io.Writer) error {
	key, _, err := auth.GenerateKey("mailer")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	if _, err := m.Queue("mails", reeve.QueueConfig{
		Rate:       reeve.Rate{Tasks: perSecond},
		Attempts:   attempts,
		Backoff:    reeve.Backoff{Base: 50 * time.Millisecond},
		KeepResult: patience, // what became of a letter can be asked for
	}); err != nil {
		return err
	}
	mails, err := manager.QueueOf[Mail](m, "mails")
	if err != nil {
		return err
	}

	// Nothing is sent before all is written, for the order to be seen.
	if err := mails.Raw().Pause(ctx, "the letters are being written"); err != nil {
		return err
	}
	remindAt := time.Now().Add(remindIn)
	ids, err := write(ctx, mails, remindAt, out)
	if err != nil {
		return err
	}
	s := newServer()
	stop := startWorker(ctx, mails, s)
	defer stop()
	begun := time.Now()
	if err := mails.Raw().Resume(ctx); err != nil {
		return err
	}

	dead, err := waitForAll(ctx, m, ids, out)
	if err != nil {
		return err
	}
	s.repair()
	revived, err := m.Revive(ctx, "mails", reeve.Filter{Error: errRefused.Error()})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "example.net is back: %d dead letters revived\n", revived)
	if dead, err = waitForAll(ctx, m, dead, io.Discard); err != nil {
		return err
	}
	_, again, err := writeNewsletter(ctx, mails, slices.Concat(customers, subscribers))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the newsletter is written once more: %d of %d have got it\n", again, len(customers)+len(subscribers))
	stats, err := mails.Stats(ctx)
	if err != nil {
		return err
	}
	return s.report(out, plan{begun: begun, remindAt: remindAt, dead: len(dead), left: stats.Unsettled()})
}

// write puts all letters, the urgent ones last.
func write(ctx context.Context, mails *reeve.TypedQueue[Mail], remindAt time.Time, out io.Writer) ([]reeve.ID, error) {
	ids, _, err := writeNewsletter(ctx, mails, customers)
	if err != nil {
		return nil, err
	}
	more, known, err := writeNewsletter(ctx, mails, subscribers)
	if err != nil {
		return nil, err
	}
	rest, err := writeRest(ctx, mails, remindAt)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%d letters to customers, %d to subscribers (%d are customers), %d urgent ones\n",
		len(ids), len(more), known, len(rest))
	return slices.Concat(ids, more, rest), nil
}

// startWorker has the mails sent until stop is called, which returns when the
// worker has ended.
func startWorker(ctx context.Context, mails *reeve.TypedQueue[Mail], s *server) (stop func()) {
	w := worker.New(mails, worker.Config{Concurrency: 1}) // one, for the order to be seen
	worker.HandleAck(w, "", func(ctx context.Context, m Mail) error {
		task, _ := worker.TaskFrom(ctx)
		switch err := s.send(task.ID, m); err {
		case errNobody:
			return worker.Permanent(err)
		case errLater:
			return worker.RetryAfter(nil, 300*time.Millisecond)
		default:
			return err // nil: sent; else it is tried again after its backoff
		}
	})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }() // received below
	return func() {
		cancel()
		<-done
	}
}

// waitForAll waits until each task has ended, tells which are dead, and returns
// them.
func waitForAll(ctx context.Context, m *manager.Master, ids []reeve.ID, out io.Writer) (dead []reeve.ID, err error) {
	for _, id := range ids {
		r, err := m.Wait(ctx, id)
		if err != nil {
			return nil, err
		}
		if r.State == reeve.StateDead {
			fmt.Fprintf(out, "letter %v: %s\n", id, r.Reason)
			dead = append(dead, id)
		}
	}
	return dead, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve"
)

// outcome is what came out of the queues.
type outcome struct {
	results     map[string][]string // by file; one each, if all is well
	dead        []reeve.DeadTask
	killed      int
	redelivered uint64 // hand-overs after the first
}

// compute has the workers compute all files and kills one of them halfway.
func (s *system) compute(files []string, out io.Writer) (*outcome, error) {
	tasks, results := s.client.Queue("tasks"), s.client.Queue("results")
	paths, err := put(s.ctx, tasks, files)
	if err != nil {
		return nil, s.cause(err)
	}

	// When every task is done or dead, all results there will be are on their
	// queue: a task is completed and its result put in one step. Shut down, the
	// queue gives out the rest, and then tells the loop below to end.
	joined := make(chan error, 1)
	go func() { // ends with the tasks, or with the system
		err := tasks.Join(s.ctx)
		if err == nil {
			err = results.Shutdown(s.ctx, false)
		}
		joined <- err
	}()

	o := &outcome{results: make(map[string][]string, len(files))}
	for n := 0; ; {
		leases, err := results.Get(s.ctx, 64)
		if errors.Is(err, reeve.ErrShutdown) {
			break
		}
		if err != nil {
			return nil, s.cause(err)
		}
		for _, l := range leases {
			file := paths[l.Source] // the task whose result this is
			o.results[file] = append(o.results[file], string(l.Payload))
			if err := l.Ack(s.ctx); err != nil {
				return nil, s.cause(err)
			}
			n++
			progress(out, n, len(files))
			if o.killed == 0 && n >= len(files)/2 {
				if err := s.killOne(out); err != nil {
					return nil, err
				}
				o.killed++
			}
		}
	}
	if err := <-joined; err != nil {
		return nil, s.cause(err)
	}
	stats, err := tasks.Stats(s.ctx)
	if err != nil {
		return nil, s.cause(err)
	}
	o.redelivered = stats.Redelivered
	if stats.Dead > 0 {
		o.dead, err = tasks.Dead(s.ctx, 0, shown)
	}
	return o, err
}

// put makes every file a task and returns the files by the ids of their tasks.
func put(ctx context.Context, tasks reeve.Queue, files []string) (map[reeve.ID]string, error) {
	paths := make(map[reeve.ID]string, len(files))
	for len(files) > 0 {
		batch := files[:min(len(files), 1000)]
		files = files[len(batch):]
		payloads := make([]reeve.Task, len(batch))
		for i, file := range batch {
			payloads[i].Payload = []byte(file)
		}
		ids, err := tasks.Put(ctx, payloads, reeve.WithType("checksum"))
		if err != nil {
			return nil, err
		}
		for i, id := range ids {
			paths[id] = batch[i]
		}
	}
	return paths, nil
}

// killOne kills the first worker in the middle of its work.
func (s *system) killOne(out io.Writer) error {
	w := s.workers[0]
	select {
	case <-w.Ended():
		return fmt.Errorf("worker 1 ended by itself: %w", w.Wait(s.ctx))
	default:
	}
	w.Kill()
	fmt.Fprintf(out, "worker 1: kill -9 %d\n", w.ID())
	return nil
}

// cause is why a call failed: err, or what ended the system.
func (s *system) cause(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// progress prints a line for every tenth.
func progress(out io.Writer, n, total int) {
	if n*10/total > (n-1)*10/total {
		fmt.Fprintf(out, "%3d %%  %d results\n", n*100/total, n)
	}
}

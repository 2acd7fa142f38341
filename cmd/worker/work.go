package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
	"github.com/urfave/cli/v3"
)

// work connects and runs tasks until the worker is stopped.
func work(ctx context.Context, cmd *cli.Command, o *options, env program.Env, stderr io.Writer) error {
	if err := errors.Join(o.validate(), program.CheckAddrs("-connect", o.connect), program.CheckDebugAddr(o.debugAddr)); err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	sources, err := o.queues.sources(o.strict)
	if err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	handle, kill, err := o.handler()
	if err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	log := o.log.New(program.NewConsole(stderr))
	key, err := o.key.ClientKey(cmd, env, o.connect, log)
	if err != nil {
		return err
	}
	stop, release := program.NotifyStop(ctx)
	defer release()
	l := newLink(log, o.once)
	stopDebug, err := program.ServeDebug(ctx, o.debugAddr, log, l.health)
	if err != nil {
		return err
	}
	defer stopDebug()

	far := &remote{}
	client, err := proxy.Dial(stop.Graceful, o.connect, proxy.Config{
		AuthKey: key, Name: "worker", DialOnce: o.once, OnState: l.onState, Control: far.control, Logger: log.Logger,
	})
	if err != nil {
		if stop.Graceful.Err() != nil {
			return nil // nothing had begun
		}
		return err
	}
	defer client.Close()
	if err := o.checkQueues(stop.Graceful, client); err != nil {
		return err
	}

	w := worker.New(source(client, sources), o.config(log))
	o.register(w, handle)
	far.w.Store(w)
	log.Info("worker started", "queue", o.queues.String(), "results", o.results, "concurrency", o.concurrency)
	done := make(chan error, 1)
	go func() { done <- w.Run(stop.Graceful) }() // received below, or by Close
	select {
	case err = <-done:
	case <-stop.Now.Done():
		kill()
		w.Close()
		return stop.Interrupted()
	case <-l.gone:
		kill()
		w.Close()
		return program.Fail(program.ExitUnavailable, l.why())
	}
	s := w.Stats()
	log.Info("worker ended", "done", s.Done, "failed", s.Failed+s.TimedOut, "returned", s.Returned, "dead", s.Buried, "lost", s.Lost)
	if errors.Is(err, worker.ErrUnanswered) {
		return program.Fail(program.ExitUnavailable, err)
	}
	return err
}

// source is where tasks are taken from.
func source(client *proxy.Client, sources []reeve.Source) worker.Source {
	if len(sources) == 1 {
		return client.Queue(sources[0].Queue)
	}
	return client.From(sources...)
}

// checkQueues has a wrong name told at once, with the right ones.
func (o *options) checkQueues(ctx context.Context, client *proxy.Client) error {
	var names []string
	for _, s := range o.queues.list {
		names = append(names, s.Queue)
	}
	if o.results != "" {
		names = append(names, o.results)
	}
	for _, name := range names {
		if _, err := client.Queue(name).Stats(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (o *options) config(log *program.Log) worker.Config {
	cfg := worker.Config{
		Concurrency: o.concurrency, Prefetch: o.prefetch, Results: o.results, Labels: o.labels,
		Timeout: o.timeout, Grace: o.grace, MaxTasks: uint64(o.maxTasks), MaxStuck: o.maxStuck,
		Logger: log.Logger,
	}
	if o.grace == 0 {
		cfg.Grace = -1 // zero is the default there
	}
	if o.maxStuck == 0 {
		cfg.MaxStuck = -1
	}
	if o.argv != nil {
		// A command that is killed is no stuck handler, also where the machine
		// is so busy that its end takes a while to show.
		cfg.CancelGrace = o.killAfter + 5*time.Second
	}
	return cfg
}

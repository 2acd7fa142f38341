package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
	"github.com/urfave/cli/v3"
)

// host serves the queues until the program is stopped or the batch run ends.
func host(ctx context.Context, cmd *cli.Command, o *options, std cmdline.IO, env program.Env) error {
	console := program.NewConsole(std.Err)
	log := o.log.New(console)
	files, err := openFiles(o, std)
	if err != nil {
		return err
	}
	defer files.close()
	key, err := o.key.MasterKey(cmd, env, o.addr, log)
	if err != nil {
		return err
	}
	// From here on, and until the master is closed: a second signal must end
	// whatever its end waits for.
	stop, release := program.NotifyStop(ctx)
	defer release()
	m, err := manager.New(manager.Config{AuthKey: key, MaxPayload: o.maxPayload, Logger: log.Logger, Debug: o.log.Verbose})
	if err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	defer m.Close()
	queues, err := o.declare(m)
	if err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	ln, err := program.Listen(ctx, o.addr, "-addr")
	if err != nil {
		return err
	}
	stopDebug, err := program.ServeDebug(ctx, o.debugAddr, log, func() error { return nil })
	if err != nil {
		ln.Close()
		return err
	}
	defer stopDebug()

	served := make(chan error, 1)
	go func() { served <- m.Serve(context.WithoutCancel(ctx), ln) }() // received below
	log.Announce("listening on "+ln.Addr().String(), slog.String("addr", ln.Addr().String()))
	w := newWatch(m, log, o.summary, o.input != "")
	defer w.stop()

	result := make(chan error, 1)
	if o.input != "" {
		go func() { result <- o.runBatch(stop.Graceful, m, queues, files, console, log) }() // a second signal does not wait for it
	}
	select {
	case err = <-result:
	case <-stop.Graceful.Done():
		if o.input != "" {
			select { // it drains by itself
			case err = <-result:
			case <-stop.Now.Done():
				return stop.Interrupted()
			}
		}
	case err = <-served:
		return fmt.Errorf("cannot serve any more: %w", err)
	}
	grace := o.grace
	if err != nil && program.ExitCode(err) != program.ExitDead {
		grace = 0 // nobody would take what workers may still finish
	}
	if interrupted := shutdown(m, grace, stop, served, log); interrupted != nil {
		return interrupted
	}
	return err
}

// declare makes the queues of the command line.
func (o *options) declare(m *manager.Master) ([]reeve.Queue, error) {
	var queues []reeve.Queue
	for _, spec := range o.queues {
		q, err := m.Queue(spec.Name, spec.Config)
		if err != nil {
			return nil, fmt.Errorf("-queue %s: %w", spec.Name, err)
		}
		queues = append(queues, q)
	}
	return queues, nil
}

// shutdown lets workers finish and says goodbye.
func shutdown(m *manager.Master, grace time.Duration, stop *program.Stop, served <-chan error, log *program.Log) error {
	ctx, cancel := context.WithTimeout(stop.Now, grace)
	defer cancel()
	log.Debug("shutting down", "grace", grace)
	err := m.Shutdown(ctx)
	<-served
	if interrupted := stop.Interrupted(); interrupted != nil {
		return interrupted
	}
	if err != nil && grace > 0 {
		log.Warn("ended while workers were still at work", "grace", grace)
	}
	return nil
}

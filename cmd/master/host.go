package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
	"github.com/urfave/cli/v3"
)

// host serves the queues until the program is stopped or the batch run ends.
func host(ctx context.Context, cmd *cli.Command, o *options, std cmdline.IO, env program.Env) error {
	console := program.NewConsole(std.Err)
	log := o.log.New(console)
	if err := o.checkKeyIsElsewhere(env); err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	if o.stopOnEOF && o.key.FromInput(env) {
		return cmdline.Usagef(cmd, "-stop-on-eof and -authkey-file -: both need the standard input")
	}
	key, err := o.key.MasterKey(cmd, env, o.addr, log)
	if err != nil {
		return err
	}
	// From here on, and until the master is closed: a second signal must end
	// whatever its end waits for.
	watched, leave := o.watchInput(ctx, std.In)
	defer leave()
	stop, release := program.NotifyStop(watched)
	defer release()
	m, queues, err := o.open(stop.Graceful, cmd, key, log)
	if err != nil {
		if stop.Graceful.Err() != nil {
			log.Info("stopped before it served", "err", err)
			return stop.Interrupted()
		}
		return err
	}
	defer m.Close()
	files, err := openFiles(o, std)
	if err != nil {
		return err
	}
	defer files.close()
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
		switch {
		case errors.Is(err, reeve.ErrJournal):
		case !errors.Is(err, reeve.ErrClosed):
			return fmt.Errorf("cannot serve any more: %w", err)
		default: // a client ends the master
			served <- err
			if err = m.Join(stop.Graceful); stop.Graceful.Err() == nil && err == nil {
				return o.endedByClient(result)
			}
			err = nil // it has failed, or a signal is faster than what it waits for
		}
	}
	if failed := m.Err(); errors.Is(failed, reeve.ErrJournal) {
		return o.explainFailure(failed)
	}
	grace := o.grace
	if err != nil && program.ExitCode(err) != program.ExitDead {
		grace = 0 // nobody would take what workers may still finish
	}
	return cmp.Or(o.shutdown(m, grace, stop, served, log), err)
}

// watchInput returns a context that, with -stop-on-eof, ends when in does.
func (o *options) watchInput(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if o.stopOnEOF {
		go func() { // ends with in, or with the process: a read cannot be broken off
			_, _ = io.Copy(io.Discard, in)
			cancel()
		}()
	}
	return ctx, cancel
}

// open makes the master with its queues, those of the command line and those
// that -data has.
func (o *options) open(stop context.Context, cmd *cli.Command, key auth.Key, log *program.Log) (*manager.Master, []reeve.Queue, error) {
	kept, err := o.openData(stop, log)
	if err != nil {
		return nil, nil, err
	}
	m, err := manager.New(manager.Config{
		AuthKey: key, MaxPayload: o.maxPayload, Journal: kept, Memory: o.memory, Durability: o.durability,
		Blobs:         manager.BlobConfig{Dir: o.data, MaxBytes: o.blobBytes},
		AllowShutdown: o.mayEnd, ShutdownGrace: max(o.grace, 1),
		Logger: log.Logger, Debug: o.log.Verbose,
	})
	if err != nil && kept != nil {
		return nil, nil, o.explainData(err)
	}
	if err != nil {
		return nil, nil, cmdline.Usagef(cmd, "%w", err)
	}
	queues, err := o.declare(m)
	switch {
	case err == nil:
		err = o.checkBatch(stop, queues)
	case errors.Is(err, reeve.ErrJournalFull), errors.Is(err, reeve.ErrJournal):
		err = o.explainData(err)
	default:
		err = cmdline.Usagef(cmd, "%w", err)
	}
	if err != nil {
		m.Close()
		return nil, nil, err
	}
	o.announceData(m, log)
	return m, queues, nil
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

// endedByClient is how the program ends when a client has ended the master: well,
// unless that broke a batch run off.
func (o *options) endedByClient(result <-chan error) error {
	if o.input == "" {
		return nil
	}
	return <-result
}

// shutdown lets workers finish and says goodbye.
func (o *options) shutdown(m *manager.Master, grace time.Duration, stop *program.Stop, served <-chan error, log *program.Log) error {
	ctx, cancel := context.WithTimeout(stop.Now, grace)
	defer cancel()
	log.Debug("shutting down", "grace", grace)
	err := m.Shutdown(ctx)
	<-served
	if interrupted := stop.Interrupted(); interrupted != nil {
		return interrupted
	}
	if errors.Is(err, reeve.ErrJournal) {
		return o.explainFailure(err)
	}
	if err != nil && grace > 0 {
		log.Warn("ended while workers were still at work", "grace", grace)
	}
	return nil
}

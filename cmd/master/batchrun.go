package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/batch"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
)

// runBatch runs the input and tells how it went. The error has its exit code.
func (o *options) runBatch(ctx context.Context, master batch.Operator, queues []reeve.Queue, f *files, console *program.Console, log *program.Log) error {
	began := time.Now()
	p := newProgress(console, log, f.size, o.summary, began)
	n, err := batch.Run(ctx, batch.Config{
		Tasks: queues[0], Results: queues[1], Operator: master, Input: f.in, Output: f.out,
		Ordered: o.ordered, MaxLine: o.maxPayload, Grace: o.grace,
		OnDead: func(d batch.DeadLine) {
			log.Announce(fmt.Sprintf("line %d has no result: %s", d.Line, d.Reason),
				slog.Int64("line", d.Line), slog.String("reason", d.Reason))
		},
		OnProgress: p.update,
	})
	p.end()
	if closeErr := f.close(); err == nil && closeErr != nil {
		err = &batch.OutputError{Err: closeErr}
	}
	if n.Foreign > 0 {
		log.Warn("dropped results that belong to no line of the input", "queue", queues[1].Name(), "results", n.Foreign)
	}
	log.Announce(summaryText(n, time.Since(began)),
		slog.Int64("lines", n.Lines), slog.Int64("done", n.Done), slog.Int64("without_result", n.Dead), slog.Duration("took", time.Since(began)))
	return batchError(ctx, n, err)
}

// checkBatch refuses to read the input beside what a run that was broken off has
// left: it would be done twice, and whose the results are is not known any more.
func (o *options) checkBatch(ctx context.Context, queues []reeve.Queue) error {
	if o.input == "" || o.data == "" {
		return nil
	}
	var left []string
	for _, q := range queues[:2] {
		s, err := q.Stats(ctx)
		if err != nil {
			return err
		}
		if n := s.Ready + s.Delayed + s.Leased; n > 0 {
			left = append(left, fmt.Sprintf("queue %s with %s", s.Name, counted(n, "task")))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return program.Fail(program.ExitTryAgain, fmt.Errorf("-data %s has %s of a run that was broken off, which the input would repeat: "+
		"start the master without -input to finish it, and empty the queues with 'reeve get -ack' or 'reeve purge', or choose another directory",
		o.data, strings.Join(left, " and ")))
}

func summaryText(n batch.Numbers, took time.Duration) string {
	lines := "1 line"
	if n.Lines != 1 {
		lines = fmt.Sprintf("%d lines", n.Lines)
	}
	text := fmt.Sprintf("%s: %d done, %d without a result", lines, n.Done, n.Dead)
	if open := n.Lines - n.Done - n.Dead; open > 0 {
		text += fmt.Sprintf(", %d not finished", open)
	}
	text += fmt.Sprintf(" in %v", took.Round(time.Millisecond))
	if s := took.Seconds(); n.Done > 0 && s > 0 {
		text += fmt.Sprintf(" (%s/s)", rate(float64(n.Done)/s))
	}
	return text
}

// batchError gives the end of a run its exit code.
func batchError(ctx context.Context, n batch.Numbers, err error) error {
	if sig, ok := errors.AsType[*program.SignalError](context.Cause(ctx)); ok && errors.Is(err, batch.ErrStopped) {
		return fmt.Errorf("%w: %w", batch.ErrStopped, sig)
	}
	if output, ok := errors.AsType[*batch.OutputError](err); ok {
		return program.Fail(program.ExitOutput, output)
	}
	if input, ok := errors.AsType[*batch.InputError](err); ok {
		return program.Fail(program.ExitNoInput, input)
	}
	if err == nil && n.Dead > 0 {
		return cmdline.Exit(program.ExitDead)
	}
	return err
}

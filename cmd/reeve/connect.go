package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/proxy"
	"github.com/urfave/cli/v3"
)

// session is the flags of the verbs that talk to a master.
type session struct {
	*tool
	connect string
	wait    time.Duration
	json    bool
	key     program.KeyFlags
	log     program.LogFlags
	onState func(proxy.State) // of the connection; nil: nobody asks
}

func (t *tool) session() *session {
	return &session{tool: t, connect: t.defaultConnect}
}

func (s *session) flags(own ...cli.Flag) []cli.Flag {
	flags := append(own,
		cmdline.String("connect", &s.connect, "the master is at `HOST:PORT[,HOST:PORT]`, or unix:PATH; also REEVE_CONNECT"),
		cmdline.Duration("wait", &s.wait, 0, "wait up to `TIME` for a master that cannot be reached"),
		cmdline.Bool("json", &s.json, "write JSON"))
	flags = append(flags, s.key.Flags()...)
	return append(flags, s.log.Flags()...)
}

// master is a connection to one, as the verbs see it.
type master interface {
	reeve.Operator
	reeve.Backuper
	reeve.Objects
	reeve.QueueDeclarer
	Queue(name string) reeve.Queue
	ender
	Close() error
}

// dialMaster is how the program connects; tests put something else in its place.
func dialMaster(ctx context.Context, addrs string, cfg proxy.Config) (master, error) {
	c, err := proxy.Dial(ctx, addrs, cfg)
	if err != nil {
		return nil, err // not a nil *proxy.Client
	}
	return c, nil
}

// with connects, runs f and disconnects. f's ctx ends with the first signal.
func (s *session) with(ctx context.Context, cmd *cli.Command, f func(context.Context, master) error) error {
	if err := program.CheckAddrs("-connect", s.connect); err != nil {
		return cmdline.Usagef(cmd, "%w", err)
	}
	log := s.log.New(program.NewConsole(s.stderr))
	key, err := s.key.ClientKey(cmd, program.Env{Getenv: s.getenv, Stdin: s.stdin}, s.connect, log)
	if err != nil {
		return err
	}
	stop, release := program.NotifyStop(ctx)
	defer release()
	dialCtx := stop.Graceful
	if s.wait > 0 {
		var cancel context.CancelFunc
		dialCtx, cancel = context.WithTimeout(dialCtx, s.wait)
		defer cancel()
	}
	client, err := s.dial(dialCtx, s.connect, proxy.Config{AuthKey: key, Name: "reeve", DialOnce: s.wait == 0, OnState: s.onState, Logger: log.Logger})
	if err == nil {
		defer client.Close()
		err = f(stop.Graceful, client)
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		err = fmt.Errorf("%w (is a master running there? -connect says where, -wait how long to wait for it)", err)
	}
	if sig, ok := errors.AsType[*program.SignalError](context.Cause(stop.Graceful)); ok && err != nil {
		return sig
	}
	return err
}

// operate is with, for the verbs of operators.
func (s *session) operate(ctx context.Context, cmd *cli.Command, f func(context.Context, reeve.Operator) error) error {
	return s.with(ctx, cmd, func(ctx context.Context, m master) error { return f(ctx, m) })
}

// writeJSON writes v in one line.
func writeJSON(w io.Writer, v any) error {
	return outputError(json.NewEncoder(w).Encode(v))
}

// writeLines writes each of list as JSON in a line of its own.
func writeLines[T any](w io.Writer, list []T) error {
	out := bufio.NewWriter(w)
	for i := range list {
		if err := writeJSON(out, &list[i]); err != nil {
			return err
		}
	}
	return outputError(out.Flush())
}

// outputError is the error of a write of results.
func outputError(err error) error {
	if err == nil {
		return nil
	}
	return program.Fail(program.ExitOutput, fmt.Errorf("cannot write the output: %w", err))
}

// Package asynq measures asynq, a task queue library on Redis, with its own
// server calling the handlers. What it does not measure is results that asynq
// keeps with their tasks (ResultWriter): they are looked up by task, so nobody
// can wait for the next; results are tasks of a queue of their own instead.
package asynq

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"

	"github.com/reeveq/reeve/bench/internal/redis"
	"github.com/reeveq/reeve/bench/internal/system"
)

// Systems is asynq in its ordinary use: it has no other.
func Systems() []system.System {
	return []system.System{&queues{}}
}

const (
	// handlers is how many a server calls at a time, as asynq's documentation has it.
	handlers = 10
	// pollInterval is how long a server leaves an empty queue alone, about. It is
	// a second unless told otherwise, which would be all that is measured.
	pollInterval = 10 * time.Millisecond
	// timeout is for a Redis server that hangs.
	timeout = time.Minute
	// mostConsumers is how many may be in a process, see Consume.
	mostConsumers = 64
)

type queues struct {
	consumers atomic.Int64 // that were not closed
}

func (*queues) Name() string { return "asynq" }
func (*queues) About() string {
	return fmt.Sprintf("asynq on Redis: Enqueue one by one, a Server of %d handlers that looks into an empty queue every %v, results enqueued by the handlers", handlers, pollInterval)
}
func (*queues) Group() system.Group { return system.Peer }

// Batch is 1: asynq enqueues and takes tasks one by one.
func (*queues) Batch() int { return 1 }

func (*queues) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	server, err := redis.Start(ctx, set)
	if err != nil {
		return nil, err
	}
	server.Version = strings.TrimSpace(version() + " on Redis " + server.Version)
	return server, nil
}

// version is that of the library in this program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/hibiken/asynq" {
				return strings.TrimPrefix(dep.Version, "v")
			}
		}
	}
	return ""
}

func address(endpoint string) asynq.RedisClientOpt {
	return asynq.RedisClientOpt{Addr: endpoint, ReadTimeout: timeout, WriteTimeout: timeout}
}

// serve starts a server that calls handle for the tasks of a queue.
func serve(endpoint, queue string, concurrency int, handle asynq.HandlerFunc) (*asynq.Server, error) {
	server := asynq.NewServer(address(endpoint), asynq.Config{
		Concurrency:       concurrency,
		Queues:            map[string]int{queue: 1},
		TaskCheckInterval: pollInterval,
		LogLevel:          asynq.ErrorLevel,
	})
	if err := server.Start(handle); err != nil {
		return nil, err
	}
	if err := server.Ping(); err != nil {
		server.Shutdown()
		return nil, err
	}
	return server, nil
}

// Run is a worker as people write it: its handler enqueues the result, and the
// server acknowledges the task when the handler returns.
func (*queues) Run(ctx context.Context, endpoint, queue, results string, handle func(payload []byte) []byte, ready func()) error {
	client := asynq.NewClient(address(endpoint))
	defer client.Close()
	server, err := serve(endpoint, queue, handlers, func(ctx context.Context, task *asynq.Task) error {
		return enqueue(ctx, client, results, handle(task.Payload()))
	})
	if err != nil {
		return err
	}
	defer server.Shutdown() // before the client is closed: handlers may still run
	ready()
	<-ctx.Done()
	return ctx.Err()
}

func enqueue(ctx context.Context, client *asynq.Client, queue string, payload []byte) error {
	_, err := client.EnqueueContext(ctx, asynq.NewTask("item", payload), asynq.Queue(queue))
	return err
}

var (
	_ system.System = &queues{}
	_ system.Runner = &queues{}
)

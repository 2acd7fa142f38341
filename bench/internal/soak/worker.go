package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
	"github.com/reeveq/reeve/worker"
)

// workerEnv has what a worker process is told, apart from the key, which is
// where all programs find it.
const workerEnv = "REEVE_SOAK_WORKER"

type workerConfig struct {
	Addr string
	Name string
}

func (c workerConfig) text() (string, error) {
	text, err := json.Marshal(c)
	return string(text), err
}

// WorkerArgs are the arguments with which the program is to call [Worker].
func WorkerArgs() []string { return []string{"soak", "worker"} }

// Worker is what the program does that Run started as a worker process: it
// works until its standard input ends, as it does when Run's process is gone.
// The error is for what must not happen.
func Worker(ctx context.Context) error {
	var cfg workerConfig
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &cfg); err != nil {
		return fmt.Errorf("soak: %s: %w", workerEnv, err)
	}
	key, err := auth.ParseKey([]byte(os.Getenv(auth.EnvKey)))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	client, err := proxy.Dial(ctx, cfg.Addr, clientConfig(key, cfg.Name))
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer client.Close()
	w := worker.New(client.Queue(tasksQueue), worker.Config{
		Concurrency: 8, Prefetch: 32, Results: resultsQueue, Grace: 2 * time.Second, MaxStuck: -1,
	})
	w.HandleDefaultFunc(handle)
	using := make(chan struct{})
	go func() { // ends with ctx
		defer close(using)
		holdAndWrite(ctx, client)
	}()
	err = w.Run(ctx)
	stop()
	<-using
	if errors.Is(err, worker.ErrUnanswered) {
		return nil // it was stopped while there was no master
	}
	return err
}

func clientConfig(key auth.Key, name string) proxy.Config {
	return proxy.Config{AuthKey: key, Name: name, MinBackoff: 10 * time.Millisecond, MaxBackoff: 200 * time.Millisecond}
}

var errUnlucky = errors.New("no luck")

// handle takes its time for some tasks, and fails some at first, once by a panic.
func handle(ctx context.Context, t *reeve.Task) ([]byte, error) {
	switch {
	case t.ID%997 == 0 && t.Attempt == 1:
		panic(errUnlucky)
	case t.ID%101 == 0 && t.Attempt == 1:
		return nil, errUnlucky
	case t.ID%103 == 0 && t.Attempt == 1:
		return nil, worker.RetryAfter(nil, 20*time.Millisecond)
	case t.ID%47 == 0:
		select {
		case <-time.After(time.Duration(t.ID%100) * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return result(t.Payload), nil
}

// holdAndWrite uses locks and maps, with which the process is killed sooner or
// later. Whether they hold what they promise is for users to find; here
// errors only cost a pause.
func holdAndWrite(ctx context.Context, client *proxy.Client) {
	for n := 0; ctx.Err() == nil; n++ {
		err := func() error {
			m, err := shared.NewMap[string, int](ctx, client, scratchMap, shared.MapConfig{TTL: 10 * time.Second})
			if err != nil {
				return err
			}
			l, err := shared.NewLock(ctx, client, lockName(n), shared.LockConfig{})
			if err != nil {
				return err
			}
			return l.With(ctx, func(ctx context.Context, _ *shared.Hold) error {
				return m.Set(ctx, fmt.Sprint("key ", n%100), n)
			})
		}()
		pause := 20 * time.Millisecond
		if err != nil {
			pause = 200 * time.Millisecond
		}
		_ = wait(ctx, pause) // the loop looks at ctx
	}
}

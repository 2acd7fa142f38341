package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/worker"
)

// exampleMaster hosts the queue "tasks" and runs a worker for it. In a program
// the workers are anywhere, and so may be the pool: with a *proxy.Client in place
// of the master, and its Queue("tasks").
func exampleMaster() (m *manager.Master, tasks reeve.Queue, stop func()) {
	key, _, err := auth.GenerateKey("example")
	if err != nil {
		panic(err)
	}
	if m, err = manager.New(manager.Config{AuthKey: key}); err != nil {
		panic(err)
	}
	if tasks, err = m.Queue("tasks", reeve.QueueConfig{}); err != nil {
		panic(err)
	}
	w := worker.New(tasks, worker.Config{Concurrency: 4})
	worker.Handle(w, "square", func(_ context.Context, n int) (int, error) {
		if n > 1000 {
			return 0, worker.Permanent(errors.New("too large for me"))
		}
		return n * n, nil
	})
	worker.Handle(w, "pow", pool.Star2(pow))
	done := make(chan error)
	go func() { done <- w.Run(context.Background()) }() // received by stop
	return m, tasks, func() {
		w.Close()
		<-done
		m.Close()
	}
}

func Example() {
	m, tasks, stop := exampleMaster()
	defer stop()
	ctx := context.Background()
	p, err := pool.New[int, int](m, tasks, "square", pool.Config{})
	if err != nil {
		panic(err)
	}
	defer p.Terminate(ctx) // as Python's with statement does

	squares, err := p.Map(ctx, []int{1, 2, 3})
	fmt.Println(squares, err)

	f := p.Go(ctx, 12)
	n, err := f.Get(ctx)
	fmt.Println(n, err)

	for n, err := range p.Imap(ctx, slices.Values([]int{4, 5, 6}), 1) {
		fmt.Println(n, err)
	}
	p.Close()
	fmt.Println(p.Join(ctx))
	// Output:
	// [1 4 9] <nil>
	// 144 <nil>
	// 16 <nil>
	// 25 <nil>
	// 36 <nil>
	// <nil>
}

func ExampleTaskError() {
	m, tasks, stop := exampleMaster()
	defer stop()
	ctx := context.Background()
	p, err := pool.New[int, int](m, tasks, "square", pool.Config{})
	if err != nil {
		panic(err)
	}
	squares, err := p.Map(ctx, []int{3, 3000, 4})
	var input *pool.InputError
	var task *pool.TaskError
	if errors.As(err, &input) && errors.As(err, &task) {
		fmt.Println(squares, input.Index, task.State, task.Text)
	}
	fmt.Println(errors.Is(err, reeve.ErrTaskDead), errors.Is(err, reeve.ErrWorkerLost))
	// Output:
	// [9 0 16] 1 dead too large for me
	// true false
}

func ExampleStarMap() {
	m, tasks, stop := exampleMaster()
	defer stop()
	ctx := context.Background()
	p, err := pool.New[pool.Args2[int, int], int](m, tasks, "pow", pool.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println(pool.StarMap(ctx, p, slices.All([]int{5, 5, 5}))) // 0⁵, 1⁵, 2⁵
	fmt.Println(p.Apply(ctx, pool.Pair(2, 10)))
	// Output:
	// [0 1 32] <nil>
	// 1024 <nil>
}

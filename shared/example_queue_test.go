package shared_test

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// Queues with the rules of Python's, made while the master runs. What does so here
// in the master's process, a client does in the same way.
func Example_queues() {
	ctx := context.Background()
	key, err := auth.ParseKey([]byte("a long passphrase for an example"))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()

	type job struct {
		Level int
		Name  string
	}
	jobs, err := shared.NewPriorityQueue(ctx, m, "jobs", reeve.QueueConfig{}, func(j job) int { return j.Level })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range []job{{3, "sweep"}, {1, "repair"}, {2, "paint"}} {
		if err := jobs.Put(ctx, j); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(jobs.Shutdown(ctx, false)) // no more is put; what is there is done
	for {
		j, err := jobs.Get(ctx)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(j.Name, jobs.TaskDone(ctx))
	}
	fmt.Println(jobs.Join(ctx))
	fmt.Println(m.DeleteQueue(ctx, "jobs", false))
	// Output:
	// <nil>
	// repair <nil>
	// paint <nil>
	// sweep <nil>
	// reeve: queue was shut down: "jobs"
	// <nil>
	// <nil>
}

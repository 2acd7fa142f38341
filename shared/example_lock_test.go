package shared_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// A lock with a fencing token: what it protects refuses those who come late. What
// does so here in the master's process, a client does in the same way.
func ExampleLock_With() {
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

	lock, err := shared.NewLock(ctx, m, "report", shared.LockConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var seen uint64 // by what is protected
	write := func(text string, token uint64) {
		if token < seen {
			fmt.Println("refused:", text)
			return
		}
		seen = token
		fmt.Println("written:", text)
	}
	var late uint64
	for _, text := range []string{"first", "second"} {
		err := lock.With(ctx, func(ctx context.Context, h *shared.Hold) error { // ctx ends when the lock is lost
			if late == 0 {
				late = h.Token()
			}
			write(text, h.Token())
			return nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	write("from one who was paused", late)

	err = lock.With(ctx, func(ctx context.Context, _ *shared.Hold) error {
		_, err := lock.Acquire(ctx) // within its own hold
		return err
	})
	fmt.Println("deadlock:", errors.Is(err, reeve.ErrDeadlock))
	// Output:
	// written: first
	// written: second
	// refused: from one who was paused
	// deadlock: true
}

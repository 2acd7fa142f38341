package manager_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// ErrNoVotes is an error that keeps its identity on its way to a client.
var ErrNoVotes = errors.New("nobody has voted for it")

func init() { reeve.RegisterError("example.no-votes", ErrNoVotes) }

// Votes is what clients may call.
type Votes interface {
	Cast(ctx context.Context, name string) (int, error)
	Count(name string) (int, error)
}

// votes counts votes.
type votes struct {
	mu sync.Mutex
	n  map[string]int
}

func (v *votes) Cast(_ context.Context, name string) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.n[name]++
	return v.n[name], nil
}

func (v *votes) Count(name string) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.n[name] == 0 {
		return 0, fmt.Errorf("%s: %w", name, ErrNoVotes)
	}
	return v.n[name], nil
}

// A value of a program's own, called from the master's process. With a client of
// proxy.Dial in place of m it is the same from anywhere.
func ExampleRegister() {
	key, _, err := auth.GenerateKey("example")
	if err != nil {
		log.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := manager.Register[Votes](m, "votes", &votes{n: map[string]int{}}, manager.Reads("Count")); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	x := shared.ObjectOf(m, "votes")
	n, err := shared.Call[int](ctx, x, "Cast", "tea")
	fmt.Println(n, err)
	_, err = shared.Call[int](ctx, x, "Count", "coffee")
	fmt.Println(err, errors.Is(err, ErrNoVotes))
	_, err = shared.Call[int](ctx, x, "Count", 7)
	fmt.Println(errors.Is(err, reeve.ErrInvalid))
	// Output:
	// 1 <nil>
	// coffee: nobody has voted for it true
	// true
}

package journaltest_test

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// A power cut loses what nobody asked to be durable.
func ExampleMemory_Crash() {
	ctx := context.Background()
	m := journaltest.NewMemory(journaltest.MemoryConfig{})
	fmt.Println("append:", m.Append(ctx, 1, []byte("synced"), journal.AppendOptions{}))
	fmt.Println("sync:", m.Sync(ctx))
	fmt.Println("append:", m.Append(ctx, 2, []byte("not synced"), journal.AppendOptions{}))

	next := m.Crash(journaltest.PowerCut())
	fmt.Println("the old owner:", m.Sync(ctx))
	last, err := next.Replay(ctx, func(p journal.Pos, frame []byte) error {
		fmt.Printf("frame %d: %s\n", p, frame)
		return nil
	})
	fmt.Println("last:", last, err)
	// Output:
	// append: <nil>
	// sync: <nil>
	// append: <nil>
	// the old owner: journal: another owner has taken over
	// frame 1: synced
	// last: 1 <nil>
}

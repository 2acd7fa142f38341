package shared_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// A large value is put once, and handed to many tasks by its reference. At a
// client it is the same: shared.Blobs(c).
func ExampleBlobs() {
	ctx := context.Background()
	key, _, err := auth.GenerateKey("example")
	if err != nil {
		log.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	tasks, err := m.Queue("tasks", reeve.QueueConfig{})
	if err != nil {
		log.Fatal(err)
	}

	ref, err := shared.Blobs(m).Put(ctx, strings.NewReader(strings.Repeat("large ", 1000)))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tasks.Put(ctx, []reeve.Task{{Payload: []byte("count")}, {Payload: []byte("print")}}, reeve.WithBlobs(ref)); err != nil {
		log.Fatal(err)
	}

	leases, err := tasks.Get(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range leases {
		b, err := shared.Blobs(m).Open(ctx, l.Rules.Blobs[0])
		if err != nil {
			log.Fatal(err)
		}
		n, err := io.Copy(io.Discard, b)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d bytes\n", l.Payload, n)
		b.Close()
		l.Ack(ctx)
	}
	// Output:
	// count: 6000 bytes
	// print: 6000 bytes
}

package nats

import "context"

// What is published at most without waiting. The server refuses what it cannot
// hold before it is stored: 10,000 items or 128 MiB of a stream. It takes 1,000
// items in one batch.
const (
	windowItems = 512
	windowBytes = 8 << 20
)

// window is how many of payloads are published next.
func window(payloads [][]byte) int {
	size := 0
	for i, p := range payloads[:min(len(payloads), windowItems)] {
		if size += len(p); size > windowBytes && i > 0 {
			return i
		}
	}
	return min(len(payloads), windowItems)
}

// publisher publishes with confirms. One goroutine has it at a time, so that
// what it waits for is its own.
type publisher interface {
	// publish publishes at most a window.
	publish(queue string, payloads [][]byte) error
	// wait waits until what was published is confirmed. A publisher whose wait
	// fails is not used any more.
	wait(ctx context.Context) error
}

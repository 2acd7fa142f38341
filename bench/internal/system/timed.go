package system

import (
	"context"
	"time"
)

// Timed is a Client whose library is not Go's. What a workload would do call by
// call, it does and times in the program that has the library, so that the way
// to that program is not measured. Each method is used by one goroutine.
type Timed interface {
	// RoundTrips puts an item of so many bytes n times, each when the one before
	// was taken and ended by a consumer that waits for it, and returns the times
	// from before a put to the item's arrival.
	RoundTrips(ctx context.Context, queue string, bytes, n int) ([]time.Duration, error)
	// Operate has so many callers do an operation n times in all, and returns how
	// long that took; each caller has its own key of the map. The operations are
	// "call", "lock", "set" and "get", those of Objects. The error wraps
	// ErrUnsupported when there is no such operation.
	Operate(ctx context.Context, operation string, callers, n int) (time.Duration, error)
}

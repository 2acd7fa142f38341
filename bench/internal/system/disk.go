package system

import (
	"context"
	"time"
)

// Disk is a System without a server: blocks of a file, each on the disk before
// the next is written. Its Dial returns ErrUnsupported.
type Disk interface {
	System
	// Append writes n blocks of so many bytes one after the other to a file at the
	// endpoint whose blocks were written before, syncs each, and returns how long
	// each took. It ends early, with those, when it has taken most; 0: never.
	Append(ctx context.Context, endpoint string, bytes, n int, most time.Duration) ([]time.Duration, error)
}

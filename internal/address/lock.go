package address

import (
	"context"
	"os"
	"time"
)

const (
	lockWithin = 2 * time.Second // whoever holds a folder for longer is no listener
	lockPoll   = 5 * time.Millisecond
)

// lockFolder lets one process at a time make a socket in dir. There is no lock
// where the system has none for folders, or somebody else keeps it: then only
// processes that start at the same moment, at a socket that was left behind,
// can be in each other's way.
func lockFolder(ctx context.Context, dir string) (unlock func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {} // the listening will tell
	}
	ctx, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for !tryLock(f) && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return func() { _ = f.Close() } // which unlocks
}

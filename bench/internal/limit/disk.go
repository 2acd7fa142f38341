package limit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

// disk is the disk alone: what keeps something there can confirm no single put
// sooner than it takes to write and sync a block.
type disk struct{}

// diskFile is how long the file is. What writes more begins again at its start,
// which is the same to the disk: the blocks are there, and were written.
const diskFile = 16 << 20

func (disk) Name() string { return "raw-disk" }
func (disk) About() string {
	return "the disk alone: blocks in a file that is there already, fdatasync after each"
}
func (disk) Group() system.Group { return system.Limit }
func (disk) Batch() int          { return 1 }

// Start starts nothing: the endpoint is the directory.
func (disk) Start(_ context.Context, set system.Settings) (*system.Server, error) {
	return &system.Server{Endpoint: set.Dir, PID: os.Getpid(), Stop: func() error { return nil }}, nil
}

func (disk) Dial(context.Context, string) (system.Client, error) {
	return nil, fmt.Errorf("raw-disk has no queues: %w", system.ErrUnsupported)
}

func (disk) Append(ctx context.Context, endpoint string, bytes, n int, most time.Duration) (took []time.Duration, err error) {
	f, err := os.Create(filepath.Join(endpoint, "blocks"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(make([]byte, diskFile)); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	block, at := make([]byte, bytes), int64(0)
	for began := time.Now(); len(took) < n && (most == 0 || time.Since(began) < most); {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if at+int64(bytes) > diskFile {
			at = 0
		}
		block[0]++ // it is not what was there
		start := time.Now()
		if _, err := f.WriteAt(block, at); err != nil {
			return nil, err
		}
		if err := datasync(f); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
		at += int64(bytes)
	}
	return took, nil
}

var _ system.Disk = disk{}

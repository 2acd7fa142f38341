package blob

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/reeveq/reeve"
)

// Config says how a [Store] is set up. All may be zero.
type Config struct {
	// Backend keeps the contents; nil: memory.
	Backend Backend
	// MaxBytes bounds all blobs together, with what of others has come so far, and
	// MaxBlob each. 0: [DefaultMaxBytes], and MaxBytes.
	MaxBytes, MaxBlob int64
	// MaxBlobs bounds how many blobs and uploads there are. 0: [DefaultMaxBlobs].
	MaxBlobs int
	// MaxUploads bounds the uploads of one client. 0: [DefaultMaxUploads].
	MaxUploads int
	// Grace is how long a blob stays to which nobody refers, unless its space is
	// needed before. 0: [DefaultGrace].
	Grace time.Duration
	// Idle is how long an upload waits for more. 0: [DefaultIdle].
	Idle time.Duration
	// Logger gets what goes wrong with the Backend; nil: nobody does.
	Logger *slog.Logger
}

// Defaults of [Config].
const (
	DefaultMaxBytes   int64 = 256 << 20
	DefaultMaxBlobs         = 1 << 18
	DefaultMaxUploads       = 256
	DefaultGrace            = time.Minute
	DefaultIdle             = 10 * time.Minute
)

const (
	// MaxChunk bounds what is written or read at a time.
	MaxChunk = 1 << 20
	// maxPending bounds the bytes of one client's chunks that wait to be written, and
	// of those that are being read for it.
	maxPending = 32 << 20
	// pendingLimit names it. Clients know the name, and try again a little later.
	pendingLimit = "bytes of one client's chunks under way"
	// minPending is what each chunk counts for at least: a small one costs, too.
	minPending = 4 << 10
	// maxAllUploads bounds the uploads of all clients, each of which may have a file
	// open.
	maxAllUploads = 4096
	// maxWorkers bounds the goroutines that read, write and count.
	maxWorkers = 8
	// maxPage bounds a page of a list.
	maxPage = 1000
)

func (c Config) withDefaults() Config {
	if c.Backend == nil {
		c.Backend = NewMemory()
	}
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.MaxBlob = min(cmp.Or(c.MaxBlob, c.MaxBytes), c.MaxBytes)
	c.MaxBlobs = cmp.Or(c.MaxBlobs, DefaultMaxBlobs)
	c.MaxUploads = cmp.Or(c.MaxUploads, DefaultMaxUploads)
	c.Grace = cmp.Or(c.Grace, DefaultGrace)
	c.Idle = cmp.Or(c.Idle, DefaultIdle)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	for _, f := range []struct {
		field string
		bad   bool
		v     any
	}{
		{"MaxBytes", c.MaxBytes < 0, c.MaxBytes},
		{"MaxBlob", c.MaxBlob < 0, c.MaxBlob},
		{"MaxBlobs", c.MaxBlobs < 0, c.MaxBlobs},
		{"MaxUploads", c.MaxUploads < 0, c.MaxUploads},
		{"Grace", c.Grace < 0, c.Grace},
		{"Idle", c.Idle < 0, c.Idle},
	} {
		if f.bad {
			return fmt.Errorf("%w: blob: Config.%s is %v, want more than 0", reeve.ErrInvalid, f.field, f.v)
		}
	}
	return nil
}

package manager

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/reeveq/reeve/internal/memory"
	"github.com/reeveq/reeve/internal/shared/blob"
)

// BlobConfig says where and how a master keeps blobs. All may be zero.
type BlobConfig struct {
	// Dir is the directory below which blobs are kept in files, in Dir/blobs: they
	// are there again after a restart. It is made if need be, and is one master's;
	// as a rule it is that of the Journal, which knows the tasks that name them.
	// Empty: they are kept in memory.
	Dir string
	// MaxBytes bounds all blobs together. 0: [DefaultBlobBytes] in files; a quarter
	// of what this process may use, 256 MiB where that is not known, in memory.
	MaxBytes int64
	// MaxBlob bounds each. 0: MaxBytes.
	MaxBlob int64
	// Grace is how long a blob stays to which no task and no client refers, unless
	// its space is needed before. 0: [DefaultBlobGrace].
	Grace time.Duration
}

// Defaults of [BlobConfig].
const (
	DefaultBlobBytes int64 = 16 << 30
	DefaultBlobGrace       = blob.DefaultGrace
)

func (c BlobConfig) validate() error {
	switch {
	case c.MaxBytes < 0:
		return fmt.Errorf("manager: Config.Blobs.MaxBytes is %d, want more than 0", c.MaxBytes)
	case c.MaxBlob < 0:
		return fmt.Errorf("manager: Config.Blobs.MaxBlob is %d, want more than 0", c.MaxBlob)
	case c.Grace < 0:
		return fmt.Errorf("manager: Config.Blobs.Grace is %v, want more than 0", c.Grace)
	}
	return nil
}

// openBlobs makes the store of blobs of a new master.
func (m *Master) openBlobs() (err error) {
	c := m.cfg.Blobs
	o := blob.Config{MaxBytes: c.MaxBytes, MaxBlob: c.MaxBlob, Grace: c.Grace, Logger: m.cfg.Logger}
	switch {
	case c.Dir != "":
		o.Backend = blob.NewFiles(filepath.Join(c.Dir, "blobs"))
		if o.MaxBytes == 0 {
			o.MaxBytes = DefaultBlobBytes
		}
	case o.MaxBytes == 0:
		o.MaxBytes = memory.Share()
	}
	if m.blobs, err = blob.Open(o); err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	m.host.Serve(blob.Name, m.blobs, blob.Methods)
	return nil
}

// BlobStats are the numbers of a master's blobs, now.
type BlobStats struct {
	Blobs   int
	Bytes   int64 // of these, and of what came of uploads
	Max     int64 // that they may have
	Uploads int   // under way
}

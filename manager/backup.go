package manager

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
)

// frameSource is where backups come from: an engine with a journal.
type frameSource interface {
	// PinJournal keeps the journal from forgetting any of its frames, until
	// unpin, and returns the numbers of the first one and of the last durable
	// one. It is reeve.ErrNoJournal without a journal.
	PinJournal() (first, last journal.Pos, unpin func(), err error)
	// ReadFrame returns a frame that was pinned.
	ReadFrame(ctx context.Context, p journal.Pos) ([]byte, error)
}

// frames is where this master's backups come from.
func (m *Master) frames() frameSource {
	if from := m.backupFrom.Load(); from != nil {
		return *from
	}
	return m.engine
}

// Backup writes a backup of the queues; see [reeve.Backuper].
func (m *Master) Backup(ctx context.Context, w io.Writer) (reeve.BackupInfo, error) {
	if err := m.usable(ctx); err != nil {
		return reeve.BackupInfo{}, err
	}
	from := m.frames()
	first, last, unpin, err := from.PinJournal()
	if err != nil {
		return reeve.BackupInfo{}, err
	}
	defer unpin()
	out := bufio.NewWriter(w)
	b, err := backup.NewWriter(out, backup.Header{First: first, Last: last, Time: time.Now()})
	for p := first; err == nil && p <= last; p++ {
		var frame []byte
		if err = m.usable(ctx); err == nil {
			frame, err = from.ReadFrame(ctx, p)
		}
		if err == nil {
			err = b.Frame(p, frame)
		}
	}
	if err == nil {
		err = b.Close()
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return reeve.BackupInfo{}, err
	}
	size, frames := b.Written()
	return reeve.BackupInfo{Frames: frames, Bytes: size}, nil
}

var (
	_ reeve.Backuper = (*Master)(nil)
	_ frameSource    = (*queue.Engine)(nil)
)

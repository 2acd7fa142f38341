package reeve

import (
	"context"
	"io"
)

// Backuper is what can be backed up while it works: a master with a journal,
// or a client of one. [Operator] is the rest of what operators do.
type Backuper interface {
	// Backup writes what the queues were when it was called, and nothing that
	// happened later: the file that "reeve journal restore" makes a journal
	// from, and package journal/backup reads. It holds up nobody; the master
	// keeps what is to be in it, on its disk, until it is written. It blocks as
	// long as w does, and ends with ctx. It is [ErrNoJournal] when the master
	// keeps none; after an error what was written is no backup, and is known as
	// none by who reads it.
	Backup(ctx context.Context, w io.Writer) (BackupInfo, error)
}

// BackupInfo tells what a backup consists of.
type BackupInfo struct {
	Frames int64 // of the journal
	Bytes  int64 // that were written
}

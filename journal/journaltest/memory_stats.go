package journaltest

import "github.com/reeveq/reeve/journal"

// Stats are the numbers of a Memory.
type Stats struct {
	// Of this owner: what succeeded.
	Replays, Appends, Syncs, Reads, Trims int
	AppendedBytes                         int64

	Full int // Appends refused for lack of space

	// Of the journal, whoever wrote it.
	First   journal.Pos // the oldest frame kept; Last+1: none is
	Last    journal.Pos
	Synced  journal.Pos // the last frame that would survive a power cut
	Frames  int         // kept
	Bytes   int64       // kept
	Trimmed int         // frames forgotten
}

// Stats tells the numbers at this moment.
func (m *Memory) Stats() Stats {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	s := m.stats
	s.First, s.Last, s.Synced = d.first, d.last(), d.synced
	s.Frames, s.Trimmed = len(d.frames), int(d.first-1)
	for _, f := range d.frames {
		s.Bytes += int64(len(f))
	}
	return s
}

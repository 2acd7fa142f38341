package manager

import "sync/atomic"

// counts are kept as things happen.
type counts struct {
	accepted, refusedFull, refusedKey, takenOver, silent, stuck,
	protocol, unsupported, panics, stalls atomic.Uint64
}

// Stats are a master's numbers: Sessions and Clients now, the others since it
// was made.
type Stats struct {
	Sessions int // connected clients
	Clients  int // remembered clients, connected or not
	Waiting  int // connections that have not proved themselves yet

	Accepted    uint64 // connections
	LoggedIn    uint64 // of them, those that proved that they know the key
	LoginFailed uint64 // wrong key
	Throttled   uint64 // told to wait with further tries
	Evicted     uint64 // unproved connections closed in favour of newer ones
	RefusedFull uint64 // because of MaxSessions
	RefusedKey  uint64 // because of MaxSessionsPerKey
	TakenOver   uint64 // sessions ended because their client came back
	Silent      uint64 // sessions ended because nothing came for 3 heartbeats
	Stuck       uint64 // sessions ended because the client took nothing
	Protocol    uint64 // sessions ended because of a protocol error
	Unsupported uint64 // messages of unknown type
	Panics      uint64 // requests that panicked
	Deleted     uint64 // queues, by whomever
	Idle        uint64 // of them, those that were because of their QueueConfig.IdleTTL
	Stalls      uint64 // times that Config.Watchdog passed without a movement in a queue

	Journal JournalStats
	Blobs   BlobStats
}

// JournalStats are the numbers of a master's journal since the master was made;
// zero without one.
type JournalStats struct {
	Frames  uint64 // that were written
	Bytes   uint64 // in them
	Commits uint64 // frames written together, with one sync at most
	Syncs   uint64
	Refused uint64 // writes that there was no space for
	Full    bool   // there is none now: puts are refused
}

// Stats returns the present numbers.
func (m *Master) Stats() Stats {
	a := m.auth.Stats()
	m.mu.Lock()
	sessions := len(m.sessions)
	m.mu.Unlock()
	deleted, idle := m.engine.Deletes()
	return Stats{
		Sessions:    sessions,
		Clients:     m.clients.Len(),
		Waiting:     a.Waiting,
		Accepted:    m.counts.accepted.Load(),
		LoggedIn:    a.LoggedIn,
		LoginFailed: a.Failed,
		Throttled:   a.Throttled,
		Evicted:     a.Evicted,
		RefusedFull: m.counts.refusedFull.Load(),
		RefusedKey:  m.counts.refusedKey.Load(),
		TakenOver:   m.counts.takenOver.Load(),
		Silent:      m.counts.silent.Load(),
		Stuck:       m.counts.stuck.Load(),
		Protocol:    m.counts.protocol.Load(),
		Unsupported: m.counts.unsupported.Load(),
		Panics:      m.counts.panics.Load(),
		Deleted:     deleted,
		Idle:        idle,
		Stalls:      m.counts.stalls.Load(),
		Journal:     m.journalStats(),
		Blobs:       BlobStats(m.blobs.Stats()),
	}
}

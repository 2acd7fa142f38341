package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// Stats is [reeve.QueueStats] with its keys.
type Stats struct {
	Name        string        `cbor:"1,keyasint,omitempty"`
	Ready       int           `cbor:"2,keyasint,omitempty"`
	Delayed     int           `cbor:"3,keyasint,omitempty"`
	Leased      int           `cbor:"4,keyasint,omitempty"`
	Dead        int           `cbor:"5,keyasint,omitempty"`
	Bytes       int64         `cbor:"6,keyasint,omitempty"`
	MaxLen      int           `cbor:"7,keyasint,omitempty"`
	MaxBytes    int64         `cbor:"8,keyasint,omitempty"`
	OldestReady time.Duration `cbor:"9,keyasint,omitempty"`
	WaitingPuts int           `cbor:"10,keyasint,omitempty"`
	Consumers   int           `cbor:"11,keyasint,omitempty"`
	FreeSlots   int           `cbor:"12,keyasint,omitempty"`
	Shutdown    bool          `cbor:"13,keyasint,omitempty"`
	Put         uint64        `cbor:"14,keyasint,omitempty"`
	Done        uint64        `cbor:"15,keyasint,omitempty"`
	Redelivered uint64        `cbor:"16,keyasint,omitempty"`
	Failed      uint64        `cbor:"17,keyasint,omitempty"`
	TimedOut    uint64        `cbor:"18,keyasint,omitempty"`
	Lost        uint64        `cbor:"19,keyasint,omitempty"`
	Returned    uint64        `cbor:"20,keyasint,omitempty"`
	Buried      uint64        `cbor:"21,keyasint,omitempty"`
	Refused     uint64        `cbor:"22,keyasint,omitempty"`
	Dropped     uint64        `cbor:"23,keyasint,omitempty"`
	LateAcks    uint64        `cbor:"24,keyasint,omitempty"`

	Snoozed      uint64    `cbor:"25,keyasint,omitempty"`
	Skipped      uint64    `cbor:"26,keyasint,omitempty"`
	Discarded    uint64    `cbor:"27,keyasint,omitempty"`
	Cancelled    uint64    `cbor:"28,keyasint,omitempty"`
	Expired      uint64    `cbor:"29,keyasint,omitempty"`
	Duplicates   uint64    `cbor:"30,keyasint,omitempty"`
	Revived      uint64    `cbor:"31,keyasint,omitempty"`
	Purged       uint64    `cbor:"32,keyasint,omitempty"`
	MovedIn      uint64    `cbor:"33,keyasint,omitempty"`
	MovedOut     uint64    `cbor:"34,keyasint,omitempty"`
	Paused       bool      `cbor:"35,keyasint,omitempty"`
	PauseReason  string    `cbor:"36,keyasint,omitempty"`
	Closed       bool      `cbor:"37,keyasint,omitempty"`
	Blocked      int       `cbor:"38,keyasint,omitempty"`
	Keys         int       `cbor:"39,keyasint,omitempty"`
	Uniques      int       `cbor:"40,keyasint,omitempty"`
	Results      int       `cbor:"41,keyasint,omitempty"`
	ResultBytes  int64     `cbor:"42,keyasint,omitempty"`
	ResultsEarly uint64    `cbor:"43,keyasint,omitempty"`
	Wait         Histogram `cbor:"44,keyasint,omitempty"`
	Run          Histogram `cbor:"45,keyasint,omitempty"`
	Held         string    `cbor:"46,keyasint,omitempty"`
	NoWorker     int       `cbor:"47,keyasint,omitempty"`
}

// StatsOf is s with its keys. It shares the counts.
func StatsOf(s reeve.QueueStats) Stats {
	return Stats{
		Name: s.Name, Ready: s.Ready, Delayed: s.Delayed, Leased: s.Leased, Dead: s.Dead, Bytes: s.Bytes,
		MaxLen: s.MaxLen, MaxBytes: s.MaxBytes, OldestReady: s.OldestReady,
		WaitingPuts: s.WaitingPuts, Consumers: s.Consumers, FreeSlots: s.FreeSlots, Shutdown: s.Shutdown,
		Put: s.Put, Done: s.Done, Redelivered: s.Redelivered, Failed: s.Failed, TimedOut: s.TimedOut, Lost: s.Lost,
		Returned: s.Returned, Buried: s.Buried, Refused: s.Refused, Dropped: s.Dropped, LateAcks: s.LateAcks,
		Snoozed: s.Snoozed, Skipped: s.Skipped, Discarded: s.Discarded, Cancelled: s.Cancelled, Expired: s.Expired,
		Duplicates: s.Duplicates, Revived: s.Revived, Purged: s.Purged, MovedIn: s.MovedIn, MovedOut: s.MovedOut,
		Paused: s.Paused, PauseReason: cleanText(s.PauseReason), Closed: s.Closed,
		Blocked: s.Blocked, Keys: s.Keys, Uniques: s.Uniques,
		Results: s.Results, ResultBytes: s.ResultBytes, ResultsEarly: s.ResultsEarly,
		Wait: Histogram(s.Wait), Run: Histogram(s.Run), Held: string(s.Held), NoWorker: s.NoWorker,
	}
}

// QueueStats is s in the words of the vocabulary. It shares the counts.
func (s *Stats) QueueStats() reeve.QueueStats {
	return reeve.QueueStats{
		Name: s.Name, Ready: s.Ready, Delayed: s.Delayed, Leased: s.Leased, Dead: s.Dead, Bytes: s.Bytes,
		MaxLen: s.MaxLen, MaxBytes: s.MaxBytes, OldestReady: s.OldestReady,
		WaitingPuts: s.WaitingPuts, Consumers: s.Consumers, FreeSlots: s.FreeSlots, Shutdown: s.Shutdown,
		Put: s.Put, Done: s.Done, Redelivered: s.Redelivered, Failed: s.Failed, TimedOut: s.TimedOut, Lost: s.Lost,
		Returned: s.Returned, Buried: s.Buried, Refused: s.Refused, Dropped: s.Dropped, LateAcks: s.LateAcks,
		Snoozed: s.Snoozed, Skipped: s.Skipped, Discarded: s.Discarded, Cancelled: s.Cancelled, Expired: s.Expired,
		Duplicates: s.Duplicates, Revived: s.Revived, Purged: s.Purged, MovedIn: s.MovedIn, MovedOut: s.MovedOut,
		Paused: s.Paused, PauseReason: s.PauseReason, Closed: s.Closed,
		Blocked: s.Blocked, Keys: s.Keys, Uniques: s.Uniques,
		Results: s.Results, ResultBytes: s.ResultBytes, ResultsEarly: s.ResultsEarly,
		Wait: reeve.Histogram(s.Wait), Run: reeve.Histogram(s.Run), Held: reeve.ReasonCode(s.Held), NoWorker: s.NoWorker,
	}
}

// Histogram is [reeve.Histogram] with its keys.
type Histogram struct {
	Counts []uint64 `cbor:"1,keyasint,omitempty"`
	Sum    uint64   `cbor:"2,keyasint,omitempty"`
}

// TypeCounts is [reeve.TypeStats] with its keys; the two convert into each other.
type TypeCounts struct {
	Type    string `cbor:"1,keyasint,omitempty"`
	Ready   int    `cbor:"2,keyasint,omitempty"`
	Delayed int    `cbor:"3,keyasint,omitempty"`
	Leased  int    `cbor:"4,keyasint,omitempty"`
	Dead    int    `cbor:"5,keyasint,omitempty"`
	Takers  int    `cbor:"6,keyasint,omitempty"`
}

// TypeCountsOf is s with its keys.
func TypeCountsOf(s reeve.TypeStats) TypeCounts { return TypeCounts(s) }

// TypeStats is s in the words of the vocabulary.
func (s TypeCounts) TypeStats() reeve.TypeStats { return reeve.TypeStats(s) }

package record

import (
	"encoding/binary"

	"github.com/reeveq/reeve"
)

func appendStanding(b []byte, r *Standing) []byte {
	bits := standingBits(r)
	b = append(b, byte(r.State))
	b = binary.AppendUvarint(b, bits)
	b = binary.AppendUvarint(b, uint64(r.Attempt))
	if bits&nowDue != 0 {
		b = appendTime(b, r.Due)
	}
	if bits&nowOrder != 0 {
		b = appendTime(b, r.Order)
	}
	if bits&nowClient != 0 {
		b = binary.AppendUvarint(b, uint64(r.Client))
	}
	if bits&nowCounts != 0 {
		b = appendCounts(b, &r.Counts)
	}
	if bits&nowReadyAt != 0 {
		b = appendTime(b, r.ReadyAt)
	}
	if bits&nowError != 0 {
		b = appendText(b, r.Error)
	}
	if bits&nowHistory != 0 {
		b = appendHistory(b, r.History)
	}
	if bits&nowUntil != 0 {
		b = appendTime(b, r.Until)
	}
	if bits&nowReason != 0 {
		b = appendText(b, r.Reason)
	}
	if bits&nowDiedAt != 0 {
		b = appendTime(b, r.DiedAt)
	}
	return b
}

func standingBits(r *Standing) uint64 {
	return bit(r.Claimed, nowClaimed) | bit(r.Order != 0, nowOrder) | bit(r.Due != 0, nowDue) | bit(r.Client != 0, nowClient) |
		bit(r.Counts != reeve.Counts{}, nowCounts) | bit(r.ReadyAt != 0, nowReadyAt) | bit(r.Error != "", nowError) |
		bit(len(r.History) != 0, nowHistory) | bit(r.Append, nowAppend) | bit(r.Wall, nowWall) |
		bit(r.Claimable, nowClaimable) | bit(r.Blamed, nowBlamed) | bit(r.Until != 0, nowUntil) |
		bit(r.Reason != "", nowReason) | bit(r.Last, nowLast) | bit(r.DiedAt != 0, nowDiedAt) |
		bit(r.Turn, nowTurn)
}

func appendCounts(b []byte, r *reeve.Counts) []byte {
	b = binary.AppendUvarint(b, uint64(r.Failed))
	b = binary.AppendUvarint(b, uint64(r.TimedOut))
	b = binary.AppendUvarint(b, uint64(r.Lost))
	b = binary.AppendUvarint(b, uint64(r.Returned))
	return binary.AppendUvarint(b, uint64(r.Snoozed))
}

func appendHistory(b []byte, history []reeve.AttemptRecord) []byte {
	b = binary.AppendUvarint(b, uint64(len(history)))
	for i := range history {
		b = appendAttempt(b, &history[i])
	}
	return b
}

func appendAttempt(b []byte, r *reeve.AttemptRecord) []byte {
	bits := bit(!r.Start.IsZero(), attemptStart) | bit(!r.End.IsZero(), attemptEnd) |
		bit(r.Error != "", attemptError) | bit(r.Stack != "", attemptStack)
	b = append(b, bits)
	b = binary.AppendUvarint(b, uint64(r.Attempt))
	b = appendText(b, r.Worker)
	b = appendText(b, r.Outcome)
	if bits&attemptStart != 0 {
		b = appendTime(b, nanos(r.Start))
	}
	if bits&attemptEnd != 0 {
		b = appendTime(b, nanos(r.End))
	}
	if bits&attemptError != 0 {
		b = appendText(b, r.Error)
	}
	if bits&attemptStack != 0 {
		b = appendText(b, r.Stack)
	}
	return b
}

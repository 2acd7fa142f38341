package main

import (
	"time"

	"github.com/reeveq/reeve"
)

// infoJSON is what is known of a task as -json shows it. What does not hold
// for the task is left out.
type infoJSON struct {
	ID       reeve.ID    `json:"id"`
	Queue    string      `json:"queue"`
	State    reeve.State `json:"state"`
	Type     string      `json:"type,omitempty"`
	Priority int32       `json:"priority,omitempty"`
	PutAt    time.Time   `json:"put_at,omitzero"`
	Attempt  uint32      `json:"attempt"`
	Source   reeve.ID    `json:"source,omitempty"`
	Size     int         `json:"size,omitempty"`
	payloadJSON
	Cut bool `json:"payload_cut,omitempty"` // there is more of the payload

	Since      time.Time             `json:"since,omitzero"`
	Due        time.Time             `json:"due,omitzero"`
	Worker     string                `json:"worker,omitempty"`
	LeaseUntil time.Time             `json:"lease_until,omitzero"`
	TimeoutAt  time.Time             `json:"timeout_at,omitzero"`
	Progress   *reeve.Progress       `json:"progress,omitempty"`
	Counts     reeve.Counts          `json:"counts"`
	Reason     string                `json:"reason,omitempty"`
	Error      string                `json:"error,omitempty"`
	Stack      string                `json:"stack,omitempty"`
	EndedAt    time.Time             `json:"ended_at,omitzero"`
	History    []reeve.AttemptRecord `json:"history,omitempty"`

	Timeout     time.Duration   `json:"timeout_ns,omitempty"`
	At          time.Time       `json:"at,omitzero"`
	Expiry      time.Duration   `json:"expiry_ns,omitempty"`
	ExpireAt    time.Time       `json:"expire_at,omitzero"`
	MaxAttempts int             `json:"max_attempts,omitempty"`
	Backoff     string          `json:"backoff,omitempty"`
	Key         string          `json:"key,omitempty"`
	Unique      string          `json:"unique,omitempty"`
	UniqueMode  string          `json:"unique_mode,omitempty"`
	UniqueFor   time.Duration   `json:"unique_for_ns,omitempty"`
	Labels      []string        `json:"labels,omitempty"`
	KeepResult  time.Duration   `json:"keep_result_ns,omitempty"`
	Blobs       []reeve.BlobRef `json:"blobs,omitempty"`
}

func newInfoJSON(t *reeve.TaskInfo) infoJSON {
	j := infoJSON{
		ID: t.ID, Queue: t.Queue, State: t.State, Type: t.Type, Priority: t.Priority, PutAt: t.PutAt, Attempt: t.Attempt,
		Source: t.Source, Size: t.Size, Cut: len(t.Payload) < t.Size, Since: t.Since, Due: t.Due, Worker: t.Worker,
		LeaseUntil: t.LeaseUntil, TimeoutAt: t.TimeoutAt, Progress: t.Progress, Counts: t.Counts, Reason: t.Reason,
		Error: t.Error, Stack: t.Stack, EndedAt: t.EndedAt, History: t.History, Timeout: t.Timeout,
	}
	if len(t.Payload) > 0 || t.Size == 0 && !t.State.Ended() {
		j.payloadJSON = newPayloadJSON(t.Payload)
	}
	if r := t.Rules; r != nil {
		j.At, j.Expiry, j.ExpireAt, j.MaxAttempts, j.Backoff = r.At, r.Expiry, r.ExpireAt, r.Attempts, backoffText(r.Backoff)
		j.Key, j.Unique, j.UniqueFor, j.Labels, j.KeepResult = r.Key, r.Unique, r.UniqueFor, r.Labels, r.KeepResult
		j.Blobs = r.Blobs
		if r.Unique != "" {
			j.UniqueMode = r.UniqueMode.String()
		}
	}
	return j
}

// resultJSON is how a task ended as -json shows it.
type resultJSON struct {
	ID    reeve.ID    `json:"id"`
	Queue string      `json:"queue"`
	Type  string      `json:"type,omitempty"`
	State reeve.State `json:"state"`
	payloadJSON
	Reason   string    `json:"reason,omitempty"`
	Error    string    `json:"error,omitempty"`
	Attempts uint32    `json:"attempts"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
}

func newResultJSON(r *reeve.Result) resultJSON {
	j := resultJSON{ID: r.ID, Queue: r.Queue, Type: r.Type, State: r.State, Reason: r.Reason, Error: r.Error, Attempts: r.Attempts, EndedAt: r.EndedAt}
	if r.State == reeve.StateDone {
		j.payloadJSON = newPayloadJSON(r.Payload)
	}
	return j
}

package record

import "github.com/reeveq/reeve"

type leaseLine struct {
	lineHead
	taskName
	Attempt uint32 `json:"attempt"`
	Client  uint32 `json:"client_no"`
}

func (l *leaseLine) decode(body []byte) error {
	var r Lease
	err := r.Decode(body)
	l.taskName, l.Attempt, l.Client = taskName{r.Queue, r.ID}, r.Attempt, r.Client
	return err
}

func (l *leaseLine) append(b []byte) []byte {
	return AppendLease(b, &Lease{Queue: l.Queue, ID: l.ID, Attempt: l.Attempt, Client: l.Client})
}

type extendLine struct {
	lineHead
	taskName
	Until stamp `json:"lease_until,omitempty"`
}

func (l *extendLine) decode(body []byte) error {
	var r Extend
	err := r.Decode(body)
	l.taskName, l.Until = taskName{r.Queue, r.ID}, stamp(r.Until)
	return err
}

func (l *extendLine) append(b []byte) []byte {
	return AppendExtend(b, &Extend{Queue: l.Queue, ID: l.ID, Until: int64(l.Until)})
}

type moveLine struct {
	lineHead
	taskName
	To      uint32 `json:"to_queue_no"`
	Claimed bool   `json:"unique_claimed,omitempty"`
}

func (l *moveLine) decode(body []byte) error {
	var r Move
	err := r.Decode(body)
	l.taskName, l.To, l.Claimed = taskName{r.Queue, r.ID}, r.To, r.Claimed
	return err
}

func (l *moveLine) append(b []byte) []byte {
	return AppendMove(b, &Move{Queue: l.Queue, To: l.To, ID: l.ID, Claimed: l.Claimed})
}

type endLine struct {
	lineHead
	taskName
}

func (l *endLine) decode(body []byte) error {
	var r End
	err := r.Decode(body)
	l.Queue, l.ID = r.Queue, r.ID
	return err
}

func (l *endLine) append(b []byte) []byte { return AppendEnd(b, &End{Queue: l.Queue, ID: l.ID}) }

type resultLine struct {
	lineHead
	taskName
	Type     string          `json:"type,omitempty"`
	State    reeve.State     `json:"state,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Error    string          `json:"error,omitempty"`
	Attempts uint32          `json:"attempts"`
	EndedAt  *stamp          `json:"ended_at,omitempty"`
	Until    stamp           `json:"until,omitempty"`
	Blobs    []reeve.BlobRef `json:"blobs,omitempty"`
	payloadLine
}

func (l *resultLine) decode(body []byte) error {
	var r Result
	err := r.Decode(body)
	*l = resultLine{
		taskName: taskName{r.Queue, r.ID}, Type: r.Type, State: r.State, Reason: r.Reason, Error: r.Error,
		Attempts: r.Attempts, EndedAt: stampOf(r.EndedAt), Until: stamp(r.Until), Blobs: r.Blobs,
	}
	if len(r.Payload) > 0 {
		l.payloadLine = payloadOf(r.Payload)
	}
	return err
}

func (l *resultLine) append(b []byte) []byte {
	return AppendResult(b, &Result{
		Queue: l.Queue, ID: l.ID, Type: l.Type, State: l.State, Payload: l.bytes(), Reason: l.Reason, Error: l.Error,
		Attempts: l.Attempts, EndedAt: l.EndedAt.time(), Until: int64(l.Until), Blobs: l.Blobs,
	})
}

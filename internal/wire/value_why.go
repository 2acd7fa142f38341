package wire

import "github.com/reeveq/reeve"

// Explanation is [reeve.Explanation] with its keys.
type Explanation struct {
	ID      reeve.ID `cbor:"1,keyasint,omitempty"`
	Queue   string   `cbor:"2,keyasint,omitempty"`
	State   uint64   `cbor:"3,keyasint,omitempty"`
	Now     int64    `cbor:"4,keyasint,omitempty"`
	Reasons []Reason `cbor:"5,keyasint,omitempty"`
}

// Reason is [reeve.Reason] with its keys.
type Reason struct {
	Code   string     `cbor:"1,keyasint,omitempty"`
	Text   string     `cbor:"2,keyasint,omitempty"`
	Until  int64      `cbor:"3,keyasint,omitempty"`
	Tasks  []reeve.ID `cbor:"4,keyasint,omitempty"`
	Worker string     `cbor:"5,keyasint,omitempty"`
	Have   int        `cbor:"6,keyasint,omitempty"`
	Limit  int        `cbor:"7,keyasint,omitempty"`
}

// ExplanationOf is e with its keys. It shares the lists of tasks.
func ExplanationOf(e *reeve.Explanation) *Explanation {
	w := &Explanation{ID: e.ID, Queue: e.Queue, State: uint64(e.State), Now: unixNano(e.Now)}
	for _, r := range e.Reasons {
		w.Reasons = append(w.Reasons, Reason{
			Code: string(r.Code), Text: cleanText(r.Text), Until: unixNano(r.Until), Tasks: r.Tasks,
			Worker: cleanText(r.Worker), Have: r.Have, Limit: r.Limit,
		})
	}
	return w
}

// Explanation is w in the words of the vocabulary. It shares the lists of
// tasks.
func (w *Explanation) Explanation() reeve.Explanation {
	e := reeve.Explanation{ID: w.ID, Queue: w.Queue, State: stateOf(w.State), Now: timeOf(w.Now)}
	for _, r := range w.Reasons {
		e.Reasons = append(e.Reasons, reeve.Reason{
			Code: reeve.ReasonCode(r.Code), Text: r.Text, Until: timeOf(r.Until), Tasks: r.Tasks,
			Worker: r.Worker, Have: r.Have, Limit: r.Limit,
		})
	}
	return e
}

// Result is [reeve.Result] with its keys.
type Result struct {
	ID       reeve.ID `cbor:"1,keyasint,omitempty"`
	Queue    string   `cbor:"2,keyasint,omitempty"`
	Type     string   `cbor:"3,keyasint,omitempty"`
	State    uint64   `cbor:"4,keyasint,omitempty"`
	Payload  []byte   `cbor:"5,keyasint,omitempty"`
	Reason   string   `cbor:"6,keyasint,omitempty"`
	Error    string   `cbor:"7,keyasint,omitempty"`
	Attempts uint32   `cbor:"8,keyasint,omitempty"`
	EndedAt  int64    `cbor:"9,keyasint,omitempty"`
}

// ResultOf is r with its keys. It shares the payload.
func ResultOf(r *reeve.Result) *Result {
	return &Result{
		ID: r.ID, Queue: r.Queue, Type: r.Type, State: uint64(r.State), Payload: r.Payload,
		Reason: cleanText(r.Reason), Error: cleanText(r.Error), Attempts: r.Attempts, EndedAt: unixNano(r.EndedAt),
	}
}

// Result is w in the words of the vocabulary. It shares the payload.
func (w *Result) Result() reeve.Result {
	return reeve.Result{
		ID: w.ID, Queue: w.Queue, Type: w.Type, State: stateOf(w.State), Payload: w.Payload,
		Reason: w.Reason, Error: w.Error, Attempts: w.Attempts, EndedAt: timeOf(w.EndedAt),
	}
}

// EventRecord is [reeve.Event] with its keys.
type EventRecord struct {
	Time    int64    `cbor:"1,keyasint,omitempty"`
	Queue   string   `cbor:"2,keyasint,omitempty"`
	Kind    string   `cbor:"3,keyasint,omitempty"`
	ID      reeve.ID `cbor:"4,keyasint,omitempty"`
	Type    string   `cbor:"5,keyasint,omitempty"`
	Attempt uint32   `cbor:"6,keyasint,omitempty"`
	Worker  string   `cbor:"7,keyasint,omitempty"`
	Text    string   `cbor:"8,keyasint,omitempty"`
	Missed  uint64   `cbor:"9,keyasint,omitempty"`
}

// EventOf is e with its keys.
func EventOf(e *reeve.Event) EventRecord {
	return EventRecord{
		Time: unixNano(e.Time), Queue: e.Queue, Kind: string(e.Kind), ID: e.ID, Type: e.Type, Attempt: e.Attempt,
		Worker: cleanText(e.Worker), Text: cleanText(e.Text), Missed: e.Missed,
	}
}

// Event is w in the words of the vocabulary.
func (w *EventRecord) Event() reeve.Event {
	return reeve.Event{
		Time: timeOf(w.Time), Queue: w.Queue, Kind: reeve.EventKind(w.Kind), ID: w.ID, Type: w.Type, Attempt: w.Attempt,
		Worker: w.Worker, Text: w.Text, Missed: w.Missed,
	}
}

package record

import "github.com/reeveq/reeve"

type standLine struct {
	lineHead
	taskName
	standingLine
}

func (l *standLine) decode(body []byte) error {
	var r Stand
	err := r.Decode(body)
	l.taskName, l.standingLine = taskName{r.Queue, r.ID}, standingOf(&r.Now)
	return err
}

func (l *standLine) append(b []byte) []byte {
	return AppendStand(b, &Stand{Queue: l.Queue, ID: l.ID, Now: l.standing()})
}

// standingLine is a [Standing].
type standingLine struct {
	State     State         `json:"state,omitempty"`
	Due       stamp         `json:"due,omitempty"`
	Wall      bool          `json:"due_wall,omitempty"`
	Order     int64         `json:"order,omitempty"`
	Claimable bool          `json:"claimable,omitempty"`
	Blamed    bool          `json:"blamed,omitempty"`
	Turn      bool          `json:"key_turn,omitempty"`
	Claimed   bool          `json:"unique_claimed,omitempty"`
	Client    uint32        `json:"client_no,omitempty"`
	Until     stamp         `json:"lease_until,omitempty"`
	Attempt   uint32        `json:"attempt"`
	Counts    *reeve.Counts `json:"counts,omitempty"`
	Error     string        `json:"error,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Last      bool          `json:"error_of_last,omitempty"`
	DiedAt    stamp         `json:"died_at,omitempty"`
	ReadyAt   stamp         `json:"ready_at,omitempty"`
	Append    bool          `json:"history_goes_on,omitempty"`
	History   []attemptLine `json:"history,omitempty"`
}

func standingOf(r *Standing) standingLine {
	l := standingLine{
		State: r.State, Due: stamp(r.Due), Wall: r.Wall, Order: r.Order, Claimable: r.Claimable, Blamed: r.Blamed,
		Turn: r.Turn, Claimed: r.Claimed, Client: r.Client, Until: stamp(r.Until), Attempt: r.Attempt, Error: r.Error, Reason: r.Reason,
		Last: r.Last, DiedAt: stamp(r.DiedAt), ReadyAt: stamp(r.ReadyAt), Append: r.Append,
	}
	if r.Counts != (reeve.Counts{}) {
		l.Counts = &r.Counts
	}
	for i := range r.History {
		l.History = append(l.History, attemptOf(&r.History[i]))
	}
	return l
}

func (l *standingLine) standing() Standing {
	r := Standing{
		State: l.State, Due: int64(l.Due), Wall: l.Wall, Order: l.Order, Claimable: l.Claimable, Blamed: l.Blamed,
		Turn: l.Turn, Claimed: l.Claimed, Client: l.Client, Until: int64(l.Until), Attempt: l.Attempt, Error: l.Error, Reason: l.Reason,
		Last: l.Last, DiedAt: int64(l.DiedAt), ReadyAt: int64(l.ReadyAt), Append: l.Append,
	}
	if l.Counts != nil {
		r.Counts = *l.Counts
	}
	for i := range l.History {
		r.History = append(r.History, l.History[i].record())
	}
	return r
}

// attemptLine is a [reeve.AttemptRecord].
type attemptLine struct {
	Attempt uint32 `json:"attempt"`
	Worker  string `json:"worker"`
	Start   *stamp `json:"start,omitempty"`
	End     *stamp `json:"end,omitempty"`
	Outcome string `json:"outcome"`
	Error   string `json:"error,omitempty"`
	Stack   string `json:"stack,omitempty"`
}

func attemptOf(r *reeve.AttemptRecord) attemptLine {
	return attemptLine{
		Attempt: r.Attempt, Worker: r.Worker, Start: stampOf(r.Start), End: stampOf(r.End), Outcome: r.Outcome,
		Error: r.Error, Stack: r.Stack,
	}
}

func (l *attemptLine) record() reeve.AttemptRecord {
	return reeve.AttemptRecord{
		Attempt: l.Attempt, Worker: l.Worker, Start: l.Start.time(), End: l.End.time(), Outcome: l.Outcome,
		Error: l.Error, Stack: l.Stack,
	}
}

package record

import (
	"time"

	"github.com/reeveq/reeve"
)

// taskName is how most lines begin.
type taskName struct {
	Queue uint32   `json:"queue_no"`
	ID    reeve.ID `json:"id,omitempty"`
}

type putLine struct {
	lineHead
	taskName
	Due   stamp `json:"due,omitempty"`
	Wall  bool  `json:"due_wall,omitempty"`
	Order int64 `json:"order,omitempty"`
	bodyLine
}

func (l *putLine) decode(body []byte) error {
	var r Put
	err := r.Decode(body)
	l.taskName, l.Due, l.Wall, l.Order, l.bodyLine = taskName{r.Queue, r.ID}, stamp(r.Due), r.Wall, r.Order, bodyOf(&r.Body)
	return err
}

func (l *putLine) append(b []byte) []byte {
	return AppendPut(b, &Put{Queue: l.Queue, ID: l.ID, Due: int64(l.Due), Wall: l.Wall, Order: l.Order, Body: l.body()})
}

type taskLine struct {
	lineHead
	taskName
	bodyLine
	standingLine
}

func (l *taskLine) decode(body []byte) error {
	var r Task
	err := r.Decode(body)
	l.taskName, l.bodyLine, l.standingLine = taskName{r.Queue, r.ID}, bodyOf(&r.Body), standingOf(&r.Now)
	return err
}

func (l *taskLine) append(b []byte) []byte {
	return AppendTask(b, &Task{Queue: l.Queue, ID: l.ID, Body: l.body(), Now: l.standing()})
}

// bodyLine is a [Body].
type bodyLine struct {
	Type     string          `json:"type,omitempty"`
	Priority int32           `json:"priority,omitempty"`
	Source   reeve.ID        `json:"source,omitempty"`
	PutAt    stamp           `json:"put_at,omitempty"`
	Rules    *ruleLine       `json:"rules,omitempty"`
	Blobs    []reeve.BlobRef `json:"blobs,omitempty"`
	payloadLine
}

func bodyOf(r *Body) bodyLine {
	return bodyLine{
		Type: r.Type, Priority: r.Priority, Source: r.Source, PutAt: stamp(r.PutAt), Rules: rulesOf(r.Extra), Blobs: r.Blobs,
		payloadLine: payloadOf(r.Payload),
	}
}

func (l *bodyLine) body() Body {
	return Body{
		Type: l.Type, Priority: l.Priority, Source: l.Source, PutAt: int64(l.PutAt), Extra: l.Rules.extra(), Payload: l.bytes(), Blobs: l.Blobs,
	}
}

// ruleLine is an [Extra], under the names that the rules of a task have
// elsewhere.
type ruleLine struct {
	Timeout     time.Duration    `json:"timeout_ns,omitempty"`
	Attempts    int32            `json:"max_attempts,omitempty"`
	Key         string           `json:"key,omitempty"`
	Unique      string           `json:"unique,omitempty"`
	Mode        reeve.UniqueMode `json:"unique_mode,omitempty"`
	Claimed     bool             `json:"unique_claimed,omitempty"`
	UniqueUntil stamp            `json:"unique_until,omitempty"`
	Labels      []string         `json:"labels,omitempty"`
	Backoff     *backoffLine     `json:"backoff,omitempty"`
	ExpireAt    stamp            `json:"expire_at,omitempty"`
	ExpireWall  bool             `json:"expire_wall,omitempty"`
	Keep        time.Duration    `json:"keep_result_ns,omitempty"`
	Asked       bool             `json:"asked,omitempty"`
}

func rulesOf(r *Extra) *ruleLine {
	if r == nil {
		return nil
	}
	return &ruleLine{
		Timeout: time.Duration(r.Timeout), Attempts: r.Attempts, Key: r.Key, Unique: r.Unique, Mode: r.Mode, Claimed: r.Claimed,
		UniqueUntil: stamp(r.UniqueUntil), Labels: r.Labels, Backoff: backoffOf(r.Backoff),
		ExpireAt: stamp(r.ExpireAt), ExpireWall: r.ExpireWall, Keep: time.Duration(r.Keep), Asked: r.Asked,
	}
}

func (l *ruleLine) extra() *Extra {
	if l == nil {
		return nil
	}
	return &Extra{
		Timeout: int64(l.Timeout), Attempts: l.Attempts, Key: l.Key, Unique: l.Unique, Mode: l.Mode, Claimed: l.Claimed,
		UniqueUntil: int64(l.UniqueUntil), Labels: l.Labels, Backoff: l.Backoff.backoff(),
		ExpireAt: int64(l.ExpireAt), ExpireWall: l.ExpireWall, Keep: int64(l.Keep), Asked: l.Asked,
	}
}

// backoffLine is a [reeve.Backoff].
type backoffLine struct {
	Base   time.Duration `json:"base_ns,omitempty"`
	Factor float64       `json:"factor,omitempty"`
	Max    time.Duration `json:"max_ns,omitempty"`
	Jitter float64       `json:"jitter,omitempty"`
}

func backoffOf(r *reeve.Backoff) *backoffLine {
	if r == nil {
		return nil
	}
	return &backoffLine{Base: r.Base, Factor: finite(r.Factor), Max: r.Max, Jitter: finite(r.Jitter)}
}

func (l *backoffLine) backoff() *reeve.Backoff {
	if l == nil {
		return nil
	}
	return &reeve.Backoff{Base: l.Base, Factor: l.Factor, Max: l.Max, Jitter: l.Jitter}
}

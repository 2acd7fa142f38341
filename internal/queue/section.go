package queue

import (
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
)

// section is what was changed while one queue, or two of them together, were
// locked: the records of it, which go into one frame of the journal as one
// unit, and what is to be told when that frame is durable. Without a journal
// nothing is recorded, and everything is told at once.
type section struct {
	share  *commit.Share[telling] // nil: nothing has been recorded
	recs   []byte
	tells  []telling
	synced bool          // some queue's changes are to survive a power cut
	by     time.Duration // else, when they are to at the latest; 0: never mind
}

// keptSection is how large the memory of a section may be that is used again.
const keptSection = 64 << 10

// changes returns the section in which a change of q is recorded; nil: there is
// no journal, it says so already, or the queue is deleted.
func (q *Queue) changes() *section {
	e := q.engine
	if e.log == nil || q.growing || q.deleted {
		return nil
	}
	s := q.section
	if s.share == nil {
		s.share = e.log.Enter()
	}
	q.last = s.share.Pos()
	switch d := q.durability(); {
	case d == reeve.DurabilitySync:
		s.synced = true
	case d > 0 && (s.by == 0 || time.Duration(d) < s.by):
		s.by = time.Duration(d)
	}
	return s
}

// durability is what q's changes survive.
func (q *Queue) durability() reeve.Durability {
	if d := q.cfg.Durability; d != 0 {
		return d
	}
	return q.engine.cfg.Durability
}

// finishSection hands over what was recorded. The queue, or both, are locked
// still, so that the records of a task stand in the journal in their order.
func (q *Queue) finishSection() {
	s := q.section
	if s.share == nil {
		return
	}
	d := commit.Written
	if s.synced {
		d = commit.Synced
	}
	q.engine.log.Leave(s.share, s.recs, s.tells, d, s.by)
	clear(s.tells)
	*s = section{recs: s.recs[:0], tells: s.tells[:0]}
	if cap(s.recs) > keptSection {
		s.recs = nil
	}
	if len(s.tells) > 1<<10 {
		s.tells = nil
	}
}

// join has two queues that are locked together share a section.
func join(a, b *Queue) { b.section = a.section }

// part ends that, before either is unlocked.
func part(a, b *Queue) {
	a.finishSection()
	b.section = &b.own
}

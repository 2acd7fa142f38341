package queue

// JoinOp is a request for the moment when every task is settled.
type JoinOp struct {
	Tag uint64
	By  Replier

	hold *hold
	at   int // where it stands in Queue.joins
}

// Join answers when no task is ready, delayed or leased.
func (q *Queue) Join(h *Holder, op *JoinOp) {
	op.hold = q.ask(h)
	if op.hold == nil {
		return
	}
	defer q.unlock()
	switch {
	case q.stopped:
		q.reply(op.hold, op.By, op.Tag, 1, 0, q.stoppedError())
	case q.unsettled() == 0:
		q.reply(op.hold, op.By, op.Tag, 1, 0, nil)
	default:
		op.at = len(q.joins)
		q.joins = append(q.joins, op)
		op.hold.waits(op.Tag, op)
	}
}

// dropJoin takes op, which waits, out of the list.
func (q *Queue) dropJoin(op *JoinOp) {
	last := len(q.joins) - 1
	q.joins[op.at], q.joins[last].at = q.joins[last], op.at
	q.joins[last] = nil
	q.joins = q.joins[:last]
	op.hold.waitsNoMore(op.Tag, op)
}

// endJoins answers all Joins.
func (q *Queue) endJoins(err error) {
	for i, op := range q.joins {
		q.joins[i] = nil
		op.hold.waitsNoMore(op.Tag, op)
		if !op.hold.closed {
			q.reply(op.hold, op.By, op.Tag, 1, 0, err)
		}
	}
	q.joins = q.joins[:0]
}

package queue

// Payloads are in memory as long as there is room for them there; the others are
// read from the journal when they are needed: see pager.go.

// keepPayload leaves the payload of t, which was recorded, to the journal if
// there are enough in memory.
func (q *Queue) keepPayload(t *task) {
	e := q.engine
	if e.log == nil || t.length == 0 {
		return
	}
	if most := e.cfg.Memory; most > 0 && e.resident.Load()+int64(t.length) > most {
		t.payload = nil
		return
	}
	e.resident.Add(int64(t.length))
}

// leavePayload notes that t is gone.
func (q *Queue) leavePayload(t *task) {
	if q.engine.log != nil && t.length > 0 && !t.away() {
		q.engine.resident.Add(-int64(t.length))
	}
}

// rejoinPayload notes that t is back, in another queue.
func (q *Queue) rejoinPayload(t *task) {
	if q.engine.log != nil && t.length > 0 && !t.away() {
		q.engine.resident.Add(int64(t.length))
	}
}

package queue

import "github.com/reeveq/reeve"

// results are the outcomes that are kept, each until its time, in no more
// memory than most bytes: for a new one those go first whose time is over
// first. An outcome whose time is over is gone at once, whether expire has seen
// it or not. most must be set, and store where outcomes name blobs; otherwise the
// zero value has none.
type results struct {
	most  int64
	early uint64 // outcomes that were given up before their time

	blobs map[reeve.ID][]reeve.BlobRef // what they name, of those that do; counted by
	store Blobs

	ids   map[reeve.ID]*timed[reeve.Result]
	peak  int // the most ids the map held
	ends  timeHeap[reeve.Result]
	spent int64
}

// len is how many are kept, those included that expire has yet to see.
func (s *results) len() int { return len(s.ids) }

// bytes is the memory that they count for.
func (s *results) bytes() int64 { return s.spent }

// nextDue is when expire has something to do; never: nothing.
func (s *results) nextDue() int64 { return s.ends.next() }

// add keeps r from now until until, in place of an earlier outcome of the same
// task.
func (s *results) add(r reeve.Result, now, until int64) {
	s.remove(r.ID)
	if until <= now {
		return
	}
	size := resultSize(&r)
	if size > s.most {
		s.early++
		return
	}
	for s.spent+size > s.most {
		if s.ends.next() > now {
			s.early++
		}
		s.drop(s.ends.head())
	}
	x := &timed[reeve.Result]{of: r}
	if s.ids == nil {
		s.ids = map[reeve.ID]*timed[reeve.Result]{}
	}
	s.ids[r.ID] = x
	s.peak = max(s.peak, len(s.ids))
	s.ends.add(x, until)
	s.spent += size
}

// fits reports whether there is room for r as it is.
func (s *results) fits(r *reeve.Result) bool { return s.spent+resultSize(r) <= s.most }

// get returns the outcome of the task id, if it is kept at now. Nobody may
// change its payload.
func (s *results) get(id reeve.ID, now int64) (reeve.Result, bool) {
	x := s.ids[id]
	if x == nil || s.ends.when(x) <= now {
		return reeve.Result{}, false
	}
	return x.of, true
}

// remove forgets the outcome of the task id, if one is kept: the task is back.
func (s *results) remove(id reeve.ID) {
	if x := s.ids[id]; x != nil {
		s.drop(x)
	}
}

// expire forgets up to max outcomes whose time is over. nextDue tells whether
// there are more.
func (s *results) expire(now int64, max int) {
	for ; max > 0 && s.ends.next() <= now; max-- {
		s.drop(s.ends.head())
	}
}

func (s *results) drop(x *timed[reeve.Result]) {
	s.ends.remove(x)
	s.unrefer(x.of.ID)
	s.spent -= resultSize(&x.of)
	delete(s.ids, x.of.ID)
	// A map keeps the memory of the most it ever held.
	if s.peak >= 1<<10 && len(s.ids) <= s.peak/16 {
		kept := make(map[reeve.ID]*timed[reeve.Result], len(s.ids))
		for id, x := range s.ids {
			kept[id] = x
		}
		s.ids, s.peak = kept, len(kept)
	}
}

// resultSize is what an outcome counts for.
func resultSize(r *reeve.Result) int64 {
	return reeve.TaskOverhead + int64(len(r.Payload)+len(r.Type)+len(r.Reason)+len(r.Error))
}

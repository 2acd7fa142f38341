package dump

import "github.com/reeveq/reeve/internal/record"

// filter knows the records of one queue.
type filter struct {
	name    string
	numbers map[uint32]bool // that stand for the name
}

// has reports whether the record is about the queue. Those of the master and of
// clients are about none.
func (f *filter) has(kind record.Kind, body []byte) (bool, error) {
	if kind == record.KindQueue {
		var q record.Queue
		if err := q.Decode(body); err != nil {
			return false, err
		}
		f.numbers[q.No] = q.Name == f.name
		return q.Name == f.name, nil
	}
	of, err := QueuesOf(kind, body)
	for _, no := range of {
		if f.numbers[no] {
			return true, err
		}
	}
	return false, err
}

// QueuesOf returns the numbers of the queues that a record is about: both of a
// move, and none if it is about no queue, or of a kind that is not known.
func QueuesOf(kind record.Kind, body []byte) (numbers []uint32, err error) {
	var no uint32
	switch kind {
	case record.KindQueue:
		var r record.Queue
		err, no = r.Decode(body), r.No
	case record.KindDelete:
		var r record.Delete
		err, no = r.Decode(body), r.Queue
	case record.KindPause:
		var r record.Pause
		err, no = r.Decode(body), r.Queue
	case record.KindPut:
		var r record.Put
		err, no = r.Decode(body), r.Queue
	case record.KindTask:
		var r record.Task
		err, no = r.Decode(body), r.Queue
	case record.KindLease:
		var r record.Lease
		err, no = r.Decode(body), r.Queue
	case record.KindExtend:
		var r record.Extend
		err, no = r.Decode(body), r.Queue
	case record.KindState:
		var r record.Stand
		err, no = r.Decode(body), r.Queue
	case record.KindMove:
		var r record.Move
		err = r.Decode(body)
		return []uint32{r.Queue, r.To}, err
	case record.KindEnd:
		var r record.End
		err, no = r.Decode(body), r.Queue
	case record.KindResult:
		var r record.Result
		err, no = r.Decode(body), r.Queue
	case record.KindUnique:
		var r record.Unique
		err, no = r.Decode(body), r.Queue
	default:
		return nil, nil
	}
	return []uint32{no}, err
}

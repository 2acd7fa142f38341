package main

import (
	"fmt"

	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// records has a place for a record of each kind, into which the next one is
// decoded again.
type records struct {
	master  record.Master
	queue   record.Queue
	pause   record.Pause
	client  record.Client
	gone    record.Gone
	request record.Request
	put     record.Put
	task    record.Task
	lease   record.Lease
	extend  record.Extend
	stand   record.Stand
	move    record.Move
	end     record.End
	result  record.Result
	unique  record.Unique
	deleted record.Delete
	object  record.Object
	drop    record.Drop
	entry   record.Entry
	remove  record.Remove
	answer  record.Answer
}

func (r *records) decode(kind record.Kind, body []byte) error {
	switch kind {
	case record.KindMaster:
		return r.master.Decode(body)
	case record.KindQueue:
		return r.queue.Decode(body)
	case record.KindPause:
		return r.pause.Decode(body)
	case record.KindClient:
		return r.client.Decode(body)
	case record.KindGone:
		return r.gone.Decode(body)
	case record.KindRequest:
		return r.request.Decode(body)
	case record.KindPut:
		return r.put.Decode(body)
	case record.KindTask:
		return r.task.Decode(body)
	case record.KindLease:
		return r.lease.Decode(body)
	case record.KindExtend:
		return r.extend.Decode(body)
	case record.KindState:
		return r.stand.Decode(body)
	case record.KindMove:
		return r.move.Decode(body)
	case record.KindEnd:
		return r.end.Decode(body)
	case record.KindResult:
		return r.result.Decode(body)
	case record.KindUnique:
		return r.unique.Decode(body)
	case record.KindDelete:
		return r.deleted.Decode(body)
	case record.KindObject:
		return r.object.Decode(body)
	case record.KindDrop:
		return r.drop.Decode(body)
	case record.KindEntry:
		return r.entry.Decode(body)
	case record.KindRemove:
		return r.remove.Decode(body)
	case record.KindAnswer:
		return r.answer.Decode(body)
	}
	return nil // of a later version
}

// frame decodes the records of frame p, one after another, and calls each with
// the kind of the one that is decoded and its size in the frame.
func (r *records) frame(p journal.Pos, frame []byte, each func(kind record.Kind, size int)) (record.Head, error) {
	head, rest, err := record.ParseHead(frame)
	for err == nil && len(rest) > 0 {
		var kind record.Kind
		var body []byte
		size := len(rest)
		if kind, body, rest, err = record.Next(rest); err == nil {
			err = r.decode(kind, body)
		}
		if err == nil {
			each(kind, size-len(rest))
		}
	}
	if err != nil {
		return head, fmt.Errorf("frame %d: %w", p, err)
	}
	return head, nil
}

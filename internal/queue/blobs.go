package queue

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
)

// Blobs counts the tasks and kept results that name blobs, which live as long as
// any does. Its methods must not block, nor call what is in this package: queues'
// mutexes are held.
type Blobs interface {
	// Take counts one more for each of refs: for all, or, if one is not there,
	// for none: [reeve.ErrNoSuchBlob].
	Take(refs []reeve.BlobRef) error
	// Keep counts one more for each of refs, whether it is there or not: that it
	// was is known from before.
	Keep(refs []reeve.BlobRef)
	// Drop takes a Take or a Keep of the same refs back.
	Drop(refs []reeve.BlobRef)
}

// noBlobs is for an engine that is given none.
type noBlobs struct{}

func (noBlobs) Take(refs []reeve.BlobRef) error {
	return fmt.Errorf("%w: %v: the master has none", reeve.ErrNoSuchBlob, refs[0])
}
func (noBlobs) Keep([]reeve.BlobRef) {}
func (noBlobs) Drop([]reeve.BlobRef) {}

// blobsOf are what a task names that is put.
func blobsOf(t *reeve.Task) []reeve.BlobRef {
	if t.Rules == nil {
		return nil
	}
	return t.Rules.Blobs
}

// takeBlobs counts what the tasks name that are about to be put: from then on it
// lives. All of it, or nothing.
func (q *Queue) takeBlobs(ts []reeve.Task) error {
	for i := range ts {
		if err := q.takeBlobsOf(&ts[i]); err != nil {
			for j := range ts[:i] {
				q.dropBlobs(blobsOf(&ts[j]))
			}
			return err
		}
	}
	return nil
}

func (q *Queue) takeBlobsOf(t *reeve.Task) error {
	if refs := blobsOf(t); len(refs) > 0 {
		return q.engine.cfg.Blobs.Take(refs)
	}
	return nil
}

// dropBlobs takes a count back of which nothing has come.
func (q *Queue) dropBlobs(refs []reeve.BlobRef) {
	if len(refs) > 0 {
		q.engine.cfg.Blobs.Drop(refs)
	}
}

// endBlobs takes back what was counted for a task that has ended, when that is
// durable: until then a crash of the machine may bring it back.
func (q *Queue) endBlobs(refs []reeve.BlobRef) {
	if len(refs) == 0 {
		return
	}
	blobs := q.engine.cfg.Blobs
	if !q.when(telling{call: func(error) { blobs.Drop(refs) }}) {
		blobs.Drop(refs)
	}
}

// blobs are what t names.
func (t *task) blobs() []reeve.BlobRef {
	if t.extra == nil {
		return nil
	}
	return t.extra.blobs
}

// nameToo has t, which is about to end, name what its result does, which was
// counted for it: that lives as long as what is kept of t.
func (q *Queue) nameToo(t *task, refs []reeve.BlobRef) {
	if len(refs) == 0 {
		return
	}
	q.bytes -= t.size()
	if t.extra == nil {
		t.extra = &extra{}
	}
	t.extra.blobs = slices.Concat(t.extra.blobs, refs)
	q.bytes += t.size()
}

// sizeOfBlobs is what the blobs that a task names count for.
func sizeOfBlobs(refs []reeve.BlobRef) int64 { return int64(len(refs)) * reeve.BlobOverhead }

// refer has the outcome of the task id, if it is kept, name refs until it is
// forgotten.
func (s *results) refer(id reeve.ID, refs []reeve.BlobRef) {
	if len(refs) == 0 || s.ids[id] == nil {
		return
	}
	if s.blobs == nil {
		s.blobs = map[reeve.ID][]reeve.BlobRef{}
	}
	s.blobs[id] = refs
	s.spent += sizeOfBlobs(refs)
	s.store.Keep(refs)
}

// unrefer takes that back.
func (s *results) unrefer(id reeve.ID) {
	if refs := s.blobs[id]; refs != nil {
		delete(s.blobs, id)
		s.spent -= sizeOfBlobs(refs)
		s.store.Drop(refs)
	}
}

// forgetBlobs takes back all that the queue has counted: it is of no use any more.
func (q *Queue) forgetBlobs() {
	for t := range q.tasks.all() {
		q.endBlobs(t.blobs())
	}
	q.results.forgetBlobs()
}

func (s *results) forgetBlobs() {
	for id := range s.blobs {
		s.unrefer(id)
	}
}

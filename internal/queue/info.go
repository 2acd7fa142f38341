package queue

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// Info is what the holder has: its standing supplies by queue, up to 256 of its
// leases, the oldest first, and how many it has in all.
func (h *Holder) Info() (queues []reeve.WorkerQueue, running []reeve.WorkerTask, leases int) {
	const most = 256
	for _, k := range h.all() {
		q := k.queue
		q.mu.Lock()
		now := q.engine.now()
		for _, c := range slices.SortedFunc(maps.Keys(k.consumers), func(a, b *Consumer) int { return cmp.Compare(a.tag, b.tag) }) {
			want := &c.taker.profile.want
			queues = append(queues, reeve.WorkerQueue{Supply: c.tag, Queue: q.name, Types: want.Types, Labels: want.Labels, Slots: c.slots, Used: c.used})
		}
		leases += k.leases.n
		i := 0
		for t := k.leases.head; t != nil && i < most; t, i = t.next, i+1 {
			running = append(running, reeve.WorkerTask{Queue: q.name, ID: t.id, Type: t.kind.name, Attempt: t.attempt, Age: time.Duration(now - t.leasedAt)})
		}
		q.mu.Unlock()
	}
	slices.SortStableFunc(queues, func(a, b reeve.WorkerQueue) int { return strings.Compare(a.Queue, b.Queue) })
	slices.SortFunc(running, func(a, b reeve.WorkerTask) int {
		return cmp.Or(cmp.Compare(b.Age, a.Age), cmp.Compare(a.ID, b.ID))
	})
	return queues, running[:min(len(running), most)], leases
}

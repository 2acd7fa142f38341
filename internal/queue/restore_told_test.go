package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// listener holds what it is told against what it was told before.
type listener struct {
	*queue.Holder
	t     *testing.T
	tag   uint64
	over  bool // released: guarded by told, as all below
	last  map[string]uint64
	ended map[uint64]bool
	has   map[reeve.Token]bool
}

func (l *listener) tell(format string, args ...any) func() {
	told.Lock()
	if l.over {
		l.t.Errorf("after the release: "+format, args...)
	}
	return told.Unlock
}

func (l *listener) Deliver(tag uint64, q string, t *reeve.Task) {
	defer l.tell("delivered %v", t.ID)()
	if l.ended[tag] {
		l.t.Errorf("%v was delivered to consumer %d, which has ended", t.ID, tag)
	}
	l.has[reeve.Token{Queue: q, ID: t.ID, Attempt: t.Attempt}] = true
}

func (l *listener) Got(tag uint64, q string, ts []reeve.Task, err error) {
	defer l.tell("got %d", tag)()
	for _, t := range ts {
		l.has[reeve.Token{Queue: q, ID: t.ID, Attempt: t.Attempt}] = true
	}
}

func (l *listener) End(tag uint64, _ string, err error) {
	defer l.tell("end of %d", tag)()
	l.ended[tag] = true
}

func (l *listener) Lost(t reeve.Token, cause error) {
	defer l.tell("lost %v", t)()
	if !l.has[t] {
		l.t.Errorf("%v was lost that was never had: %v", t, cause)
	}
	delete(l.has, t)
}

func (l *listener) Wake() {}

// answers takes the answers to puts into one queue.
type answers struct {
	l *listener
	q string
}

func (a answers) Reply(tag uint64, count int, _ reeve.ID, err error) {
	defer a.l.tell("answer to %d", tag)()
	if tag <= a.l.last[a.q] {
		a.l.t.Errorf("the answer to %d came after that to %d: %v", tag, a.l.last[a.q], err)
	}
	a.l.last[a.q] = tag
}

func TestTold_InOrderAndNothingAfterTheEnd(t *testing.T) {
	restoreSeeds(t, func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		k := open(t, queue.Config{Memory: []int64{0, 1}[seed%2]})
		var qs []*queue.Queue
		for i := range 2 {
			d := []reeve.Durability{reeve.DurabilitySync, reeve.DurabilityNone}[rnd.IntN(2)]
			qs = append(qs, k.declare(fmt.Sprint("q", i), reeve.QueueConfig{Lease: time.Second, Durability: d, Timeout: 700 * time.Millisecond}))
		}
		var ls []*listener
		var gate *journaltest.Gate
		for range *restoreSteps {
			if len(ls) < 3 {
				l := &listener{t: t, last: map[string]uint64{}, ended: map[uint64]bool{}, has: map[reeve.Token]bool{}}
				l.Holder = k.NewHolder(l, false)
				ls = append(ls, l)
			}
			n := rnd.IntN(len(ls))
			l, q := ls[n], qs[rnd.IntN(2)]
			l.tag++
			switch rnd.IntN(12) {
			case 0, 1, 2:
				q.Put(l.Holder, &queue.PutOp{Tasks: []reeve.Task{{Payload: []byte("xyz")}}, Tag: l.tag, By: answers{l, q.Name()}})
			case 3:
				q.Consume(l.Holder, l.tag, 1+rnd.IntN(3), reeve.GetOptions{})
			case 4, 5:
				q.Get(l.Holder, &queue.GetOp{Max: 2, NoWait: rnd.IntN(2) == 0, Tag: l.tag})
			case 6, 7:
				told.Lock()
				var x reeve.Token
				for x = range l.has {
					break
				}
				delete(l.has, x)
				told.Unlock()
				if x.Queue != "" {
					k.lookup(x.Queue).Nack(l.Holder, &queue.NackOp{ID: x.ID, Attempt: x.Attempt, Skip: rnd.IntN(2) == 0}, l.tag, answers{l, "ends of " + x.Queue})
				}
			case 8:
				if gate == nil {
					gate = k.journal.Block([]journaltest.Op{journaltest.OpAppend, journaltest.OpSync, journaltest.OpRead}[rnd.IntN(3)])
				} else {
					gate.Open()
					gate = nil
				}
			case 9:
				time.Sleep(time.Duration(rnd.IntN(900)) * time.Millisecond)
			case 10:
				synctest.Wait()
			default:
				if rnd.IntN(3) > 0 {
					continue
				}
				if rnd.IntN(2) == 0 {
					l.Release(rnd.IntN(2) == 0)
				} else {
					l.Leave()
				}
				told.Lock()
				l.over = true
				told.Unlock()
				ls = append(ls[:n], ls[n+1:]...)
			}
		}
		if rnd.IntN(2) == 0 {
			k.Stop() // the consumers end, while hand-overs are under way
		}
		if gate != nil {
			gate.Open()
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("-restore.seed=%d", seed)
		}
	})
}

package locking

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// quiet takes answers and tells nobody.
type quiet struct{ answered chan uint64 }

func (q quiet) Return(req uint64, _ []byte) { q.answered <- req }
func (q quiet) Fail(req uint64, _ error)    { q.answered <- req }

// Between the end of a call and the moment at which its lock is told, the lock may
// become free: it is not given to one who is not there any more.
func TestGate_PassesOverOneWhoHasJustGivenUp(t *testing.T) {
	t.Parallel()
	h := shared.New(shared.Config{})
	defer h.Close()
	Add(h)
	owner := quiet{make(chan uint64, 10)}
	link, _ := h.Attach(shared.ClientID{Process: [16]byte{1}}, shared.Who{Name: "A"}, owner)
	ref, err := h.Declare(link.Client(), "lock", "l", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	acquire := func(req uint64) {
		args, err := codec.CBOR.Marshal([]any{[]uint64{req}, req, true, nil})
		if err != nil {
			t.Fatal(err)
		}
		link.Call(&shared.Request{Req: req, Ref: ref, Method: "acquire", Args: args, Reads: true})
	}
	for req := range uint64(3) { // 0 holds it, 1 and 2 wait
		acquire(req)
	}
	x, err := h.Object(nil, reeve.Ref{Name: "l"})
	if err != nil {
		t.Fatal(err)
	}
	g := x.(*lock).gate
	if req := <-owner.answered; req != 0 {
		t.Fatalf("call %d was answered first", req)
	}
	g.sp.mu.Lock()
	done := make(chan struct{})
	go func() { defer close(done); link.Cancel(1) }() // waited for below
	select {
	case req := <-owner.answered:
		if req != 1 {
			t.Fatalf("call %d ended", req)
		}
	case <-time.After(time.Minute):
		t.Fatal("the call does not end")
	}
	err = g.release(g.holds[0].owner, 0, -1) // the lock is not told yet
	g.sp.mu.Unlock()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	if len(g.holds) != 1 || g.holds[0].owner.id != 2 || g.queue.Len() != 0 {
		t.Fatalf("%d hold it, %d wait", len(g.holds), g.queue.Len())
	}
	if req := <-owner.answered; req != 2 {
		t.Errorf("call %d was answered", req)
	}
}

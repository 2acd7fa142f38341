package shared

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

var noTime time.Time

func matches(err, want error) bool { return err == want || want != nil && errors.Is(err, want) }

func is(n int) string { return string(number(n)) }

func TestCall_SentAgainIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	w := connect(h, 1)
	w.ask(1, 1, "add")
	w.ask(1, 1, "add")
	want(t, w.take(), reply{req: 1, value: is(1)}, reply{req: 1, value: is(1)})
	w.Detach(false)
	w = connect(h, 1)
	w.ask(1, 1, "add")
	w.ask(2, 2, "add")
	want(t, w.take(), reply{req: 1, value: is(1)}, reply{req: 2, value: is(2)})
	if c.n != 2 {
		t.Errorf("counted to %d", c.n)
	}
}

func TestCall_OfAnotherClientIsAnother(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	connect(h, 1).ask(1, 1, "add")
	w := connect(h, 2)
	w.ask(1, 1, "add")
	want(t, w.take(), reply{req: 1, value: is(2)})
}

// What is forgotten because it is too much is known to be.
func TestCall_AnswersThatAreTooManyAreUnknownThenNotTwice(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	w := connect(h, 1)
	for req := uint64(1); req <= maxAnswers+10; req++ {
		w.ask(req, 1, "add") // the caller has none of the answers
	}
	w.take()
	w.ask(10, 1, "add")
	w.ask(11, 1, "add")
	want(t, w.take(), reply{req: 10, err: reeve.ErrOutcomeUnknown}, reply{req: 11, value: is(11)})
	if c.n != maxAnswers+10 {
		t.Errorf("counted to %d", c.n)
	}
	k := &w.Client().calls
	w.ask(maxAnswers+11, maxAnswers+11, "get")
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := &k.series[0]; len(s.byReq) != 0 || len(s.done) != 0 || k.size != 0 {
		t.Errorf("%d answers, %d noted, %d bytes are kept that the caller has", len(s.byReq), len(s.done), k.size)
	}
}

func TestCall_ThatReadsIsNotRemembered(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	w := connect(h, 1)
	w.ask(1, 1, "get")
	w.ask(2, 1, "add")
	w.ask(1, 1, "get")
	want(t, w.take(), reply{req: 1, value: is(0)}, reply{req: 2, value: is(1)}, reply{req: 1, value: is(1)})
}

func TestPark_EndsWithTheConnectionAndMayComeAgain(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	w := connect(h, 1)
	w.ask(1, 1, "wait")
	w.Detach(false)
	want(t, w.take())
	if len(c.parked) != 0 {
		t.Fatal("the call of a lost connection waits on")
	}
	w = connect(h, 1)
	w.ask(1, 1, "wait")
	w.ask(2, 1, "go")
	want(t, w.take(), reply{req: 1, value: is(1)}, reply{req: 2})
}

func TestStay_OutlivesTheConnection(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	w := connect(h, 1)
	w.ask(1, 1, "stay")
	w.Detach(false)
	other := connect(h, 2)
	other.ask(1, 1, "go")
	want(t, other.take(), reply{req: 1})
	want(t, w.take())
	w = connect(h, 1)
	w.ask(1, 1, "stay")
	want(t, w.take(), reply{req: 1, value: is(1)})
	w.ask(2, 2, "stay")
	w.Detach(false)
	w = connect(h, 1)
	w.ask(2, 2, "stay") // it is the one that stays
	other.ask(2, 2, "go")
	want(t, w.take(), reply{req: 2, value: is(1)})
}

func TestCancel_EndsACallThatWaits(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	w := connect(h, 1)
	w.ask(1, 1, "wait")
	w.Cancel(1)
	w.Cancel(1)
	w.Cancel(99)
	want(t, w.take(), reply{req: 1, err: context.Canceled})
	if len(c.parked) != 0 {
		t.Error("the cancelled call waits on")
	}
	w.ask(2, 2, "go")
	want(t, w.take(), reply{req: 2})
}

func TestTimeout_EndsACallThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := setup(t)
		w := connect(h, 1)
		w.Call(&Request{Req: 1, Ref: reeve.Ref{Name: "c"}, Method: "wait", Timeout: time.Second})
		time.Sleep(time.Second - 1)
		want(t, w.take())
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		want(t, w.take(), reply{req: 1, err: context.DeadlineExceeded})
	})
}

func TestPark_IsBounded(t *testing.T) {
	t.Parallel()
	h := New(Config{MaxWaiting: 1})
	var made []*counter
	h.AddType(counterType(&made))
	if _, err := h.Declare(nil, "counter", "c", nil, false); err != nil {
		t.Fatal(err)
	}
	w := connect(h, 1)
	w.ask(1, 1, "wait")
	w.ask(2, 1, "wait")
	want(t, w.take(), reply{req: 2, err: reeve.ErrLimit})
	w.Cancel(1)
	w.take()
	w.ask(3, 1, "wait")
	want(t, w.take())
}

func TestCaller_IsAnObjects(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	caller := h.NewCaller(ClientID{}, Who{Name: "here"})
	call := func(ctx context.Context, method string) (reeve.ObjectAnswer, error) {
		return caller.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "c"}, Method: method, Args: []byte{0x80}})
	}
	if a, err := call(t.Context(), "add"); err != nil || string(a.Value) != is(1) || a.Session.Err() != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := call(ctx, "wait")
		done <- err
	}()
	for parked := false; !parked; { // until it waits
		c.mu.Lock()
		parked = len(c.parked) > 0
		c.mu.Unlock()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	a, _ := call(t.Context(), "get")
	caller.Close(true)
	if !errors.Is(context.Cause(a.Session), reeve.ErrClosed) {
		t.Errorf("the session of a closed caller: %v", context.Cause(a.Session))
	}
	if _, err := call(t.Context(), "get"); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
}

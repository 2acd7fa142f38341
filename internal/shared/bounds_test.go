package shared

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
)

func TestCalls_UnderWayAreBounded(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, c := durable(t, b)
	h.cfg.MaxWaiting = 2
	w := connect(h, 1)
	for req := range uint64(5) {
		w.ask(req+1, 1, "add")
	}
	want(t, w.take(), reply{req: 5, err: reeve.ErrLimit})
	b.sync(nil)
	w.take()
	w.ask(6, 6, "add")
	b.sync(nil)
	want(t, w.take(), reply{req: 6, value: is(5)})
	if c.n != 5 {
		t.Errorf("counted to %d", c.n)
	}
}

// big is an object that returns much.
type big struct{ counter }

var much = make([]byte, 2*fairAnswerBytes)

func (o *big) Call(c *Call) { c.Return(much) }

func TestAnswers_OfAllClientsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 10 * fairAnswerBytes
	h := New(Config{MaxAnswerBytes: most, Grace: -1})
	if _, err := h.Add(nil, &Type{Name: "big", Methods: counterMethods}, "c", &big{}); err != nil {
		t.Fatal(err)
	}
	var clients []*wire
	for i := range byte(20) {
		w := connect(h, i)
		w.ask(1, 1, "add")
		clients = append(clients, w)
	}
	if got := h.answers.Load(); got == 0 || got > most {
		t.Errorf("%d bytes are remembered, of at most %d", got, most)
	}
	first, last := clients[0], clients[len(clients)-1]
	for _, w := range []*wire{first, last} {
		w.take()
		w.ask(1, 1, "add")
	}
	want(t, first.take(), reply{req: 1, value: string(much)})
	want(t, last.take(), reply{req: 1, err: reeve.ErrOutcomeUnknown})
	for _, w := range clients {
		w.Detach(false)
	}
	if got := h.answers.Load(); got != 0 {
		t.Errorf("%d bytes are remembered for clients that are gone", got)
	}
}

func TestNames_ThatAnErrorListsAreTheFirst(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	var names []string
	for i := range 2 * maxKnown {
		name := string([]byte{'a' + byte(i*7%26), 'a' + byte(i/26)})
		if _, err := h.Declare(nil, "counter", name, nil, false); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	names = append(names, "c")
	slices.Sort(names)
	_, err := h.lookup(reeve.Ref{Name: "nope"})
	var missing *reeve.NoSuchNameError
	if !errors.As(err, &missing) || !slices.Equal(missing.Known, names[:maxKnown]) {
		t.Errorf("%v", err)
	}
}

func TestCaller_WhoseContextEndsWaitsForNoJournal(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	c := h.NewCaller(ClientID{}, Who{Name: "here"})
	defer c.Close(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "c"}, Method: "add", Args: []byte{0x80}}); err != context.Canceled {
		t.Errorf("ended before: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	b.onChange = cancel
	if _, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "c"}, Method: "add", Args: []byte{0x80}}); err != context.Canceled {
		t.Errorf("ended meanwhile: %v", err)
	}
	b.sync(nil) // to nobody
	if len(c.waiting) != 0 {
		t.Errorf("%d calls wait for an answer", len(c.waiting))
	}
}

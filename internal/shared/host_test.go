package shared

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

func TestDeclare_IsIdempotentAndSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	h, c := setup(t)
	ref, err := h.Declare(nil, "counter", "c", nil, false)
	if err != nil || ref != (reeve.Ref{Name: "c", Type: "counter"}) {
		t.Errorf("%+v, %v", ref, err)
	}
	for name, declare := range map[string]func() (reeve.Ref, error){
		"another configuration": func() (reeve.Ref, error) { return h.Declare(nil, "counter", "c", []byte{1}, false) },
		"durable":               func() (reeve.Ref, error) { return h.Declare(nil, "counter", "c", nil, true) },
		"a name that is taken":  func() (reeve.Ref, error) { return h.Add(nil, &Type{Name: "x"}, "c", c) },
	} {
		if _, err := declare(); !errors.Is(err, reeve.ErrObjectExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"$c":                     reeve.ErrInvalid,
		"\xff":                   reeve.ErrInvalid,
		strings.Repeat("x", 256): reeve.ErrInvalid,
	} {
		if _, got := h.Declare(nil, "counter", name, nil, false); !errors.Is(got, err) {
			t.Errorf("name %.10q: %v", name, got)
		}
	}
	if _, err := h.Declare(nil, "nope", "d", nil, false); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "counter") {
		t.Errorf("an unknown type: %v", err)
	}
	if _, err := h.Declare(nil, "counter", "d", []byte("bad"), false); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("a bad configuration: %v", err)
	}
	if _, err := h.Declare(nil, "counter", "d", nil, true); !errors.Is(err, reeve.ErrNoJournal) {
		t.Errorf("durable without a journal: %v", err)
	}
}

func TestObjects_AreBounded(t *testing.T) {
	t.Parallel()
	h := New(Config{MaxObjects: 1})
	var made []*counter
	h.AddType(counterType(&made))
	if _, err := h.Declare(nil, "counter", "a", nil, false); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Declare(nil, "counter", "b", nil, false); !errors.Is(err, reeve.ErrLimit) {
		t.Errorf("one too many: %v", err)
	}
	if err := h.Delete(connect(h, 9).Client(), reeve.Ref{Name: "a"}, func(error) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Declare(nil, "counter", "b", nil, false); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

func TestCall_OfWhatIsNotThereSaysWhatIs(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	w := connect(h, 1)
	ask := func(ref reeve.Ref, method string) error {
		w.Call(&Request{Req: 1, Ref: ref, Method: method, Args: []byte{0x80}, Reads: true})
		return w.take()[0].err
	}
	var missing *reeve.NoSuchNameError
	if err := ask(reeve.Ref{Name: "d"}, "get"); !errors.As(err, &missing) || !slices.Equal(missing.Known, []string{"c"}) {
		t.Errorf("an unknown name: %v", err)
	}
	for _, ref := range []reeve.Ref{{ID: 1, Life: h.Life()}, {ID: 99, Life: h.Life()}, {}, {ID: 1}} {
		if err := ask(ref, "get"); !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
	for _, method := range []string{"", "Call", "nope", "Get"} {
		if err := ask(reeve.Ref{Name: "c"}, method); !errors.Is(err, reeve.ErrNotExposed) {
			t.Errorf("method %q: %v", method, err)
		}
	}
	if err := ask(reeve.Ref{Name: "c", Type: "map"}, "get"); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("a counter taken for a map: %v", err)
	}
}

func TestReference_KeepsAnObjectAsLongAsSomebodyHasOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Grace: time.Minute})
		var made []*counter
		h.AddType(counterType(&made))
		a, b := connect(h, 1), connect(h, 2)
		ref, err := h.Declare(a.Client(), "counter", "", nil, false)
		if err != nil {
			t.Fatal(err)
		}
		b.Call(&Request{Req: 1, Ref: ref, Method: "get"})
		want(t, b.take(), reply{req: 1, value: is(0)})

		a.Detach(false) // it may come back
		time.Sleep(time.Minute - 1)
		a = connect(h, 1)
		time.Sleep(time.Hour)
		h.Release(b.Client(), ref)
		a.Call(&Request{Req: 1, Ref: ref, Method: "get"})
		want(t, a.take(), reply{req: 1, value: is(0)})

		a.Detach(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := made[0].told(); !slices.Equal(got, []string{"close"}) {
			t.Errorf("the object nobody refers to was told %v", got)
		}
		b.Call(&Request{Req: 2, Ref: ref, Method: "get"})
		want(t, b.take(), reply{req: 2, err: reeve.ErrNoSuchObject})
		if len(h.byID) != 0 || len(h.clients) != 1 {
			t.Errorf("%d objects and %d clients are left", len(h.byID), len(h.clients))
		}
	})
}

func TestMind_HearsOfTheEndsOfAClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, c := setup(t)
		w := connect(h, 1)
		w.ask(1, 1, "mind")
		w.Detach(false)
		w = connect(h, 1)
		w.Detach(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := c.told(); !slices.Equal(got, []string{"lost", "lost", "gone"}) {
			t.Errorf("told %v", got)
		}
		w = connect(h, 2)
		w.ask(1, 1, "mind")
		w.Detach(true)
		if got := c.told(); !slices.Equal(got, []string{"lost", "lost", "gone", "lost", "gone"}) {
			t.Errorf("told %v", got)
		}
	})
}

func TestClose_EndsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, c := setup(t)
		w := connect(h, 1)
		w.ask(1, 1, "mind")
		h.Close()
		h.Close()
		w.Detach(false)
		if got := c.told(); !slices.Equal(got, []string{"close", "gone"}) {
			t.Errorf("told %v", got)
		}
		if _, err := h.Declare(nil, "counter", "d", nil, false); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("declared after Close: %v", err)
		}
	})
}

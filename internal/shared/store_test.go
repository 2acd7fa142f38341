package shared

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// book is a journal that says when things are durable.
type book struct {
	full    bool
	last    uint32
	objects map[uint32]*Restored
	answers []CallID
	values  [][]byte
	pending []func(error)

	onChange func()   // may be nil
	order    []string // of objects that came and went
}

func newBook() *book { return &book{objects: map[uint32]*Restored{}} }

func (b *book) Room() error {
	if b.full {
		return reeve.ErrJournalFull
	}
	return nil
}

func (b *book) Add(typ, name string, config []byte) uint32 {
	b.last++
	b.order = append(b.order, "add "+name)
	b.objects[b.last] = &Restored{No: b.last, Type: typ, Name: name, Config: config}
	return b.last
}

func (b *book) Drop(no uint32, told func(error)) {
	b.order = append(b.order, "drop "+b.objects[no].Name)
	delete(b.objects, no)
	b.pending = append(b.pending, told)
}

func (b *book) Change(no uint32, entries []Entry, by *CallID, answer []byte, told func(error)) {
	b.objects[no].Entries = entries[len(entries)-1:]
	if by != nil {
		b.answers, b.values = append(b.answers, *by), append(b.values, answer)
	}
	b.pending = append(b.pending, told)
	if b.onChange != nil {
		b.onChange()
	}
}

func (b *book) Follow(_ uint32, told func(error)) bool {
	if len(b.pending) == 0 {
		return false
	}
	b.pending = append(b.pending, told)
	return true
}

// sync makes everything durable.
func (b *book) sync(err error) {
	pending := b.pending
	b.pending = nil
	for _, told := range pending {
		told(err)
	}
}

// durable makes a Host with what b has, and a durable counter c.
func durable(t *testing.T, b *book) (*Host, *counter) {
	t.Helper()
	h := New(Config{})
	var made []*counter
	h.AddType(counterType(&made))
	var objects []Restored
	for _, o := range b.objects {
		objects = append(objects, *o)
	}
	if err := h.Restore(b, objects); err != nil {
		t.Fatal(err)
	}
	for i, id := range b.answers {
		h.Recall(id, b.values[i])
	}
	if _, err := h.Declare(nil, "counter", "c", nil, true); err != nil {
		t.Fatal(err)
	}
	return h, made[0]
}

func TestDurable_AnswersWaitUntilTheyAreTrueForGood(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	w, other := connect(h, 1), connect(h, 2)
	w.ask(1, 1, "add")
	other.ask(1, 1, "get")
	want(t, w.take())
	want(t, other.take())
	b.sync(nil)
	want(t, w.take(), reply{req: 1, value: is(1)})
	want(t, other.take(), reply{req: 1, value: is(1)})
	other.ask(2, 2, "get")
	want(t, other.take(), reply{req: 2, value: is(1)})
	w.ask(2, 2, "add")
	b.sync(reeve.ErrJournal)
	want(t, w.take(), reply{req: 2, err: reeve.ErrJournal})
}

func TestDurable_ACallSentAgainAfterARestartIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	w := connect(h, 1)
	w.ask(1, 1, "add")
	b.sync(nil) // and the answer is lost

	h, c := durable(t, b)
	if c.n != 1 || len(h.byName) != 2 { // and the master's own
		t.Fatalf("%d came back, in %d objects", c.n, len(h.byName))
	}
	w = connect(h, 1)
	w.Call(&Request{Req: 1, Low: 1, Ref: reeve.Ref{Name: "c"}, Method: "add", Args: []byte{0x80}, Again: true})
	w.ask(2, 2, "add")
	b.sync(nil)
	want(t, w.take(), reply{req: 1, value: is(1)}, reply{req: 2, value: is(2)})
	if !h.Recalls(CallID{Client: ClientID{Process: [16]byte{1}}, Req: 2}) || h.Recalls(CallID{Client: ClientID{Process: [16]byte{1}}, Req: 1}) {
		t.Error("it is not the answers the caller may ask for again that are recalled")
	}
}

func TestDurable_ACallSentAgainTooLongAfterARestartIsUndecided(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		h, _ := durable(t, b)
		w := connect(h, 1)
		w.ask(1, 1, "add")
		b.sync(nil) // and the answer is lost

		again := func(process byte, req uint64, method string) []reply {
			w := connect(h, process)
			w.Call(&Request{Req: req, Low: 1, Ref: reeve.Ref{Name: "c"}, Method: method, Args: []byte{0x80}, Again: true, Reads: method == "get"})
			b.sync(nil)
			return w.take()
		}
		h, c := durable(t, b)
		forgotten := connect(h, 4)
		forgotten.Client().Forgotten()
		forgotten.Call(&Request{Req: 1, Low: 1, Ref: reeve.Ref{Name: "c"}, Method: "add", Args: []byte{0x80}, Again: true})
		want(t, forgotten.take(), reply{req: 1, err: reeve.ErrOutcomeUnknown})
		time.Sleep(DefaultGrace - 1)
		want(t, again(2, 1, "add"), reply{req: 1, value: is(2)}) // was lost on its way
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		if !h.Recalls(CallID{Client: ClientID{Process: [16]byte{1}}, Req: 1}) {
			t.Error("the journal may forget the answer before the client")
		}
		want(t, again(1, 1, "add"), reply{req: 1, err: reeve.ErrOutcomeUnknown})
		want(t, again(3, 1, "get"), reply{req: 1, value: is(2)})
		want(t, again(2, 2, "add"), reply{req: 2, value: is(3)})
		if c.n != 3 {
			t.Errorf("counted to %d", c.n)
		}
		h.Close()
	})
}

func TestDurable_DeletedIsGoneForGood(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	told := false
	if err := h.Delete(connect(h, 9).Client(), reeve.Ref{Name: "c"}, func(error) { told = true }); err != nil || told {
		t.Fatalf("%v, told: %v", err, told)
	}
	b.sync(nil)
	if !told || len(b.objects) != 0 {
		t.Errorf("told: %v, %d objects are kept", told, len(b.objects))
	}
}

// phoenix is an object in whose place there is another at once.
type phoenix struct {
	counter
	again func()
}

func (o *phoenix) Close(error) { o.again() }

func TestDurable_TheNameOfADeletedOneIsTakenAfterIt(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	declare := func() {
		if _, err := h.Declare(nil, "phoenix", "p", nil, true); err != nil {
			t.Error(err)
		}
	}
	h.AddType(&Type{Name: "phoenix", New: func(*Env, []byte) (Object, error) { return &phoenix{again: declare}, nil }})
	declare()
	if err := h.Delete(connect(h, 9).Client(), reeve.Ref{Name: "p"}, func(error) {}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"add c", "add p", "drop p", "add p"}; !slices.Equal(b.order, want) {
		t.Errorf("recorded are %q, want %q", b.order, want)
	}
}

func TestDelete_AskedOfAnEarlierMasterDeletesNothing(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	w := connect(h, 1)
	for req, c := range map[uint64]struct {
		name string
		err  error
	}{1: {"c", reeve.ErrOutcomeUnknown}, 2: {"d", nil}} {
		args, err := codec.CBOR.Marshal([]any{reeve.Ref{Name: c.name}})
		if err != nil {
			t.Fatal(err)
		}
		w.Call(&Request{Req: req, Low: 1, Ref: reeve.Ref{Name: "$master"}, Method: "delete", Args: args, Again: true})
		want(t, w.take(), reply{req: req, err: c.err})
	}
	if !h.Known("c") {
		t.Error("the object is deleted")
	}
}

func TestClose_KeepsWhatIsDurable(t *testing.T) {
	t.Parallel()
	b := newBook()
	h, _ := durable(t, b)
	h.Close()
	if len(b.objects) != 1 {
		t.Error("the end of the master deleted a durable object")
	}
}

package shared

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// counter is an object for tests: it counts, and calls can wait at it.
type counter struct {
	env    *Env
	mu     sync.Mutex
	n      int
	parked []*Call
	events []string // Lost, Gone, Close, in their order
}

var counterMethods = []reeve.MethodInfo{
	{Name: "add"}, {Name: "get", Reads: true}, {Name: "wait"}, {Name: "stay"}, {Name: "go"}, {Name: "mind"},
}

func counterType(made *[]*counter) *Type {
	return &Type{Name: "counter", Methods: counterMethods, New: func(env *Env, spec []byte) (Object, error) {
		if string(spec) == "bad" {
			return nil, fmt.Errorf("%w: bad", reeve.ErrInvalid)
		}
		c := &counter{env: env}
		for _, e := range env.Entries {
			c.n, _ = strconv.Atoi(string(e.Value))
		}
		*made = append(*made, c)
		return c, nil
	}}
}

func (o *counter) Call(c *Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch c.Method {
	case "add":
		o.n++
		var ch Change
		ch.Put("", strconv.AppendInt(nil, int64(o.n), 10), noTime)
		c.ReturnChanged(o.env.Store, &ch, number(o.n))
	case "get":
		c.ReturnRead(o.env.Store, number(o.n))
	case "wait", "stay":
		o.parked = append(o.parked, c)
		gone := func(error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.parked = slices.DeleteFunc(o.parked, func(p *Call) bool { return p == c })
		}
		if c.Method == "stay" {
			c.Stay(gone)
		} else {
			c.Park(gone)
		}
	case "go":
		for _, p := range o.parked {
			p.Return(number(len(o.parked)))
		}
		o.parked = nil
		c.Return(nil)
	case "mind":
		c.Client.Mind(o)
		c.Return(nil)
	}
}

func (o *counter) note(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, what)
}

func (o *counter) Lost(*Client)     { o.note("lost") }
func (o *counter) Gone(*Client)     { o.note("gone") }
func (o *counter) Close(error)      { o.note("close") }
func (o *counter) Describe() string { return fmt.Sprint(o.n) }

func (o *counter) told() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.events)
}

func number(n int) []byte {
	b, err := codec.CBOR.Marshal(n)
	if err != nil {
		panic(err)
	}
	return b
}

// wire is one connection of a client under test, with what came back on it.
type wire struct {
	*Link
	mu      sync.Mutex
	answers []reply
}

type reply struct {
	req   uint64
	value string
	err   error
}

func (w *wire) Return(req uint64, value []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, reply{req: req, value: string(value)})
}

func (w *wire) Fail(req uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, reply{req: req, err: err})
}

// take returns what has come since the last take.
func (w *wire) take() []reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.answers
	w.answers = nil
	return got
}

func connect(h *Host, process byte) *wire {
	w := &wire{}
	w.Link, _ = h.Attach(ClientID{Process: [16]byte{process}}, Who{Name: fmt.Sprint("client ", process)}, w)
	return w
}

func (w *wire) ask(req, low uint64, method string) {
	w.Call(&Request{Req: req, Low: low, Ref: reeve.Ref{Name: "c"}, Method: method, Args: []byte{0x80}, Reads: method == "get"})
}

// setup makes a Host with a counter called c.
func setup(t *testing.T) (*Host, *counter) {
	t.Helper()
	h := New(Config{})
	var made []*counter
	h.AddType(counterType(&made))
	if _, err := h.Declare(nil, "counter", "c", nil, false); err != nil {
		t.Fatal(err)
	}
	return h, made[0]
}

func want(t *testing.T, got []reply, want ...reply) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d answers %+v, want %+v", len(got), got, want)
	}
	for i, g := range got {
		if g.req != want[i].req || g.value != want[i].value || !matches(g.err, want[i].err) {
			t.Errorf("answer %d is %+v, want %+v", i, g, want[i])
		}
	}
}

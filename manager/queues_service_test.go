package manager

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// lastAnswer is one client's connection.
type lastAnswer struct{ err error }

func (a *lastAnswer) Return(uint64, []byte)    { a.err = nil }
func (a *lastAnswer) Fail(_ uint64, err error) { a.err = err }

// service is a master with a client of its service $queues, without a network.
func service(t testing.TB) (m *Master, call func(again bool, method string, args ...any) error) {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	if m, err = New(Config{AuthKey: key}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	var a lastAnswer
	link, _ := m.host.Attach(shared.ClientID{Key: "key", Process: [16]byte{1}}, shared.Who{Name: "test"}, &a)
	req := uint64(0)
	return m, func(again bool, method string, args ...any) error {
		t.Helper()
		b, err := codec.CBOR.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		req++
		a.err = errors.New("no answer")
		link.Call(&shared.Request{Req: req, Low: req, Ref: reeve.Ref{Name: "$queues"}, Method: method, Args: b, Again: again})
		return a.err
	}
}

// TestQueuesService_DeletesNothingTwice makes calls that an earlier life of the
// master may have carried out.
func TestQueuesService_DeletesNothingTwice(t *testing.T) {
	t.Parallel()
	m, call := service(t)
	if err := call(true, "declare", "q", "{}"); err != nil {
		t.Fatal(err)
	}
	if err := call(true, "declare", "q", "{}"); err != nil {
		t.Errorf("declared again: %v", err)
	}
	if err := call(true, "delete", "q", true); !errors.Is(err, reeve.ErrOutcomeUnknown) {
		t.Errorf("delete of a queue that may be another one: %v", err)
	}
	if err := call(false, "delete", "q", true); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := call(true, "delete", "q", true); err != nil {
		t.Errorf("delete of one that is gone, as was asked for: %v", err)
	}
	if n := len(m.QueueStats()); n != 0 {
		t.Errorf("%d queues", n)
	}
}

func TestQueuesService_RefusesWhatIsNoCall(t *testing.T) {
	t.Parallel()
	_, call := service(t)
	for name, err := range map[string]error{
		"no arguments":        call(false, "declare"),
		"too few":             call(false, "declare", "q"),
		"too many":            call(false, "declare", "q", "{}", 1),
		"another type":        call(false, "declare", 1, "{}"),
		"no JSON":             call(false, "declare", "q", "{"),
		"two of them":         call(false, "declare", "q", "{} {}"),
		"an unknown field":    call(false, "declare", "q", `{"MaxLenght":1}`),
		"one out of range":    call(false, "declare", "q", `{"MaxLen":-1}`),
		"a name out of range": call(false, "declare", strings.Repeat("x", 256), `{}`),
		"delete by a number":  call(false, "delete", 1, true),
		"delete, how":         call(false, "delete", "q", "yes"),
		"list of what":        call(false, "list", 1, 1),
	} {
		if !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := call(false, "rename", "q"); !errors.Is(err, reeve.ErrNotExposed) {
		t.Errorf("a method that it has not: %v", err)
	}
}

// FuzzDecodeConfig reads configurations that anybody may have written: what is
// read is the same when it is written and read again.
func FuzzDecodeConfig(f *testing.F) {
	for _, s := range []string{`{}`, `{"MaxLen":3,"Backoff":{"Base":1000000000}}`, `{"Windows":[{"From":1,"To":2}]}`,
		`{"Rate":"5/s"}`, `{"Rate":{"Tasks":5}}`, `{"Durability":"sync"}`, `{"Durability":-1}`, `{"TypeConcurrency":{"a":1}}`, `[]`, `{`, `null`, `{}{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := decodeConfig(s)
		if err != nil {
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		full := c.WithDefaults()
		if full.Validate() != nil {
			return
		}
		text, err := json.Marshal(&c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeConfig(string(text))
		if err != nil || !back.Equal(&c) {
			t.Errorf("%q is %+v, written as %s, which is %+v, %v", s, c, text, back, err)
		}
	})
}

func TestLeasedIn_ALeaseOfAQueueThatIsGoneIsLost(t *testing.T) {
	t.Parallel()
	m, call := service(t)
	if err := call(false, "declare", "q", "{}"); err != nil {
		t.Fatal(err)
	}
	if q, err := leasedIn(m.engine, "q"); err != nil || q.Name() != "q" {
		t.Errorf("%v", err)
	}
	if _, err := leasedIn(m.engine, "gone"); !errors.Is(err, reeve.ErrLeaseLost) || !errors.Is(err, reeve.ErrNoSuchQueue) {
		t.Errorf("%v", err)
	}
}

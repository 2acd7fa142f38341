package manager_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/session/sessiontest"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// twoKeys is a master in a bubble that knows two keys, and a way in for raw clients,
// who say that they are id.
func twoKeys(t *testing.T, id wire.ClientID, f func(t *testing.T, m *manager.Master, enter func(key int) *raw)) {
	t.Helper()
	sessiontest.Bubble(t, func(t *testing.T) {
		var keys [2]auth.Key
		for i, name := range []string{"one", "two"} {
			key, _, err := auth.GenerateKey(name)
			if err != nil {
				t.Fatal(err)
			}
			keys[i] = key
		}
		ring, err := auth.Keys(keys[0], keys[1])
		if err != nil {
			t.Fatal(err)
		}
		m, err := manager.New(manager.Config{Keys: ring, Heartbeat: time.Hour, Watchdog: -1})
		if err != nil {
			t.Fatal(err)
		}
		var network memnet.Network
		ln, err := network.Listen("master")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- m.Serve(context.Background(), ln) }() // received below
		defer func() {
			m.Close()
			<-served
		}()
		f(t, m, func(key int) *raw {
			conn, err := network.DialContext(t.Context(), "mem", "master")
			if err != nil {
				t.Fatal(err)
			}
			handshake := auth.ClientConfig{Key: keys[key]}
			secured, _, err := handshake.Handshake(t.Context(), conn, "master")
			if err != nil {
				t.Fatal(err)
			}
			s, err := session.Client(secured, session.Config{Window: session.MinWindow})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			r := &raw{t: t, s: s}
			r.openControl()
			r.write(r.control, encode(t, wire.Hello{Version: wire.Version, Client: id, Low: 1}))
			r.read(r.said, wire.TypeWelcome, &r.welcome)
			r.calls = r.open(session.Calls)
			r.answers = wire.NewReader(r.calls, int(r.welcome.MaxFrame))
			return r
		})
	})
}

// call sends a call of an object with a number of the test's.
func (r *raw) call(req uint64, ref reeve.Ref, method string, args ...any) {
	r.t.Helper()
	if args == nil {
		args = []any{}
	}
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(r.calls, build(r.t, func(to *wire.Builder) error {
		return to.Call(&wire.Call{Req: req, Low: 1, Name: ref.Name, ID: ref.ID, Life: ref.Life, Method: method, Args: b, Flags: wire.FlagWaits})
	}))
}

// returned reads the answer to a call into v.
func (r *raw) returned(req uint64, v any) error {
	r.t.Helper()
	frame, err := r.answers.Next()
	if err != nil {
		r.t.Fatal(err)
	}
	kind, body, err := wire.ParseType(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	if kind == wire.TypeError {
		var e wire.Error
		if err := wire.Decode(kind, body, &e); err != nil || e.Req != req {
			r.t.Fatalf("an error of %d instead of %d: %v", e.Req, req, e.Err())
		}
		return e.Err()
	}
	var f wire.ReturnFrame
	if err := f.Decode(body); err != nil || kind != wire.TypeReturn || f.Req != req {
		r.t.Fatalf("%v of %d instead of %d: %v", kind, f.Req, req, err)
	}
	if v != nil {
		if err := codec.CBOR.Unmarshal(f.Value, v); err != nil {
			r.t.Fatal(err)
		}
	}
	return nil
}

// Who says that he is another client, with a key of his own, has none of its holds,
// references, uploads and answers, and cannot end its calls.
func TestClientID_WithAnotherKeyHasNothingOfTheOthers(t *testing.T) {
	var id wire.ClientID
	rand.Read(id[:])
	twoKeys(t, id, func(t *testing.T, m *manager.Master, enter func(int) *raw) {
		ctx := t.Context()
		lock, err := shared.NewLock(ctx, m, "lock", shared.LockConfig{Grace: time.Hour})
		value, err2 := shared.NewValue(ctx, m, "value", 0, shared.ValueConfig{})
		event, err3 := shared.NewEvent(ctx, m, "event", shared.EventConfig{})
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		first, second := enter(0), enter(1)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		// The same number is another call.
		for i, r := range []*raw{first, second} {
			var sum int
			r.call(1, value.Ref(), "add", 1, "int64")
			must(r.returned(1, &sum))
			if sum != i+1 {
				t.Errorf("client %d was told %d", i+1, sum)
			}
		}
		// The same owner is another one.
		first.call(2, lock.Ref(), "acquire", []int{1}, 1, true, nil)
		must(first.returned(2, nil))
		second.call(2, lock.Ref(), "release", 1, 0, -1)
		if err := second.returned(2, nil); !errors.Is(err, reeve.ErrNotOwner) {
			t.Errorf("release: %v", err)
		}
		var holds bool
		second.call(3, lock.Ref(), "undo", 1, 1)
		must(second.returned(3, nil))
		second.call(4, lock.Ref(), "holds", 1, 0)
		if must(second.returned(4, &holds)); holds {
			t.Error("the second one holds the lock")
		}
		first.call(3, lock.Ref(), "holds", 1, 0)
		if must(first.returned(3, &holds)); !holds {
			t.Error("the first one holds it no more")
		}
		// References and uploads.
		var ref reeve.Ref
		first.call(5, reeve.Ref{Name: "$master"}, "declare", "event", "", codec.Encoded{0xa0}, false)
		must(first.returned(5, &ref))
		second.call(5, reeve.Ref{Name: "$master"}, "release", ref)
		must(second.returned(5, nil))
		if list, err := shared.Objects(ctx, m); err != nil || len(list) != 4 || list[3].Refs != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		var begun struct {
			_            struct{} `cbor:",toarray"`
			Have         bool
			Upload       uint64
			Offset, Size int64
		}
		first.call(6, reeve.Ref{Name: "$blobs"}, "begin", nil, -1)
		must(first.returned(6, &begun))
		second.call(6, reeve.Ref{Name: "$blobs"}, "chunk", begun.Upload, 0, []byte("x"))
		if err := second.returned(6, nil); !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("a chunk of another's upload: %v", err)
		}
		second.call(7, reeve.Ref{Name: "$blobs"}, "abort", begun.Upload)
		must(second.returned(7, nil))
		if n := m.Stats().Blobs.Uploads; n != 1 {
			t.Errorf("%d uploads", n)
		}
		// A call that waits.
		first.call(8, event.Ref(), "wait")
		second.write(second.calls, encode(t, wire.Cancel{Req: 8}))
		second.call(8, value.Ref(), "get")
		must(second.returned(8, nil))
		must(event.Set(ctx))
		must(first.returned(8, nil))
		// And the end of one is not that of the other.
		second.s.Close()
		time.Sleep(2 * time.Minute)
		first.call(9, lock.Ref(), "holds", 1, 0)
		if must(first.returned(9, &holds)); !holds {
			t.Error("the first one holds it no more")
		}
		first.call(10, ref, "is_set")
		must(first.returned(10, nil))
	})
}

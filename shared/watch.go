package shared

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// ChangeKind is what happened to a key.
type ChangeKind int

// Kinds of changes.
const (
	KeySet     ChangeKind = 1 + iota // has a value, or a time to live
	KeyDeleted                       // was deleted
	KeyExpired                       // its time was over
	AllCleared                       // all keys were deleted
	KeyPresent                       // is there: no change, but the state from which changes are told
	AllPresent                       // all keys that are there have been told
)

// String is the kind in words.
func (k ChangeKind) String() string {
	names := [...]string{"", "set", "deleted", "expired", "cleared", "present", "all present"}
	if k < 1 || int(k) >= len(names) {
		return fmt.Sprintf("ChangeKind(%d)", int(k))
	}
	return names[k]
}

// Change is what happened to a key of a map, an attribute of a namespace or an
// element of a set. Value and TTL are there for [KeySet], and Value for
// [KeyPresent].
type Change[K, V any] struct {
	Kind    ChangeKind
	Key     K
	Value   V
	Version uint64        // of the container; the higher, the later
	TTL     time.Duration // how long the key will be there, or [Forever]
}

// Watch loops over what happens from the time on when it begins, in that order. It
// ends when ctx does, without an error. Who is so slow that changes are forgotten
// (the master notes 16,384 of them, of at most 16 MiB) or who was disconnected for
// more than a minute, is given an error that matches [reeve.ErrMissed], after which
// the loop goes on with all that is there, as [KeyPresent], then [AllPresent], and
// then changes again: what it knew before is to be forgotten. What cannot be
// decoded comes as [reeve.ErrUnserializable], and the loop goes on. Any other error
// is the last; a loop over a map that is deleted ends with [reeve.ErrNoSuchObject]
// or [reeve.ErrNoSuchName].
func (m *Map[K, V]) Watch(ctx context.Context) iter.Seq2[Change[K, V], error] {
	return func(yield func(Change[K, V], error) bool) {
		w := watching[K, V]{ctx: ctx, x: m.x, state: m.snapshotForWatch, yield: yield}
		w.run(false)
	}
}

// Follow is Watch that begins with all that is there, as [KeyPresent], and then
// [AllPresent]. Nothing is missed in between.
func (m *Map[K, V]) Follow(ctx context.Context) iter.Seq2[Change[K, V], error] {
	return func(yield func(Change[K, V], error) bool) {
		w := watching[K, V]{ctx: ctx, x: m.x, state: m.snapshotForWatch, yield: yield}
		w.run(true)
	}
}

func (m *Map[K, V]) snapshotForWatch(ctx context.Context, yield func(Entry[K, V], error) bool) (uint64, error) {
	return m.snapshot(ctx, keysOfPage|valuesOfPage, yield)
}

// watching is a loop over changes.
type watching[K, V any] struct {
	ctx   context.Context
	x     *Object
	state func(context.Context, func(Entry[K, V], error) bool) (uint64, error)
	yield func(Change[K, V], error) bool
	since uint64
	// noValues: there are keys only.
	noValues bool
}

// changes is what the master tells of the time after a version.
type changes struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Missed  bool
	List    []struct {
		_       struct{} `cbor:",toarray"`
		Kind    ChangeKind
		Version uint64
		Key     codec.Encoded
		Value   codec.Encoded
		TTL     time.Duration
	}
}

func (w *watching[K, V]) run(withState bool) {
	err := w.loop(withState)
	if err != nil && !errors.Is(err, errStopped) && w.ctx.Err() == nil {
		w.yield(Change[K, V]{}, err)
	}
}

// errStopped: the loop's body has had enough.
var errStopped = errors.New("stopped")

func (w *watching[K, V]) loop(withState bool) error {
	var first changes // has the master note changes, before the state is asked for
	if err := w.x.call(w.ctx, "changes", reads, &first, 0, 0); err != nil {
		return err
	}
	w.since = first.Version
	if withState {
		if err := w.tellState(); err != nil {
			return err
		}
	}
	for {
		var c changes
		if err := w.x.call(w.ctx, "changes", reads|waits, &c, w.since, 0); err != nil {
			return err
		}
		if c.Missed {
			if !w.yield(Change[K, V]{}, fmt.Errorf("%w: of %v, after version %d", reeve.ErrMissed, w.x, w.since)) {
				return errStopped
			}
			if err := w.tellState(); err != nil {
				return err
			}
			continue
		}
		if err := w.tell(&c); err != nil {
			return err
		}
		w.since = c.Version
	}
}

func (w *watching[K, V]) tell(c *changes) error {
	for i := range c.List {
		x := &c.List[i]
		e := Change[K, V]{Kind: x.Kind, Version: x.Version, TTL: ttlOf(x.TTL)}
		var err error
		if x.Kind != AllCleared {
			err = w.x.decode(x.Key, &e.Key)
		}
		if x.Kind == KeySet && !w.noValues && err == nil {
			err = w.x.decode(x.Value, &e.Value)
		}
		if !w.yield(e, err) {
			return errStopped
		}
	}
	return nil
}

// tellState tells all that is there, from which on changes are asked for.
func (w *watching[K, V]) tellState() error {
	stopped := false
	version, err := w.state(w.ctx, func(e Entry[K, V], err error) bool {
		stopped = !w.yield(Change[K, V]{Kind: KeyPresent, Key: e.Key, Value: e.Value}, err)
		return !stopped
	})
	if err != nil {
		return err
	}
	if stopped || !w.yield(Change[K, V]{Kind: AllPresent, Version: version}, nil) {
		return errStopped
	}
	w.since = version
	return nil
}

// State is a value and its version.
type State[T any] struct {
	Value   T
	Version uint64 // the higher, the later
}

// states loops over the states of a container of which only the present one is
// told: the one that is there now, and a new one whenever it has changed.
func states[T any](ctx context.Context, x *Object) iter.Seq2[State[T], error] {
	return func(yield func(State[T], error) bool) {
		for since := uint64(0); ; {
			var a struct {
				_       struct{} `cbor:",toarray"`
				Version uint64
				Value   codec.Encoded
			}
			if err := x.call(ctx, "changes", reads|waits, &a, since, 0); err != nil {
				if ctx.Err() == nil {
					yield(State[T]{}, err)
				}
				return
			}
			s := State[T]{Version: a.Version}
			err := x.decode(a.Value, &s.Value)
			if !yield(s, err) {
				return
			}
			since = a.Version
		}
	}
}

package shared

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// MapConfig is how a map is declared. The zero value is good.
type MapConfig struct {
	// Durable: the map is kept in the master's journal. It must have a name then.
	Durable bool
	// MaxLen bounds the keys; 0: no bound.
	MaxLen int
	// MaxBytes bounds the bytes of keys and values and 128 for each key; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
	// TTL is how long a key is there after it was set, if nothing else is said; 0:
	// for ever.
	TTL time.Duration
}

// Map is a map that is shared, as Python's dict: it has an order, in which a key
// that is set again keeps its place. Two keys are the same if they are encoded the
// same. Methods may be called from any number of goroutines, each is one step, and
// blocks for as long as the way to the master takes or until ctx ends. Those that
// grow the map may return a [*reeve.LimitError], and have changed nothing then;
// those that decode, [reeve.ErrUnserializable]. [reeve.ErrNoSuchName] and
// [reeve.ErrNoSuchObject] say that there is no such map.
//
// What Get returns is a copy. To change a value in its place, use Update: whatever
// is done to the copy, nobody else sees it before it is set again.
type Map[K comparable, V any] struct{ Container }

// NewMap declares a map: it is made unless it exists with the same configuration.
// [reeve.ErrObjectExists] if there is something else of that name. Without a name,
// the map lives while a connected client refers to it.
func NewMap[K comparable, V any](ctx context.Context, o reeve.Objects, name string, cfg MapConfig) (*Map[K, V], error) {
	x, err := declare(ctx, o, "map", name, tableSpec{limitsSpec{cfg.MaxLen, cfg.MaxBytes}, cfg.TTL}, cfg.Durable)
	if err != nil {
		return nil, err
	}
	return &Map[K, V]{Container{x}}, nil
}

// NewMapFromKeys declares a map and sets all keys to v, as Python's fromkeys.
func NewMapFromKeys[K comparable, V any](ctx context.Context, o reeve.Objects, name string, cfg MapConfig, keys []K, v V) (*Map[K, V], error) {
	m, err := NewMap[K, V](ctx, o, name, cfg)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry[K, V], len(keys))
	for i, k := range keys {
		entries[i] = Entry[K, V]{k, v}
	}
	return m, m.SetMany(ctx, entries...)
}

// MapOf is the map of that name. It costs nothing and asks nobody.
func MapOf[K comparable, V any](o reeve.Objects, name string) *Map[K, V] {
	return MapAt[K, V](o, reeve.Ref{Name: name, Type: "map"})
}

// MapAt is the map that ref names.
func MapAt[K comparable, V any](o reeve.Objects, ref reeve.Ref) *Map[K, V] {
	return &Map[K, V]{Container{ObjectAt(o, ref)}}
}

// BindObject has the handle stand for x; see [Bound].
func (m *Map[K, V]) BindObject(x *Object) { m.x = x }

// versioned is a value and its version.
type versioned struct {
	_       struct{} `cbor:",toarray"`
	Value   codec.Encoded
	Version uint64
}

// Get is the value of a key, or [reeve.ErrNoSuchKey].
func (m *Map[K, V]) Get(ctx context.Context, key K) (V, error) {
	v, _, err := m.GetVersion(ctx, key)
	return v, err
}

// GetVersion is Get that tells the version of the key, too: a number that is
// another one after each change.
func (m *Map[K, V]) GetVersion(ctx context.Context, key K) (v V, version uint64, err error) {
	var a versioned
	if err := m.x.with(ctx, "get", reads, &a, key); err != nil {
		return v, 0, about(err, key)
	}
	return v, a.Version, m.x.decode(a.Value, &v)
}

// GetOr is the value of a key, or v if there is none.
func (m *Map[K, V]) GetOr(ctx context.Context, key K, v V) (V, error) {
	got, err := m.Get(ctx, key)
	if errors.Is(err, reeve.ErrNoSuchKey) {
		return v, nil
	}
	return got, err
}

// Has reports whether a key is there.
func (m *Map[K, V]) Has(ctx context.Context, key K) (has bool, err error) {
	err = m.x.with(ctx, "has", reads, &has, key)
	return has, err
}

// Len is how many keys there are.
func (m *Map[K, V]) Len(ctx context.Context) (n int, err error) {
	err = m.x.call(ctx, "len", reads, &n)
	return n, err
}

// Set sets a key, for the time that the configuration says.
func (m *Map[K, V]) Set(ctx context.Context, key K, v V) error {
	return m.x.with2(ctx, "set", 0, nil, key, v, 0)
}

// forTTL is how a time to live is sent. One that is over is the shortest.
func forTTL(ttl time.Duration) time.Duration {
	if ttl == Forever {
		return -1
	}
	return max(ttl, 1)
}

// Forever is the time to live of what does not expire.
const Forever time.Duration = -1 << 63

// SetTTL sets a key for so long; at the end it is gone. [Forever]: it stays.
func (m *Map[K, V]) SetTTL(ctx context.Context, key K, v V, ttl time.Duration) error {
	return m.x.with2(ctx, "set", 0, nil, key, v, forTTL(ttl))
}

// Expire has a key that is there gone after ttl; [Forever]: not at all.
// [reeve.ErrNoSuchKey].
func (m *Map[K, V]) Expire(ctx context.Context, key K, ttl time.Duration) error {
	return about(m.x.with(ctx, "expire", 0, nil, key, forTTL(ttl)), key)
}

// TTL is how long a key will be there, or [Forever]. [reeve.ErrNoSuchKey].
func (m *Map[K, V]) TTL(ctx context.Context, key K) (ttl time.Duration, err error) {
	if err := m.x.with(ctx, "ttl", reads, &ttl, key); err != nil {
		return 0, about(err, key)
	}
	return ttlOf(ttl), nil
}

// ttlOf is a time to live as it was sent.
func ttlOf(ns time.Duration) time.Duration {
	if ns == 0 {
		return Forever
	}
	return ns
}

// SetDefault is the value of a key, which is set to v if it is not there.
func (m *Map[K, V]) SetDefault(ctx context.Context, key K, v V) (V, error) {
	var a struct {
		_       struct{} `cbor:",toarray"`
		Value   codec.Encoded
		Version uint64
		New     bool
	}
	var got V
	if err := m.x.with2(ctx, "setdefault", 0, &a, key, v, 0); err != nil {
		return got, err
	}
	return got, m.x.decode(a.Value, &got)
}

// Delete deletes a key, or returns [reeve.ErrNoSuchKey].
func (m *Map[K, V]) Delete(ctx context.Context, key K) error {
	return about(m.x.with(ctx, "delete", 0, nil, key), key)
}

// Pop deletes a key and returns what it had, or [reeve.ErrNoSuchKey].
func (m *Map[K, V]) Pop(ctx context.Context, key K) (v V, err error) {
	var b codec.Encoded
	if err := m.x.with(ctx, "pop", 0, &b, key); err != nil {
		return v, about(err, key)
	}
	return v, m.x.decode(b, &v)
}

// PopOr is Pop that returns v where the key is not there.
func (m *Map[K, V]) PopOr(ctx context.Context, key K, v V) (V, error) {
	got, err := m.Pop(ctx, key)
	if errors.Is(err, reeve.ErrNoSuchKey) {
		return v, nil
	}
	return got, err
}

// Entry is a key and its value.
type Entry[K, V any] struct {
	Key   K
	Value V
}

// PopItem deletes the last key and returns it with its value. [reeve.ErrNoSuchKey]
// if the map is empty.
func (m *Map[K, V]) PopItem(ctx context.Context) (e Entry[K, V], err error) {
	var a []codec.Encoded
	if err := m.x.call(ctx, "popitem", 0, &a); err != nil {
		return e, err
	}
	if len(a) != 2 {
		return e, fmt.Errorf("%w: an item with %d parts", reeve.ErrUnserializable, len(a))
	}
	if err := m.x.decode(a[0], &e.Key); err != nil {
		return e, err
	}
	return e, m.x.decode(a[1], &e.Value)
}

// Clear deletes all keys.
func (m *Map[K, V]) Clear(ctx context.Context) error { return m.x.call(ctx, "clear", 0, nil) }

// CompareAndSwap sets a key from old to v, and reports whether it had old. Values
// are compared as they are encoded. The key keeps its time to live.
func (m *Map[K, V]) CompareAndSwap(ctx context.Context, key K, old, v V) (done bool, err error) {
	b, err := m.x.encode(v)
	if err != nil {
		return false, err
	}
	err = m.x.with2(ctx, "compareandswap", 0, &done, key, old, b)
	return done, err
}

// Update changes the value of a key to what f makes of it: f gets what it has, and
// whether it is there, and returns what it is to have, and whether it is to be
// there. It returns what f returned. Nothing is locked: if the key is changed by
// somebody else meanwhile, f is called again. The key keeps its time to live.
func (m *Map[K, V]) Update(ctx context.Context, key K, f func(old V, ok bool) (v V, keep bool)) (V, error) {
	var zero V
	k, err := m.x.encode(key)
	if err != nil {
		return zero, err
	}
	var a versioned
	if err := m.x.call(ctx, "get", reads, &a, k); err != nil && !errors.Is(err, reeve.ErrNoSuchKey) {
		return zero, err
	}
	for {
		var old V
		if a.Version != 0 {
			if err := m.x.decode(a.Value, &old); err != nil {
				return zero, err
			}
		}
		v, keep := f(old, a.Version != 0)
		var b codec.Encoded // nil
		if keep {
			if b, err = m.x.encode(v); err != nil {
				return zero, err
			}
		}
		var r swapped
		if err := m.x.call(ctx, "cas", 0, &r, k, a.Version, keep, b); err != nil {
			return zero, err
		}
		if r.Done {
			return v, nil
		}
		a.Version, a.Value = r.Version, r.Value
	}
}

// swapped is what became of a change that depends on a version, and what there is
// now.
type swapped struct {
	_       struct{} `cbor:",toarray"`
	Done    bool
	Version uint64 // 0: it is not there
	Value   codec.Encoded
}

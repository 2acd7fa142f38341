package shared

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// GetMany reads keys in one call, as long as their values have no more than 4 MiB
// together; they are as they were at one time then. Keys that are not there are
// missing.
func (m *Map[K, V]) GetMany(ctx context.Context, keys ...K) (map[K]V, error) {
	if !hashable(reflect.TypeFor[K]()) {
		for _, key := range keys {
			if err := checkKey(m.x, key); err != nil {
				return nil, err
			}
		}
	}
	found := make(map[K]V, len(keys))
	err := m.readMany(ctx, keys, func(i int, v V) { found[keys[i]] = v })
	if err != nil {
		return nil, err
	}
	return found, nil
}

// GetEach is GetMany for many keys in haste: the values in the order of keys, and
// which of them are there. It makes no map, which takes most of GetMany's time.
func (m *Map[K, V]) GetEach(ctx context.Context, keys ...K) (values []V, there []bool, err error) {
	values, there = make([]V, len(keys)), make([]bool, len(keys))
	err = m.readMany(ctx, keys, func(i int, v V) { values[i], there[i] = v, true })
	if err != nil {
		return nil, nil, err
	}
	return values, there, nil
}

// readMany reads keys, and calls found with the place of each that is there.
func (m *Map[K, V]) readMany(ctx context.Context, keys []K, found func(i int, v V)) error {
	for from := 0; from < len(keys); {
		b, err := encodeAll(m.x, keys[from:])
		if err != nil {
			return err
		}
		a, err := m.x.answer(ctx, "getmany", reads, nil, encoded(b))
		if err != nil {
			return err
		}
		done, missing, rest, err := openMany(a.Value)
		if err != nil {
			return err
		}
		values, err := decodeList[V](m.x, rest)
		if err != nil {
			return err
		}
		if done < 1 || done > len(keys)-from || done != len(missing)+len(values) {
			return fmt.Errorf("%w: an answer about %d of %d keys", reeve.ErrUnserializable, done, len(keys)-from)
		}
		for i := range done {
			switch {
			case len(missing) > 0 && missing[0] == i:
				missing = missing[1:]
			case len(values) > 0:
				found(from+i, values[0])
				values = values[1:]
			}
		}
		from += done
	}
	return nil
}

// openMany reads an answer to getmany, [keys that it tells of, places of those that
// are not there, values of the others], without a look at the values.
func openMany(b []byte) (done int, missing []int, values []byte, err error) {
	n, rest, err := codec.OpenArray(b)
	if err == nil && n != 3 {
		err = fmt.Errorf("%d elements instead of 3", n)
	}
	if err == nil {
		rest, err = codec.First(rest, &done)
	}
	if err == nil {
		rest, err = codec.First(rest, &missing)
	}
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%w: an answer to getmany: %w", reeve.ErrUnserializable, err)
	}
	return done, missing, rest, nil
}

// SetMany sets keys in the order given, all or none.
func (m *Map[K, V]) SetMany(ctx context.Context, entries ...Entry[K, V]) error {
	keys, values := make([]K, len(entries)), make([]V, len(entries))
	for i, e := range entries {
		keys[i], values[i] = e.Key, e.Value
	}
	k, err := encodeAll(m.x, keys)
	if err != nil {
		return err
	}
	v, err := encodeAll(m.x, values)
	if err != nil {
		return err
	}
	return m.x.call(ctx, "setmany", 0, nil, k, v, 0)
}

// Merge sets all that from has, or none; Python's update and |=. New keys come in
// the order of their encoded forms.
func (m *Map[K, V]) Merge(ctx context.Context, from map[K]V) error {
	type pair struct{ key, value codec.Encoded }
	pairs := make([]pair, 0, len(from))
	for key, v := range from {
		k, err := m.x.encode(key)
		if err != nil {
			return err
		}
		b, err := m.x.encode(v)
		if err != nil {
			return err
		}
		pairs = append(pairs, pair{k, b})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	keys, values := make([]codec.Encoded, len(pairs)), make([]codec.Encoded, len(pairs))
	for i, p := range pairs {
		keys[i], values[i] = p.key, p.value
	}
	return m.x.call(ctx, "setmany", 0, nil, keys, values, 0)
}

// MergeFrom is Merge of another map of the same master, in one step for both.
func (m *Map[K, V]) MergeFrom(ctx context.Context, other *Map[K, V]) error {
	if same(m.x.o, other.x.o) {
		return m.x.call(ctx, "mergefrom", 0, nil, other.x.ref)
	}
	entries, err := other.Items(ctx)
	if err != nil {
		return err
	}
	return m.SetMany(ctx, entries...)
}

// DeleteMany deletes those of keys that are there, in one step, and returns how
// many those were.
func (m *Map[K, V]) DeleteMany(ctx context.Context, keys ...K) (n int, err error) {
	b, err := encodeAll(m.x, keys)
	if err != nil {
		return 0, err
	}
	err = m.x.call(ctx, "deletemany", 0, &n, b)
	return n, err
}

// Keys lists the keys in their order.
func (m *Map[K, V]) Keys(ctx context.Context) ([]K, error) {
	keys, _, err := listOf[K](ctx, m.x, "snapshot", keysOfPage, 0)
	return keys, err
}

// Values lists the values in the order of their keys.
func (m *Map[K, V]) Values(ctx context.Context) ([]V, error) {
	values, _, err := listOf[V](ctx, m.x, "snapshot", valuesOfPage, 0)
	return values, err
}

// Items lists keys and values in their order.
func (m *Map[K, V]) Items(ctx context.Context) ([]Entry[K, V], error) {
	items := []Entry[K, V]{}
	for e, err := range m.All(ctx) {
		if err != nil {
			return nil, err
		}
		items = append(items, e)
	}
	return items, nil
}

// Copy is a Go map with all that there is.
func (m *Map[K, V]) Copy(ctx context.Context) (map[K]V, error) {
	all := map[K]V{}
	for e, err := range m.All(ctx) {
		if err == nil {
			err = checkKey(m.x, e.Key)
		}
		if err != nil {
			return nil, err
		}
		all[e.Key] = e.Value
	}
	return all, nil
}

// Union is a copy with what other has besides, or instead; Python's |. Neither is
// changed.
func (m *Map[K, V]) Union(ctx context.Context, other map[K]V) (map[K]V, error) {
	all, err := m.Copy(ctx)
	for k, v := range other {
		if err == nil {
			all[k] = v
		}
	}
	return all, err
}

// All loops over keys and values in their order, as all were when it began:
// changes meanwhile do not show. What cannot be decoded comes as an error, and the
// loop goes on; any other error is the last. The master keeps what the loop has
// yet to read, for a loop that does nothing for 30 s no longer
// ([reeve.ErrNoSuchObject]), and for 16 loops of a client and map at a time
// ([reeve.ErrLimit]).
func (m *Map[K, V]) All(ctx context.Context) iter.Seq2[Entry[K, V], error] {
	return m.entries(ctx, keysOfPage|valuesOfPage)
}

// Reversed is All from the last key to the first.
func (m *Map[K, V]) Reversed(ctx context.Context) iter.Seq2[Entry[K, V], error] {
	return m.entries(ctx, keysOfPage|valuesOfPage|reversedPages)
}

func (m *Map[K, V]) entries(ctx context.Context, what int) iter.Seq2[Entry[K, V], error] {
	return func(yield func(Entry[K, V], error) bool) {
		_, err := m.snapshot(ctx, what, yield)
		if err != nil {
			yield(Entry[K, V]{}, err)
		}
	}
}

// snapshot calls yield for the entries of a snapshot, whose version it returns.
func (m *Map[K, V]) snapshot(ctx context.Context, what int, yield func(Entry[K, V], error) bool) (version uint64, err error) {
	err = m.x.pages(ctx, 2, func(p page) (int, bool, error) {
		version = p.version
		keys, badKeys, err := elements[K](m.x, p.parts[0])
		if err != nil {
			return 0, false, err
		}
		values, badValues, err := elements[V](m.x, p.parts[1])
		if err != nil || len(values) != len(keys) {
			return 0, false, fmt.Errorf("%w: %d keys with %d values: %w", reeve.ErrUnserializable, len(keys), len(values), err)
		}
		for i := range keys {
			bad := badKeys[i]
			if bad == nil {
				bad = badValues[i]
			}
			if !yield(Entry[K, V]{keys[i], values[i]}, bad) {
				return 0, false, nil
			}
		}
		return len(keys), true, nil
	}, "snapshot", what, 0)
	return version, err
}

package shared

import (
	"context"
	"iter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// SetConfig is how a set is declared. The zero value is good.
type SetConfig struct {
	// Durable: the set is kept in the master's journal. It must have a name then.
	Durable bool
	// MaxLen bounds the elements; 0: no bound.
	MaxLen int
	// MaxBytes bounds the bytes of the elements and 128 for each; 0: 256 MiB.
	// If it is durable, at most 512 MiB.
	MaxBytes int64
	// TTL is how long an element is there after it was added, if nothing else is
	// said; 0: for ever.
	TTL time.Duration
}

// Set is a set that is shared. Two elements are the same if they are encoded the
// same. What is said of the methods of [Map] holds for those of a set, too; it
// keeps the order in which elements came.
type Set[T any] struct{ Container }

// NewSet declares a set, as [NewMap] does a map.
func NewSet[T any](ctx context.Context, o reeve.Objects, name string, cfg SetConfig) (*Set[T], error) {
	x, err := declare(ctx, o, "set", name, tableSpec{limitsSpec{cfg.MaxLen, cfg.MaxBytes}, cfg.TTL}, cfg.Durable)
	if err != nil {
		return nil, err
	}
	return &Set[T]{Container{x}}, nil
}

// SetOf is the set of that name. It costs nothing and asks nobody.
func SetOf[T any](o reeve.Objects, name string) *Set[T] {
	return SetAt[T](o, reeve.Ref{Name: name, Type: "set"})
}

// SetAt is the set that ref names.
func SetAt[T any](o reeve.Objects, ref reeve.Ref) *Set[T] {
	return &Set[T]{Container{ObjectAt(o, ref)}}
}

// BindObject has the handle stand for x; see [Bound].
func (s *Set[T]) BindObject(x *Object) { s.x = x }

// Add adds an element. One that is there stays as it is.
func (s *Set[T]) Add(ctx context.Context, e T) error {
	_, err := s.AddNew(ctx, e)
	return err
}

// AddNew adds an element and reports whether it was not there before. Of all who
// add the same one, exactly one is told so: it is what is done once.
func (s *Set[T]) AddNew(ctx context.Context, e T) (fresh bool, err error) {
	err = s.x.with(ctx, "add", 0, &fresh, e, 0)
	return fresh, err
}

// AddTTL is AddNew for so long: at the end the element is gone. One that is there
// keeps the time that it has.
func (s *Set[T]) AddTTL(ctx context.Context, e T, ttl time.Duration) (fresh bool, err error) {
	err = s.x.with(ctx, "add", 0, &fresh, e, forTTL(ttl))
	return fresh, err
}

// AddMany adds all elements, or none, and returns those that are new.
func (s *Set[T]) AddMany(ctx context.Context, list ...T) ([]T, error) {
	b, err := encodeAll(s.x, list)
	if err != nil {
		return nil, err
	}
	var at []int
	if err := s.x.call(ctx, "addmany", 0, &at, b, 0); err != nil {
		return nil, err
	}
	return placesOf(list, at), nil
}

// Missing lists those of list that are not there.
func (s *Set[T]) Missing(ctx context.Context, list ...T) ([]T, error) {
	b, err := encodeAll(s.x, list)
	if err != nil {
		return nil, err
	}
	var at []int
	if err := s.x.call(ctx, "missing", reads, &at, b); err != nil {
		return nil, err
	}
	return placesOf(list, at), nil
}

// placesOf are the elements at places.
func placesOf[T any](list []T, places []int) []T {
	picked := make([]T, 0, len(places))
	for _, i := range places {
		if i >= 0 && i < len(list) {
			picked = append(picked, list[i])
		}
	}
	return picked
}

// Discard removes an element and reports whether it was there.
func (s *Set[T]) Discard(ctx context.Context, e T) (was bool, err error) {
	err = s.x.with(ctx, "discard", 0, &was, e)
	return was, err
}

// Remove removes an element, or returns [reeve.ErrNoSuchKey].
func (s *Set[T]) Remove(ctx context.Context, e T) error {
	return about(s.x.with(ctx, "remove", 0, nil, e), e)
}

// Pop removes an element and returns it: the one that has been there longest.
// [reeve.ErrNoSuchKey] if there is none.
func (s *Set[T]) Pop(ctx context.Context) (e T, err error) {
	var b codec.Encoded
	if err := s.x.call(ctx, "pop", 0, &b); err != nil {
		return e, err
	}
	return e, s.x.decode(b, &e)
}

// Has reports whether an element is there.
func (s *Set[T]) Has(ctx context.Context, e T) (has bool, err error) {
	err = s.x.with(ctx, "has", reads, &has, e)
	return has, err
}

// Len is how many elements there are.
func (s *Set[T]) Len(ctx context.Context) (n int, err error) {
	err = s.x.call(ctx, "len", reads, &n)
	return n, err
}

// Clear removes all elements.
func (s *Set[T]) Clear(ctx context.Context) error { return s.x.call(ctx, "clear", 0, nil) }

// Expire has an element that is there gone after ttl; [Forever]: not at all.
// [reeve.ErrNoSuchKey].
func (s *Set[T]) Expire(ctx context.Context, e T, ttl time.Duration) error {
	return about(s.x.with(ctx, "expire", 0, nil, e, forTTL(ttl)), e)
}

// TTL is how long an element will be there, or [Forever]. [reeve.ErrNoSuchKey].
func (s *Set[T]) TTL(ctx context.Context, e T) (ttl time.Duration, err error) {
	if err := s.x.with(ctx, "ttl", reads, &ttl, e); err != nil {
		return 0, about(err, e)
	}
	return ttlOf(ttl), nil
}

// Copy lists the elements, in the order in which they came.
func (s *Set[T]) Copy(ctx context.Context) ([]T, error) {
	list, _, err := listOf[T](ctx, s.x, "snapshot", 0)
	return list, err
}

// All loops over the elements, as all were when it began; see [Map.All].
func (s *Set[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return eachOf[T](ctx, s.x, "snapshot", 0)
}

// Watch loops over what happens to elements, from the time on when it begins; see
// [Map.Watch]. Changes have no values.
func (s *Set[T]) Watch(ctx context.Context) iter.Seq2[Change[T, struct{}], error] {
	return s.watch(ctx, false)
}

// Follow is Watch that begins with all that is there; see [Map.Follow].
func (s *Set[T]) Follow(ctx context.Context) iter.Seq2[Change[T, struct{}], error] {
	return s.watch(ctx, true)
}

func (s *Set[T]) watch(ctx context.Context, withState bool) iter.Seq2[Change[T, struct{}], error] {
	return func(yield func(Change[T, struct{}], error) bool) {
		w := watching[T, struct{}]{ctx: ctx, x: s.x, state: s.snapshot, noValues: true, yield: yield}
		w.run(withState)
	}
}

func (s *Set[T]) snapshot(ctx context.Context, yield func(Entry[T, struct{}], error) bool) (version uint64, err error) {
	err = s.x.pages(ctx, 1, func(p page) (int, bool, error) {
		version = p.version
		list, bad, err := elements[T](s.x, p.parts[0])
		for i, e := range list {
			if !yield(Entry[T, struct{}]{Key: e}, bad[i]) {
				return 0, false, nil
			}
		}
		return len(list), true, err
	}, "snapshot", 0)
	return version, err
}

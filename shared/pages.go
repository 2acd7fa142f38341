package shared

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Parts of the pages of a map.
const (
	keysOfPage    = 1
	valuesOfPage  = 2
	reversedPages = 4
)

// endTime is how long a loop that is left early waits for the master to drop its
// snapshot, which otherwise it does by itself after a while.
const endTime = time.Second

// page is a part of a snapshot.
type page struct {
	id      uint64 // 0: there are no others
	version uint64
	length  int             // of the whole
	parts   []codec.Encoded // arrays of keys, values, or both
}

func (x *Object) page(ctx context.Context, parts int, method string, args ...any) (page, error) {
	var list []codec.Encoded
	if err := x.call(ctx, method, reads, &list, args...); err != nil {
		return page{}, err
	}
	var p page
	if len(list) != 3+parts {
		return p, fmt.Errorf("%w: a page of %v with %d parts", reeve.ErrUnserializable, x, len(list))
	}
	for i, v := range []any{&p.id, &p.version, &p.length} {
		if err := x.decode(list[i], v); err != nil {
			return p, err
		}
	}
	p.parts = list[3:]
	return p, nil
}

// pages calls take with the pages of a snapshot, beginning with the one that method
// returns, until it returns an error or no more is to be read. take returns how
// many elements it has seen.
func (x *Object) pages(ctx context.Context, parts int, take func(page) (n int, more bool, err error), method string, args ...any) error {
	p, err := x.page(ctx, parts, method, args...)
	if err != nil {
		return err
	}
	if id := p.id; id != 0 {
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
			defer cancel()
			_ = x.call(ctx, "done", reads, nil, id) // it ends by itself, too
		}()
	}
	for from := 0; ; {
		n, more, err := take(p)
		if err != nil || !more {
			return err
		}
		if from += n; from >= p.length || n == 0 {
			return nil
		}
		if p, err = x.page(ctx, parts, "page", p.id, from, 0); err != nil {
			return err
		}
	}
}

// elements decodes an array. bad has what was wrong with which element; nil:
// nothing.
func elements[T any](x *Object, part codec.Encoded) (list []T, bad map[int]error, err error) {
	if list, err := decodeList[T](x, part); err == nil {
		return list, nil, nil
	}
	var each []codec.Encoded
	if err := x.decode(part, &each); err != nil {
		return nil, nil, err
	}
	list, bad = make([]T, len(each)), map[int]error{}
	for i, b := range each {
		if err := x.decode(b, &list[i]); err != nil {
			bad[i] = err
			list[i] = *new(T)
		}
	}
	return list, bad, nil
}

// eachOf loops over the elements of the pages of a snapshot. One that cannot be
// decoded comes as its error, and the loop goes on; any other error is the last.
func eachOf[T any](ctx context.Context, x *Object, method string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := x.pages(ctx, 1, func(p page) (int, bool, error) {
			list, bad, err := elements[T](x, p.parts[0])
			for i, v := range list {
				if !yield(v, bad[i]) {
					return 0, false, nil
				}
			}
			return len(list), true, err
		}, method, args...)
		if err != nil {
			yield(*new(T), err)
		}
	}
}

// listOf reads all pages of a snapshot, and tells its version.
func listOf[T any](ctx context.Context, x *Object, method string, args ...any) (all []T, version uint64, err error) {
	all = []T{}
	err = x.pages(ctx, 1, func(p page) (int, bool, error) {
		list, err := decodeList[T](x, p.parts[0])
		if err != nil {
			return 0, false, err
		}
		all, version = append(all, list...), p.version
		return len(list), true, nil
	}, method, args...)
	if err != nil {
		return nil, 0, err
	}
	return all, version, nil
}

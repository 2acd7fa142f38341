package container

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// withOthers calls do with the containers that refs name, of the same kind as b,
// and with the mutexes of all held, so that what it does is one step. b's mutex is
// held before and after, but not all the time between: withOthers comes first in
// a method.
func withOthers[O object](c *shared.Call, b *base, refs []reeve.Ref, do func([]O) error) error {
	if len(refs) == 0 {
		return do(nil)
	}
	b.mu.Unlock() // names are found before mutexes of objects are taken
	others, err := find[O](c, b, refs)
	if err != nil {
		b.mu.Lock()
		return err
	}
	all := []object{}
	for _, o := range others {
		if o.common() != b {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(x, y object) int { return cmp.Compare(x.common().number, y.common().number) })
	all = slices.Compact(all)
	mine, _ := slices.BinarySearchFunc(all, b.number, func(o object, n uint64) int { return cmp.Compare(o.common().number, n) })
	for i, o := range all {
		if i == mine {
			b.mu.Lock()
		}
		o.common().mu.Lock()
	}
	if mine == len(all) {
		b.mu.Lock()
	}
	defer func() {
		for _, o := range all {
			o.common().mu.Unlock()
		}
	}()
	if b.closed != nil {
		return b.closed
	}
	now := time.Now()
	for _, o := range all {
		if err := o.common().closed; err != nil {
			return err
		}
		o.expire(now)
	}
	return do(others)
}

func find[O object](c *shared.Call, b *base, refs []reeve.Ref) ([]O, error) {
	list := make([]O, len(refs))
	for i, ref := range refs {
		o, err := b.env.Host.Object(c.Client, ref)
		if err != nil {
			return nil, err
		}
		s, ok := o.(*served[O])
		if !ok {
			return nil, fmt.Errorf("%w: %v is not a %s", reeve.ErrInvalid, ref, b.kind)
		}
		list[i] = s.o
	}
	return list, nil
}

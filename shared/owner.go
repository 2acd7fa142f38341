package shared

import (
	"context"
	"sync/atomic"
)

// Owner is who holds locks, within one client: not a goroutine, and not bound to
// one. The master refuses waits that would be a deadlock between owners
// ([reeve.ErrDeadlock]), so one owner should be what does one thing at a time.
type Owner uint64

// numbers are those of the owners and attempts of this process.
var numbers atomic.Uint64

// NewOwner returns an owner that no other has.
func NewOwner() Owner { return Owner(numbers.Add(1)) }

// outer is the key of the locks within which a context is used.
type outer struct{}

// maxOwners is how many owners the master takes at a time.
const maxOwners = 16

// within is ctx for what is done while o holds a lock.
func within(ctx context.Context, o Owner) context.Context {
	return context.WithValue(ctx, outer{}, chain(ctx, o))
}

// chain is o and the owners that cannot go on before o has what it waits for: those
// of the Withs around.
func chain(ctx context.Context, o Owner) []Owner {
	owners := []Owner{o}
	around, _ := ctx.Value(outer{}).([]Owner)
	for _, a := range around {
		if a != o && len(owners) < maxOwners {
			owners = append(owners, a)
		}
	}
	return owners
}

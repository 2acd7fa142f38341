package locking

import (
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// space is what all objects of this package of one Host have in common.
type space struct {
	mu    sync.Mutex // guards all objects of the package; taken before what is internal/shared's
	token uint64     // the last one given out
	locks map[reeve.Ref]*gate
	busy  map[owner]*standing // who could be part of a deadlock
}

// Add makes objects of this package's types possible.
func Add(h *shared.Host) {
	sp := &space{locks: map[reeve.Ref]*gate{}, busy: map[owner]*standing{}}
	for _, t := range []*shared.Type{
		{Name: "lock", Methods: lockMethods, New: sp.newLock(false)},
		{Name: "rlock", Methods: lockMethods, New: sp.newLock(true)},
		{Name: "rwlock", Methods: rwlockMethods, New: sp.newRWLock},
		{Name: "semaphore", Methods: semaphoreMethods, New: sp.newSemaphore},
		{Name: "condition", Methods: conditionMethods, New: sp.newCondition},
		{Name: "event", Methods: eventMethods, New: sp.newEvent},
		{Name: "barrier", Methods: barrierMethods, New: sp.newBarrier},
		{Name: "election", Methods: electionMethods, New: sp.newElection},
	} {
		h.AddType(t)
	}
}

// next is a token. It is a time in microseconds where that is greater than the
// last one, so that it grows from one life of the master to the next, unless the
// clock was set back by more than the master was away.
func (sp *space) next() uint64 {
	sp.token = max(sp.token+1, uint64(time.Now().UnixMicro()))
	return sp.token
}

// maxOwners bounds how deep locks are acquired within each other.
const maxOwners = 16

// owner is who can hold something.
type owner struct {
	client *shared.Client
	id     uint64
}

// String is o for people.
func (o owner) String() string {
	return fmt.Sprintf("%s as owner %d", person(o.client), o.id)
}

// person is a client for people.
func person(cl *shared.Client) string {
	who := cl.Who()
	if who.PID == 0 {
		return who.Name
	}
	return fmt.Sprintf("%s (%s, pid %d)", who.Name, who.Host, who.PID)
}

// owners are those that a call names: who is to hold, and those of the same client
// that cannot go on before that one does.
func owners(c *shared.Call, ids []uint64) (owner, []owner, error) {
	if len(ids) == 0 || len(ids) > maxOwners {
		return owner{}, nil, fmt.Errorf("%w: %d owners, want 1 to %d", reeve.ErrInvalid, len(ids), maxOwners)
	}
	var above []owner
	for _, id := range ids[1:] {
		above = append(above, owner{c.Client, id})
	}
	return owner{c.Client, ids[0]}, above, nil
}

// acquireArgs are the arguments of a method that makes a hold.
type acquireArgs[X any] struct {
	_      struct{} `cbor:",toarray"`
	Owners []uint64
	Try    uint64 // the client's number of the attempt, to recognise it by
	Wait   bool
	With   X
}

// releaseArgs are those of a method that ends one.
type releaseArgs struct {
	_     struct{} `cbor:",toarray"`
	Owner uint64
	Token uint64 // 0: what the owner has
	Left  int    // how often it stays acquired; below 0: once less
}

// holdArgs are those of methods about one hold, or about one that an attempt may
// have made.
type holdArgs struct {
	_      struct{} `cbor:",toarray"`
	Owner  uint64
	Number uint64
}

// ownersArgs are those of the methods of a condition that waits.
type ownersArgs struct {
	_      struct{} `cbor:",toarray"`
	Owners []uint64
	Try    uint64
}

// granted is the answer to a method that makes a hold.
type granted struct {
	_        struct{} `cbor:",toarray"`
	Token    uint64
	Grace    time.Duration // for how long it outlives the connection
	Notified bool
}

func encode(v any) []byte {
	b, err := codec.CBOR.Marshal(v)
	if err != nil {
		panic(err) // what is encoded here are numbers and texts
	}
	return b
}

// configure reads the configuration of an object.
func configure(spec []byte, v any) error {
	if len(spec) == 0 {
		return nil
	}
	if err := codec.CBOR.Unmarshal(spec, v); err != nil {
		return fmt.Errorf("%w: configuration: %v", reeve.ErrInvalid, err)
	}
	return nil
}

// maxGrace bounds the grace of an object. That of the Host ends it earlier.
const maxGrace = 24 * time.Hour

func checkGrace(d time.Duration) error {
	if d < 0 || d > maxGrace {
		return fmt.Errorf("%w: Config.Grace is %v, want 0 to %v", reeve.ErrInvalid, d, maxGrace)
	}
	return nil
}

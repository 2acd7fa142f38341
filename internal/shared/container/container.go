package container

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// overhead is what an element counts besides the bytes of its key and value.
const overhead = 128

const (
	defaultMaxBytes = 256 << 20
	// maxDurableBytes is how much a durable one may have: a change can be all of it,
	// and a journal takes a change as a whole, of less than 1 GiB.
	maxDurableBytes = 512 << 20
	maxTTL          = 100 * 365 * 24 * time.Hour
)

// Types are those of all containers.
func Types() []*shared.Type {
	return []*shared.Type{
		typeOf("map", mapMethods, func() *mapObject { return new(mapObject) }),
		typeOf("namespace", mapMethods, func() *mapObject { return new(mapObject) }),
		typeOf("set", setMethods, func() *setObject { return new(setObject) }),
		typeOf("list", listMethods, func() *listObject { return new(listObject) }),
		typeOf("array", arrayMethods, func() *arrayObject { return new(arrayObject) }),
		typeOf("value", valueMethods, func() *valueObject { return new(valueObject) }),
	}
}

// Add makes all containers possible.
func Add(h *shared.Host) {
	for _, t := range Types() {
		h.AddType(t)
	}
}

// method is a method of objects of type O. do reads its arguments, answers the
// call or lets it wait, or returns the error to answer it with; it changes nothing
// then.
type method[O any] struct {
	reeve.MethodInfo
	do    func(O, *shared.Call, *args) error
	frees bool // it takes one element out at most: that makes room where there is none
}

// reading, freeing and changing make methods: those that change nothing, those that
// take one element out, and all others.
func reading[O any](name, signature string, do func(O, *shared.Call, *args) error) method[O] {
	return method[O]{reeve.MethodInfo{Name: name, Signature: name + signature, Reads: true}, do, false}
}

func freeing[O any](name, signature string, do func(O, *shared.Call, *args) error) method[O] {
	return method[O]{reeve.MethodInfo{Name: name, Signature: name + signature}, do, true}
}

func changing[O any](name, signature string, do func(O, *shared.Call, *args) error) method[O] {
	return method[O]{reeve.MethodInfo{Name: name, Signature: name + signature}, do, false}
}

// object is implemented by the types of this package, which embed base.
type object interface {
	common() *base
	// init sets the container up as its configuration says, with the entries that
	// it had.
	init(spec []byte) error
	describe() string
	// expire takes out what is due. It may be nothing.
	expire(now time.Time)
}

// served is an object as the Host has it: all of its methods run with its mutex
// held.
type served[O object] struct {
	o       O
	methods map[string]method[O]
}

// limits are those of one container, and the beginning of its configuration.
type limits struct {
	MaxLen   int64 `cbor:"1,keyasint,omitempty"`
	MaxBytes int64 `cbor:"2,keyasint,omitempty"`
}

// base is what all containers have. The mutex guards everything.
type base struct {
	env    *shared.Env
	self   shared.Object
	kind   string
	number uint64 // of several containers that of the lowest is locked first
	limits limits

	mu        sync.Mutex // taken before those of the packages above, and after that of a container with a lower number
	closed    error
	version   uint64 // that of the last change; it only grows, in the next life of the master, too
	bytes     int64
	snapshots snapshots
	watch     watch
	timer     *time.Timer // for what expires
}

func typeOf[O object](name string, list []method[O], fresh func() O) *shared.Type {
	t := &shared.Type{Name: name}
	methods := map[string]method[O]{}
	for _, m := range list {
		t.Methods = append(t.Methods, m.MethodInfo)
		methods[m.Name] = m
	}
	t.New = func(env *shared.Env, spec []byte) (shared.Object, error) {
		o := fresh()
		s := &served[O]{o: o, methods: methods}
		b := o.common()
		b.env, b.self, b.kind = env, s, name
		b.number, b.version = turns.Add(1), uint64(time.Now().UnixMicro())
		b.mu.Lock() // a timer may go off already
		defer b.mu.Unlock()
		if err := o.init(spec); err != nil {
			return nil, err
		}
		return s, nil
	}
	return t
}

// configure reads spec into v, which begins with limits l.
func (b *base) configure(spec []byte, v any, l *limits) error {
	if len(spec) > 0 {
		if err := codec.CBOR.Unmarshal(spec, v); err != nil {
			return fmt.Errorf("%w: configuration of a %s: %v", reeve.ErrInvalid, b.kind, err)
		}
	}
	switch {
	case l.MaxLen < 0:
		return fmt.Errorf("%w: MaxLen of a %s must not be negative", reeve.ErrInvalid, b.kind)
	case l.MaxBytes < 0:
		return fmt.Errorf("%w: MaxBytes of a %s must not be negative", reeve.ErrInvalid, b.kind)
	case b.durable() && l.MaxBytes > maxDurableBytes:
		return fmt.Errorf("%w: MaxBytes of a durable %s is %d, want %d at most", reeve.ErrInvalid, b.kind, l.MaxBytes, maxDurableBytes)
	}
	b.limits = limits{MaxLen: l.MaxLen, MaxBytes: cmp.Or(l.MaxBytes, defaultMaxBytes)}
	return nil
}

func (b *base) common() *base { return b }

// expire does nothing where nothing expires.
func (b *base) expire(time.Time) {}

func (s *served[O]) Call(c *shared.Call) {
	b := s.o.common()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed != nil {
		c.Fail(b.closed)
		return
	}
	m := s.methods[c.Method]
	if m.do == nil {
		c.Fail(reeve.ErrNotExposed)
		return
	}
	if !m.Reads && !m.frees {
		if err := b.env.Store.Room(); err != nil {
			c.Fail(err)
			return
		}
	}
	s.o.expire(time.Now())
	if err := m.do(s.o, c, newArgs(c.Args)); err != nil {
		c.Fail(err)
	}
}

// Lost is of no interest: snapshots outlast a connection.
func (s *served[O]) Lost(*shared.Client) {}

func (s *served[O]) Gone(cl *shared.Client) {
	b := s.o.common()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropSnapshots(func(x *snapshot) bool { return x.client == cl })
}

func (s *served[O]) Close(cause error) {
	b := s.o.common()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = cause
	b.dropSnapshots(func(*snapshot) bool { return true })
	b.closeWatch(cause)
	if b.timer != nil {
		b.timer.Stop()
	}
}

func (s *served[O]) Describe() string {
	b := s.o.common()
	b.mu.Lock()
	defer b.mu.Unlock()
	s.o.expire(time.Now())
	return s.o.describe()
}

// durable reports whether changes are to be noted.
func (b *base) durable() bool { return b.env.Store != nil }

// next is the version of a change.
func (b *base) next() uint64 {
	b.version++
	return b.version
}

// answer answers with what was read.
func (b *base) answer(c *shared.Call, value []byte) error {
	c.ReturnRead(b.env.Store, value)
	return nil
}

// changed answers with value once the change is kept, and tells who watches.
func (b *base) changed(c *shared.Call, ch *shared.Change, value []byte) error {
	c.ReturnChanged(b.env.Store, ch, value)
	b.wake()
	return nil
}

// room is nil if the container may have n more elements with size more bytes
// besides their overhead, and has had length.
func (b *base) room(length, n int, size int64) error {
	total := int64(length) + int64(n)
	if b.limits.MaxLen > 0 && n > 0 && total > b.limits.MaxLen {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "elements of a " + b.kind, Value: total, Max: b.limits.MaxLen, Set: "MaxLen"}
	}
	size += int64(n) * overhead
	if size > 0 && size > b.limits.MaxBytes-b.bytes {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of a " + b.kind, Value: b.bytes + size, Max: b.limits.MaxBytes, Set: "MaxBytes"}
	}
	return nil
}

// count is "1 key" or "3 keys".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

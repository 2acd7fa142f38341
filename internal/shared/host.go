package shared

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

// Config says how a [Host] is set up. All may be zero.
type Config struct {
	// MaxObjects bounds the objects; 0: [DefaultMaxObjects].
	MaxObjects int
	// MaxWaiting bounds the calls of one client that wait; 0: [DefaultMaxWaiting].
	// As many more may be under way.
	MaxWaiting int
	// MaxAnswerBytes bounds the answers that are remembered for all clients, beyond a
	// MiB of each; 0: [DefaultMaxAnswerBytes].
	MaxAnswerBytes int64
	// Grace is how long a client whose connection was lost keeps its references, and
	// what became of its calls is remembered; 0: [DefaultGrace], below: not at all.
	Grace time.Duration
	// Logger gets decisions; nil: none.
	Logger *slog.Logger
	// Shutdown is asked when a client wants the master to end, in order if drain;
	// by is the client. What it returns is called once the client has its answer,
	// and must not block. nil: no client may.
	Shutdown func(by string, drain bool) (begin func(), err error)
	// Debug sends the stack traces of methods that panicked to their callers.
	Debug bool
}

// Defaults of [Config].
const (
	DefaultMaxObjects = 100_000
	DefaultMaxWaiting = 1 << 14
	DefaultGrace      = time.Minute

	DefaultMaxAnswerBytes int64 = 256 << 20
)

const (
	maxName  = 255
	maxSpec  = 64 << 10
	maxKnown = 64 // names that an error lists
)

// Host has the shared objects of one master. Methods are safe for concurrent use.
type Host struct {
	cfg     Config
	life    uint64
	answers atomic.Int64 // bytes that are remembered

	mu      sync.RWMutex // guards the fields below; taken first of all
	types   map[string]*Type
	byName  map[string]*entry
	byID    map[uint64]*entry
	clients map[ClientID]*Client
	lastID  uint64
	closed  bool
	journal Journal   // nil: nothing is durable
	began   time.Time // when the journal was read; zero: not at all
}

// entry is one object of the Host.
type entry struct {
	id      uint64
	ref     reeve.Ref
	typ     *Type
	spec    []byte
	store   *Store // nil: it is not durable
	own     bool   // it was added under its name by this process, not declared
	owner   string
	made    time.Time
	object  Object // set before the entry is found by anybody
	methods map[string]bool

	mu   sync.Mutex // guards the fields below; taken after Host.mu and before Client.mu
	refs map[*Client]struct{}
	gone bool
}

// New makes a Host. Types are added before it is used by clients.
func New(cfg Config) *Host {
	cfg.MaxObjects = cmp.Or(cfg.MaxObjects, DefaultMaxObjects)
	cfg.MaxWaiting = cmp.Or(cfg.MaxWaiting, DefaultMaxWaiting)
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	cfg.MaxAnswerBytes = cmp.Or(cfg.MaxAnswerBytes, DefaultMaxAnswerBytes)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		cfg: cfg, life: rand.Uint64()>>1 | 1, types: map[string]*Type{},
		byName: map[string]*entry{}, byID: map[uint64]*entry{}, clients: map[ClientID]*Client{},
	}
	h.Serve("$master", &master{host: h}, masterMethods)
	return h
}

// Life is a number of this Host that no other has.
func (h *Host) Life() uint64 { return h.life }

// Logger gets decisions.
func (h *Host) Logger() *slog.Logger { return h.cfg.Logger }

// Debug reports whether callers are sent stack traces.
func (h *Host) Debug() bool { return h.cfg.Debug }

// AddType makes objects of a type possible.
func (h *Host) AddType(t *Type) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.types[t.Name] = t
}

// Serve adds a service of the master itself: an object whose name begins with $,
// which nobody can delete and nobody lists.
func (h *Host) Serve(name string, o Object, methods []reeve.MethodInfo) {
	t := &Type{Name: name, Methods: methods}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byName[name] = newEntry(reeve.Ref{Name: name, Type: name}, t, o)
}

func newEntry(ref reeve.Ref, t *Type, o Object) *entry {
	e := &entry{ref: ref, typ: t, object: o, made: time.Now(), methods: map[string]bool{}, refs: map[*Client]struct{}{}}
	for _, m := range t.Methods {
		e.methods[m.Name] = true
	}
	return e
}

// CheckName reports what is wrong with the name of an object.
func CheckName(name string) error {
	switch {
	case len(name) > maxName:
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "bytes of an object's name", Value: int64(len(name)), Max: maxName}
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: the name %q is not UTF-8", reeve.ErrInvalid, name)
	case strings.HasPrefix(name, "$"):
		return fmt.Errorf("%w: the name %q: names with $ are the master's own", reeve.ErrInvalid, name)
	}
	return nil
}

// find finds the object of a request and checks its method.
func (h *Host) find(cl *Client, r *Request) (*entry, error) {
	e, err := h.lookup(r.Ref)
	if err != nil {
		return nil, err
	}
	if !e.methods[r.Method] {
		return nil, fmt.Errorf("%w: %s of %v, a %s; it has: %s", reeve.ErrNotExposed, clip(r.Method), e.ref, e.typ.Name, e.methodNames())
	}
	if r.Ref.Type != "" && r.Ref.Type != e.typ.Name {
		return nil, fmt.Errorf("%w: %v is a %s, not a %s", reeve.ErrInvalid, e.ref, e.typ.Name, clip(r.Ref.Type))
	}
	if e.ref.Name == "" {
		return e, cl.refer(e)
	}
	return e, nil
}

func clip(s string) string { return s[:min(len(s), maxName)] }

func (e *entry) methodNames() string {
	return strings.Join(slices.Sorted(maps.Keys(e.methods)), ", ")
}

func (h *Host) lookup(ref reeve.Ref) (*entry, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if ref.Name != "" {
		if e := h.byName[ref.Name]; e != nil {
			return e, nil
		}
		return nil, &reeve.NoSuchNameError{Name: clip(ref.Name), Known: h.knownLocked()}
	}
	if e := h.byID[ref.ID]; e != nil && ref.Life == h.life && e.ref.Name == "" {
		return e, nil
	}
	return nil, fmt.Errorf("%w: %v", reeve.ErrNoSuchObject, ref)
}

// Object returns what stands behind a reference, for objects of this process that
// were given one. by refers to it from then on.
func (h *Host) Object(by *Client, ref reeve.Ref) (Object, error) {
	e, err := h.lookup(ref)
	if err == nil && e.ref.Name == "" && by != nil {
		err = by.refer(e)
	}
	if err != nil {
		return nil, err
	}
	return e.object, nil
}

// Known reports whether there is an object of that name.
func (h *Host) Known(name string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.byName[name] != nil
}

// knownLocked is the first of the names that there are. Anybody may ask for it at any
// rate, so that it does not sort them all.
func (h *Host) knownLocked() []string {
	var names []string
	for name := range h.byName {
		if name[0] == '$' || len(names) == maxKnown && name > names[maxKnown-1] {
			continue
		}
		i, _ := slices.BinarySearch(names, name)
		names = slices.Insert(names, i, name)
		names = names[:min(len(names), maxKnown)]
	}
	return names
}

// Close ends all objects and clients.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	entries, clients := slices.Collect(maps.Values(h.byID)), slices.Collect(maps.Values(h.clients))
	h.mu.Unlock()
	for _, e := range entries {
		h.remove(e, reeve.ErrClosed)
	}
	for _, cl := range clients {
		cl.mu.Lock()
		cl.link = nil
		cl.mu.Unlock()
		h.leave(cl)
	}
}

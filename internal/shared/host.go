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

// Declare returns the object of that name, which it makes unless there is one of
// the same type and configuration. An empty name makes one without a name, to
// which by refers.
func (h *Host) Declare(by *Client, typ, name string, spec []byte, durable bool) (reeve.Ref, error) {
	if err := CheckName(name); err != nil {
		return reeve.Ref{}, err
	}
	if len(spec) > maxSpec {
		return reeve.Ref{}, &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "bytes of an object's configuration", Value: int64(len(spec)), Max: maxSpec}
	}
	h.mu.RLock()
	t, e := h.types[typ], h.byName[name]
	h.mu.RUnlock()
	switch {
	case t == nil || t.New == nil:
		return reeve.Ref{}, fmt.Errorf("%w: no objects of type %q can be made; the types are: %s", reeve.ErrInvalid, typ, strings.Join(h.typeNames(), ", "))
	case name != "" && e != nil:
		return e.ref, e.same(t, spec, durable)
	case name == "" && durable:
		return reeve.Ref{}, fmt.Errorf("%w: only objects with a name can be durable", reeve.ErrInvalid)
	}
	return h.make(by, t, name, slices.Clone(spec), durable)
}

func (h *Host) typeNames() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Sorted(maps.Keys(h.types))
}

// same is nil if an object was declared like this.
func (e *entry) same(t *Type, spec []byte, durable bool) error {
	switch {
	case e.typ != t:
		return fmt.Errorf("%w: %q is a %s, not a %s", reeve.ErrObjectExists, e.ref.Name, e.typ.Name, t.Name)
	case string(e.spec) != string(spec), (e.store != nil) != durable:
		return fmt.Errorf("%w: the %s %q was declared with another one", reeve.ErrObjectExists, t.Name, e.ref.Name)
	}
	return nil
}

// make makes an object and adds it, unless another was faster.
func (h *Host) make(by *Client, t *Type, name string, spec []byte, durable bool) (reeve.Ref, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.byName[name]; e != nil && name != "" {
		return e.ref, e.same(t, spec, durable)
	}
	ref, err := h.newRefLocked(name, t.Name)
	if err != nil {
		return reeve.Ref{}, err
	}
	var s *Store
	if durable {
		if s, err = h.storeLocked(); err != nil {
			return reeve.Ref{}, err
		}
	}
	o, err := t.New(&Env{Host: h, Ref: ref, Store: s}, spec)
	if err != nil {
		return reeve.Ref{}, err
	}
	if s != nil {
		s.no = h.journal.Add(t.Name, name, spec)
	}
	e := newEntry(ref, t, o)
	e.spec, e.store = spec, s
	return h.addLocked(by, e)
}

// storeLocked is the place for a durable object, which has no number yet.
func (h *Host) storeLocked() (*Store, error) {
	if h.journal == nil {
		return nil, fmt.Errorf("%w: a durable object needs one", reeve.ErrNoJournal)
	}
	return &Store{journal: h.journal}, h.journal.Room()
}

func (h *Host) newRefLocked(name, typ string) (reeve.Ref, error) {
	switch n := len(h.byID); {
	case h.closed:
		return reeve.Ref{}, reeve.ErrClosed
	case n >= h.cfg.MaxObjects:
		return reeve.Ref{}, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "shared objects", Value: int64(n) + 1, Max: int64(h.cfg.MaxObjects), Set: "Config.MaxObjects"}
	}
	h.lastID++
	ref := reeve.Ref{Name: name, Type: typ, ID: h.lastID}
	if name == "" {
		ref.Life = h.life
	}
	return ref, nil
}

// addLocked adds an object, to which by refers if it has no name.
func (h *Host) addLocked(by *Client, e *entry) (reeve.Ref, error) {
	if by != nil {
		e.owner = by.String()
	}
	e.id = e.ref.ID
	if e.ref.Name != "" {
		e.ref.ID = 0 // its name says it all
		h.byName[e.ref.Name] = e
	} else if by != nil {
		if err := by.refer(e); err != nil {
			e.object.Close(err)
			return reeve.Ref{}, err
		}
	}
	h.byID[e.id] = e
	return e.ref, nil
}

// Add adds an object that was made elsewhere. An empty name: by refers to it.
// [reeve.ErrObjectExists].
func (h *Host) Add(by *Client, t *Type, name string, o Object) (reeve.Ref, error) {
	if err := CheckName(name); err != nil {
		return reeve.Ref{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if name != "" && h.byName[name] != nil {
		return reeve.Ref{}, fmt.Errorf("%w: %q", reeve.ErrObjectExists, name)
	}
	ref, err := h.newRefLocked(name, t.Name)
	if err != nil {
		return reeve.Ref{}, err
	}
	e := newEntry(ref, t, o)
	e.own = name != ""
	return h.addLocked(by, e)
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

// Delete deletes an object: calls that wait at it end with
// [reeve.ErrNoSuchObject]. What this process shares it alone can delete
// ([reeve.ErrPermission]). told, which must not block nor call h, is called, unless
// there is an error, when that is durable, or never will be.
func (h *Host) Delete(by *Client, ref reeve.Ref, told func(error)) error {
	if strings.HasPrefix(ref.Name, "$") {
		return fmt.Errorf("%w: %q is the master's own", reeve.ErrInvalid, clip(ref.Name))
	}
	e, err := h.lookup(ref)
	if err != nil {
		return err
	}
	if e.own && by.id != (ClientID{}) {
		return fmt.Errorf("%w: %v is shared by the master's program, which alone can delete it", reeve.ErrPermission, e.ref)
	}
	if e.store != nil {
		// What takes its name is recorded after this: else a journal that ends between
		// the two has both.
		h.mu.Lock()
		h.outLocked(e)
		e.store.journal.Drop(e.store.no, told)
		h.mu.Unlock()
	}
	h.remove(e, fmt.Errorf("%w: %v was deleted", reeve.ErrNoSuchObject, e.ref))
	if e.store == nil {
		told(nil)
	}
	return nil
}

// remove takes an object out and closes it, once.
func (h *Host) remove(e *entry, cause error) {
	e.mu.Lock()
	before := e.gone
	e.gone = true
	e.mu.Unlock()
	if !before {
		h.drop(e, cause)
	}
}

// outLocked lets e be found by nobody any more.
func (h *Host) outLocked(e *entry) {
	delete(h.byID, e.id)
	if e.ref.Name != "" && h.byName[e.ref.Name] == e {
		delete(h.byName, e.ref.Name)
	}
}

// drop ends an object of which gone was set just now.
func (h *Host) drop(e *entry, cause error) {
	h.mu.Lock()
	h.outLocked(e)
	h.mu.Unlock()
	e.mu.Lock()
	refs := e.refs
	e.refs = nil
	e.mu.Unlock()
	for cl := range refs {
		cl.mu.Lock()
		delete(cl.refs, e)
		cl.mu.Unlock()
	}
	e.object.Close(cause)
}

// Release takes back that a client refers to an object without a name, which is
// deleted when nobody does any more. References to others mean nothing.
func (h *Host) Release(cl *Client, ref reeve.Ref) {
	if e, err := h.lookup(ref); err == nil && e.ref.Name == "" {
		cl.mu.Lock()
		delete(cl.refs, e)
		cl.mu.Unlock()
		h.unrefer(e, cl)
	}
}

func (h *Host) unrefer(e *entry, cl *Client) {
	e.mu.Lock()
	delete(e.refs, cl)
	last := len(e.refs) == 0 && !e.gone
	e.gone = e.gone || last
	e.mu.Unlock()
	if last {
		h.drop(e, fmt.Errorf("%w: %v: nobody refers to it", reeve.ErrNoSuchObject, e.ref))
	}
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

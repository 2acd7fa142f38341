package locking

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// election is a lock whose holder, the leader, shows a value, and which tells who
// that is.
type election struct {
	held
	version uint64 // a token, or greater than any before: which leader it is, or that there is none
	leader  uint64 // the token of the leader that was told last; 0: none
	watch   map[*shared.Call]struct{}
}

var electionMethods = []reeve.MethodInfo{
	{Name: "campaign", Signature: "campaign(owners, try, wait, value) (token, grace, notified)"},
	{Name: "undo", Signature: "undo(owner, try)"},
	{Name: "resign", Signature: "resign(owner, token, left)"},
	{Name: "holds", Signature: "holds(owner, token) bool"},
	{Name: "leader", Signature: "leader(after) (version, token, value, owner, host, pid, since)", Reads: true},
}

// maxValue bounds what a leader shows.
const maxValue = 64 << 10

func (sp *space) newElection(env *shared.Env, spec []byte) (shared.Object, error) {
	var cfg lockSpec
	if err := configure(spec, &cfg); err != nil {
		return nil, err
	}
	if err := checkGrace(cfg.Grace); err != nil {
		return nil, err
	}
	e := &election{watch: map[*shared.Call]struct{}{}}
	e.gate = sp.newGate(env, e, cfg.Grace, 1)
	e.gate.changed = e.tell
	sp.mu.Lock()
	defer sp.mu.Unlock()
	e.version = sp.next()
	return e, nil
}

func (e *election) Call(c *shared.Call) {
	if err := e.call(c); err != nil {
		c.Fail(err)
	}
}

func (e *election) call(c *shared.Call) error {
	switch c.Method {
	case "campaign":
		return e.campaign(c)
	case "leader":
		return e.observe(c)
	}
	return e.gate.callHeld(c, "resign")
}

func (e *election) campaign(c *shared.Call) error {
	var a acquireArgs[string]
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	if len(a.With) > maxValue {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a leader's value", Value: int64(len(a.With)), Max: maxValue}
	}
	w, err := e.gate.waiter(c, a.Owners, a.Try)
	if err != nil {
		return err
	}
	w.value = a.With
	e.gate.sp.mu.Lock()
	defer e.gate.sp.mu.Unlock()
	if h := e.gate.of(w.owner); h != nil && h.try != w.try {
		return &reeve.DeadlockError{Cycle: []string{fmt.Sprintf("%s led by %v", e.gate.name, w.owner)}}
	}
	return e.gate.acquire(w, a.Wait)
}

// observe answers when there is another leader, or none, than at version after.
func (e *election) observe(c *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		After uint64
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	e.gate.sp.mu.Lock()
	defer e.gate.sp.mu.Unlock()
	switch {
	case e.gate.closed != nil:
		return e.gate.closed
	case a.After != e.version:
		c.Return(e.now())
	default:
		e.watch[c] = struct{}{}
		c.Park(func(error) {
			e.gate.sp.mu.Lock()
			defer e.gate.sp.mu.Unlock()
			delete(e.watch, c)
		})
	}
	return nil
}

// now is who leads. space.mu is held.
func (e *election) now() []byte {
	var a struct {
		_       struct{} `cbor:",toarray"`
		Version uint64
		Token   uint64
		Value   string
		Owner   string
		Host    string
		PID     uint64
		Since   time.Time
	}
	a.Version = e.version
	for _, h := range e.gate.holds {
		who := h.owner.client.Who()
		a.Token, a.Value, a.Since = h.token, h.value, h.since
		a.Owner, a.Host, a.PID = who.Name, who.Host, who.PID
	}
	return encode(a)
}

// tell tells those who wait for it that somebody else leads, or nobody. space.mu
// is held.
func (e *election) tell() {
	var leader uint64
	for _, h := range e.gate.holds {
		leader = h.token
	}
	if cause := e.gate.closed; cause != nil {
		for c := range e.watch {
			c.Fail(cause)
		}
		clear(e.watch)
		return
	}
	if leader == e.leader {
		return
	}
	e.leader, e.version = leader, e.gate.sp.next()
	now := e.now()
	for c := range e.watch {
		c.Return(now)
	}
	clear(e.watch)
}

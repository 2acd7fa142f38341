package locking

import (
	"cmp"
	"container/list"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// gate has places, those who hold some of them and those who wait for some, in the
// order in which they came. A lock is a gate of one place; of a lock for readers
// and writers a writer takes all places. All methods want space.mu held.
type gate struct {
	sp     *space
	object shared.Object // the one that clients know; told of lost connections
	name   string        // for people: the type and the name
	away   *absences

	reentrant bool // its holder may have it again
	readers   bool // holds may be such for reading, beside each other
	tracked   bool // waiting here can be a deadlock

	free    int
	holds   []*hold    // by token
	queue   *list.List // of *waiter
	conds   map[*condition]struct{}
	changed func() // after each step that may have changed the holds; may be nil
	closed  error
}

// hold is what an owner has of a gate.
type hold struct {
	owner  owner
	first  uint64 // the token before its owner waited at a condition
	token  uint64
	try    uint64 // of the call that made it, or was the last to acquire it again
	places int
	count  int // how often it was acquired
	read   bool
	value  string
	since  time.Time

	notified bool // it was taken again because of a notify
	away     bool // its client was lost and has not claimed it since
}

// waiter is a call that waits for places, or is about to get them.
type waiter struct {
	gate   *gate
	call   *shared.Call
	owner  owner
	above  []owner // those who wait with it
	try    uint64
	places int
	read   bool
	value  string

	of    *wait // that of a condition which takes its lock again; or nil
	place *list.Element
}

func (sp *space) newGate(env *shared.Env, object shared.Object, grace time.Duration, places int) *gate {
	g := &gate{
		sp: sp, object: object, name: env.Ref.Type + " " + env.Ref.String(),
		free: places, queue: list.New(), conds: map[*condition]struct{}{},
	}
	g.away = newAbsences(sp, grace, g.forgo)
	return g
}

// waiter checks who wants places.
func (g *gate) waiter(c *shared.Call, ids []uint64, try uint64) (*waiter, error) {
	o, above, err := owners(c, ids)
	if err != nil {
		return nil, err
	}
	return &waiter{gate: g, call: c, owner: o, above: above, try: try, places: 1}, nil
}

// acquire gives w its places, or lets it wait for them.
func (g *gate) acquire(w *waiter, wait bool) error {
	if g.closed != nil {
		return g.closed
	}
	if h := g.again(w); h != nil {
		h.away = false
		w.call.Return(g.answer(h))
		return nil
	}
	if g.reentrant { // it has one hold at most
		if h := g.of(w.owner); h != nil {
			g.reenter(h, w)
			return nil
		}
	}
	if g.fits(w) {
		g.grant(w)
		g.told()
		return nil
	}
	if !wait {
		return g.taken()
	}
	if err := g.enqueue(w); err != nil {
		return err
	}
	w.call.Park(func(error) {
		g.sp.mu.Lock()
		defer g.sp.mu.Unlock()
		g.leave(w)
	})
	return nil
}

// again is the hold that an earlier making of the same call made, before its
// connection was lost.
func (g *gate) again(w *waiter) *hold {
	if !g.away.has(w.owner.client) {
		return nil
	}
	for _, h := range g.holds {
		if h.owner == w.owner && h.try == w.try {
			return h
		}
	}
	return nil
}

// maxCount bounds how often a hold is acquired, and the places of a semaphore.
const maxCount = 1 << 28

// reenter lets the holder of a re-entrant lock have it once more.
func (g *gate) reenter(h *hold, w *waiter) {
	if h.count >= maxCount {
		w.call.Fail(&reeve.LimitError{Kind: reeve.ErrLimit, Limit: "times that a lock is acquired", Value: maxCount + 1, Max: maxCount})
		return
	}
	h.away = false
	if w.call.Return(g.answer(h)) {
		h.count++
		h.try = w.try
	}
}

// fits reports whether w can have its places now.
func (g *gate) fits(w *waiter) bool { return g.queue.Len() == 0 && g.free >= w.places }

// taken is why there is no place for one who does not want to wait.
func (g *gate) taken() error {
	if len(g.holds) == 0 {
		return fmt.Errorf("%w: %s", reeve.ErrLocked, g.name)
	}
	return fmt.Errorf("%w: %s, by %v", reeve.ErrLocked, g.name, g.holds[0].owner)
}

// grant makes w's hold, unless its caller has given up.
func (g *gate) grant(w *waiter) {
	h := &hold{
		owner: w.owner, token: g.sp.next(), try: w.try, places: w.places, count: 1,
		read: w.read, value: w.value, since: time.Now(),
	}
	h.first = h.token
	if w.of != nil {
		h.first, h.count, h.notified = w.of.first, w.of.count, w.of.notified
	}
	g.take(h)
	ok := w.call.Return(g.answer(h))
	if !ok {
		g.drop(h)
	}
	if w.of != nil {
		w.of.retaken(ok)
	}
}

func (g *gate) answer(h *hold) []byte {
	return encode(granted{Token: h.token, Grace: g.away.grace, Notified: h.notified})
}

// take adds a hold.
func (g *gate) take(h *hold) {
	h.owner.client.Mind(g.object)
	g.free -= h.places
	g.holds = append(g.holds, h)
	if g.tracked {
		g.sp.standing(h.owner).holds++
	}
}

// drop takes a hold out. Who waits gets nothing yet: see advance.
func (g *gate) drop(h *hold) {
	i, ok := slices.BinarySearchFunc(g.holds, h.token, func(h *hold, token uint64) int { return cmp.Compare(h.token, token) })
	if !ok || g.holds[i] != h {
		return
	}
	g.holds = slices.Delete(g.holds, i, i+1)
	g.free += h.places
	h.owner.client.Forget(g.object)
	if g.tracked {
		g.sp.standing(h.owner).holds--
		g.sp.rest(h.owner)
	}
}

// enqueue lets w wait, unless that would be a deadlock.
func (g *gate) enqueue(w *waiter) error {
	if err := g.sp.deadlock(w); err != nil {
		return err
	}
	w.place = g.queue.PushBack(w)
	g.sp.waits(w)
	return nil
}

// leave takes w out of the queue if it is still there, and serves those who waited
// behind it.
func (g *gate) leave(w *waiter) {
	if g.remove(w) {
		g.advance()
	}
}

func (g *gate) remove(w *waiter) bool {
	if w.place == nil {
		return false
	}
	g.queue.Remove(w.place)
	w.place = nil
	g.sp.waitsNot(w)
	return true
}

// advance gives what is free to those who wait.
func (g *gate) advance() {
	for e := g.queue.Front(); e != nil; e = g.queue.Front() {
		w := e.Value.(*waiter)
		if g.free < w.places {
			break
		}
		g.remove(w)
		g.grant(w)
	}
	g.told()
}

func (g *gate) told() {
	if g.changed != nil {
		g.changed()
	}
}

// of is the first hold of o; nil: it has none.
func (g *gate) of(o owner) *hold {
	for _, h := range g.holds {
		if h.owner == o {
			return h
		}
	}
	return nil
}

// find returns the hold of o with that token; 0: any. [reeve.ErrNotLocked],
// [reeve.ErrNotOwner].
func (g *gate) find(o owner, token uint64) (*hold, error) {
	if g.closed != nil {
		return nil, g.closed
	}
	if token != 0 {
		i, ok := slices.BinarySearchFunc(g.holds, token, func(h *hold, token uint64) int { return cmp.Compare(h.token, token) })
		if ok && g.holds[i].owner == o {
			return g.holds[i], nil
		}
	}
	for _, h := range g.holds {
		if h.owner == o && (token == 0 || h.first <= token && token <= h.token) {
			return h, nil
		}
	}
	if len(g.holds) == 0 {
		return nil, fmt.Errorf("%w: %s", reeve.ErrNotLocked, g.name)
	}
	return nil, fmt.Errorf("%w: %s, by %v", reeve.ErrNotOwner, g.name, g.holds[0].owner)
}

// release leaves a hold with no more than left of the times it was acquired, or,
// below 0, with one less. With none it ends.
func (g *gate) release(o owner, token uint64, left int) error {
	h, err := g.find(o, token)
	if err != nil {
		return err
	}
	if left < 0 {
		left = h.count - 1
	}
	if h.count = min(h.count, left); h.count == 0 {
		g.drop(h)
		g.advance()
	}
	return nil
}

// undo takes back what the attempt try of o acquired, if it did: its caller has
// given up and does not know.
func (g *gate) undo(o owner, try uint64) {
	for _, h := range g.holds {
		if h.owner != o || h.try != try {
			continue
		}
		if h.try = 0; h.count > 1 {
			h.count--
			return
		}
		g.drop(h)
		g.advance()
		return
	}
}

// holding reports whether o still has a hold, and notes that its client is back.
func (g *gate) holding(o owner, token uint64) bool {
	h, err := g.find(o, token)
	if err != nil {
		return false
	}
	h.away = false
	return true
}

// lost ends, or notes, the holds of a client whose connection was lost.
func (g *gate) lost(cl *shared.Client) {
	g.mark(cl)
	g.away.begin(cl)
}

func (g *gate) mark(cl *shared.Client) {
	for _, h := range g.holds {
		h.away = h.away || h.owner.client == cl
	}
}

// forgo ends the holds of a client that has not claimed them.
func (g *gate) forgo(cl *shared.Client) {
	for _, h := range slices.Clone(g.holds) {
		if h.owner.client == cl && h.away {
			g.drop(h)
		}
	}
	g.advance()
}

// gone ends all holds of a client.
func (g *gate) gone(cl *shared.Client) {
	g.mark(cl)
	g.away.end(cl)
	g.forgo(cl)
}

// close ends all that is held or waits.
func (g *gate) close(cause error) {
	g.closed = cause
	g.away.close()
	for _, h := range slices.Clone(g.holds) {
		g.drop(h)
	}
	for e := g.queue.Front(); e != nil; e = g.queue.Front() {
		w := e.Value.(*waiter)
		g.remove(w)
		w.call.Fail(cause)
	}
	for c := range g.conds {
		c.endAll(cause)
	}
	g.told()
}

// list tells who holds g.
func (g *gate) list() []reeve.HoldInfo {
	var list []reeve.HoldInfo
	for _, h := range g.holds {
		info := reeve.HoldInfo{Token: h.token, Since: h.since, Waiters: g.queue.Len()}
		switch {
		case !g.readers:
		case h.read:
			info.Mode = "read"
		default:
			info.Mode = "write"
		}
		list = append(list, h.owner.client.Hold(info))
	}
	return list
}

// describe is g's state in a few words.
func (g *gate) describe() string {
	var s string
	switch n := len(g.holds); n {
	case 0:
		return "free"
	case 1:
		s = "held by " + g.holds[0].owner.client.String()
	default:
		s = fmt.Sprintf("%d holds", n)
	}
	if n := g.queue.Len(); n > 0 {
		s += fmt.Sprintf(", %d wait", n)
	}
	return s
}

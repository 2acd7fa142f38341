package queue

import (
	"math/bits"

	"github.com/reeveq/reeve"
)

// class tells lanes of one type and the same labels apart.
type class uint8

const (
	high    class = 1 << iota // of a priority for which slots are reserved
	suspect                   // handed over one at a time per holder
	classes = 4
)

// laneKey names a lane of a kind.
type laneKey struct {
	labels string
	class  class
}

// lane is a line of ready tasks that the same takers can take: those of one
// type that ask for the same labels. Its tasks stand in levels by priority,
// which are a heap by their heads.
type lane struct {
	kind   *kind
	key    laneKey
	labels []string
	n      int // tasks

	levels     []*level
	byPriority map[int32]*level // when there are many
	peak       int              // the most there were in that map
	spare      *level           // an empty one, to be used again

	seats []*seat // its places with those who can take its tasks
}

// level is the tasks of one priority in a lane; the head is next.
type level struct {
	lane     *lane
	priority int32
	at       int // its place in the lane's heap
	tasks    taskList
}

// fewLevels is up to how many levels are looked through one by one.
const fewLevels = 8

// head is the lane's next task. The lane is not empty.
func (l *lane) head() *task { return l.levels[0].tasks.head }

// before reports whether a is handed over before b.
func (q *Queue) before(a, b *task) bool {
	switch {
	case q.cfg.Ageing > 0:
		return q.older(a, b)
	case a.priority == b.priority:
		return a.order < b.order
	}
	return a.priority > b.priority
}

// older is before with ageing, where a task counts for priority +
// waited/Ageing. The difference of two does not change with time, so it is
// compared without a clock: (a.priority - b.priority) × Ageing against how much
// longer b has waited. It is so within a priority, too: the tasks would have no
// one order otherwise.
func (q *Queue) older(a, b *task) bool {
	waited := a.readyAt - b.readyAt
	switch {
	case a.priority < b.priority:
		return !q.older(b, a)
	case a.priority > b.priority:
		gap, lead := bits.Mul64(uint64(int64(a.priority)-int64(b.priority)), uint64(q.cfg.Ageing))
		return gap > 0 || waited <= 0 || lead >= uint64(waited)
	case waited != 0:
		return waited < 0
	}
	return a.order < b.order
}

// laneOf returns the lane for t, which becomes ready.
func (q *Queue) laneOf(t *task) *lane {
	var c class
	if q.cfg.Reserve.Slots > 0 && t.priority >= q.cfg.Reserve.Priority {
		c |= high
	}
	if t.suspect() {
		c |= suspect
	}
	k := t.kind
	if t.extra == nil || t.extra.labels == nil {
		l := k.plain[c]
		if l == nil {
			l = q.newLane(k, laneKey{class: c}, nil)
			k.plain[c] = l
		}
		return l
	}
	key := laneKey{t.extra.labels.key, c}
	l := k.labelled[key]
	if l == nil {
		l = q.newLane(k, key, t.extra.labels.names)
		if k.labelled == nil {
			k.labelled = map[laneKey]*lane{}
		}
		k.labelled[key] = l
	}
	return l
}

func (q *Queue) newLane(k *kind, key laneKey, labels []string) *lane {
	l := &lane{kind: k, key: key, labels: labels}
	q.lanes[l] = struct{}{}
	for _, p := range q.profiles {
		p.introduce(l)
	}
	return l
}

// dropLane forgets l, which has no tasks.
func (q *Queue) dropLane(l *lane) {
	for _, s := range l.seats {
		s.profile.forget(s)
	}
	l.seats = nil
	q.peakLanes = max(q.peakLanes, len(q.lanes))
	delete(q.lanes, l)
	q.lanes = shrunk(q.lanes, &q.peakLanes)
	if k := l.kind; l.labels != nil {
		k.peak = max(k.peak, len(k.labelled))
		delete(k.labelled, l.key)
		k.labelled = shrunk(k.labelled, &k.peak)
	} else {
		k.plain[l.key.class] = nil
	}
}

// level returns the level for a priority, made if need be: an empty one stands
// at the end of the heap until add has put it in its place.
func (l *lane) level(priority int32) *level {
	if l.byPriority != nil {
		if v := l.byPriority[priority]; v != nil {
			return v
		}
	} else {
		for _, v := range l.levels {
			if v.priority == priority {
				return v
			}
		}
	}
	v := l.spare
	if l.spare = nil; v == nil {
		v = &level{lane: l}
	}
	v.priority, v.at = priority, len(l.levels)
	l.levels = append(l.levels, v)
	switch {
	case l.byPriority != nil:
		l.byPriority[priority] = v
	case len(l.levels) > fewLevels:
		l.byPriority = make(map[int32]*level, 2*fewLevels)
		for _, v := range l.levels {
			l.byPriority[v.priority] = v
		}
	}
	return v
}

// enter puts t into its lane: in front of its level or at its end.
func (q *Queue) enter(t *task, front bool) {
	l := q.laneOf(t)
	v := l.level(t.priority)
	was := v.tasks.head
	switch {
	case !front:
		t.order = q.nextOrder()
		v.tasks.pushBack(t)
	default:
		q.firstOrder--
		t.order = q.firstOrder
		if q.cfg.LIFO || l.key.class&suspect != 0 {
			// The last that comes back is the next to go; of suspects the one
			// that waits longest is.
			if q.cfg.LIFO {
				v.tasks.pushFirst(t)
			} else {
				v.tasks.pushBack(t)
			}
		} else {
			v.tasks.pushFront(t)
			if t.prev != nil {
				t.order = t.prev.order
			}
		}
	}
	q.entered(t, v, was)
}

// entered notes that t is in v, of which was is who was first before.
func (q *Queue) entered(t *task, v *level, was *task) {
	t.level = v
	v.lane.n++
	q.offered++
	if v.tasks.head != was {
		q.levelMoved(v)
	}
}

// nextOrder is behind all that was given out before, here or by a master before
// this one: it goes with the ids.
func (q *Queue) nextOrder() int64 {
	q.lastOrder = max(q.lastOrder+1, int64(q.engine.newestID()))
	return q.lastOrder
}

// idleLanes is from how many lanes for labels on a kind keeps none without
// tasks.
const idleLanes = 64

// exit takes t out of its lane.
func (q *Queue) exit(t *task) {
	v := t.level
	l := v.lane
	was := v.tasks.head
	v.tasks.remove(t)
	t.level = nil
	l.n--
	q.offered--
	if was != t {
		return
	}
	keep := l.labels == nil || len(l.kind.labelled) <= idleLanes
	if v.tasks.head != nil || l.n == 0 && keep && len(l.levels) == 1 {
		// The only level of a lane that will soon have tasks again is kept.
		q.levelMoved(v)
		return
	}
	q.dropLevel(v)
	if l.n == 0 && !keep {
		q.dropLane(l)
	}
}

// dropLevel takes an empty level out of its lane.
func (q *Queue) dropLevel(v *level) {
	l := v.lane
	last := len(l.levels) - 1
	moved := l.levels[last]
	l.levels[last] = nil
	l.levels = trimmed(l.levels[:last])
	if l.byPriority != nil {
		l.peak = max(l.peak, len(l.byPriority))
		delete(l.byPriority, v.priority)
		l.byPriority = shrunk(l.byPriority, &l.peak)
		if last <= fewLevels/2 {
			l.byPriority, l.peak = nil, 0
		}
	}
	l.spare = v
	if moved != v {
		moved.at = v.at
		l.levels[v.at] = moved
		q.fixLevel(moved)
	}
	q.seatLane(l)
}

// levelMoved puts v, whose head is another one now, and its lane in their
// places.
func (q *Queue) levelMoved(v *level) {
	l := v.lane
	if len(l.levels) > 1 {
		if v.tasks.head != nil {
			q.fixLevel(v)
		}
		// A level that a put found empty was kept for it: it is the only one.
	}
	q.seatLane(l)
}

// fixLevel restores the heap's order around v.
func (q *Queue) fixLevel(v *level) {
	h := v.lane.levels
	less := func(a, b *level) bool {
		switch {
		case a.tasks.head == nil:
			return false
		case b.tasks.head == nil:
			return true
		}
		return q.before(a.tasks.head, b.tasks.head)
	}
	i := v.at
	for i > 0 {
		up := (i - 1) / 2
		if !less(v, h[up]) {
			break
		}
		h[i] = h[up]
		h[i].at = i
		i = up
	}
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && less(h[c+1], h[c]) {
			c++
		}
		if !less(h[c], v) {
			break
		}
		h[i] = h[c]
		h[i].at = i
		i = c
	}
	h[i], v.at = v, i
}

// suits reports whether a taker with these wishes can take the lane's tasks.
func (l *lane) suits(o *reeve.GetOptions, types map[string]struct{}) bool {
	if o.Types != nil {
		if _, ok := types[l.kind.name]; !ok {
			return false
		}
	}
	return hasAll(o.Labels, l.labels)
}

// hasAll reports whether have has all of want. Both are short.
func hasAll(have, want []string) bool {
next:
	for _, w := range want {
		for _, h := range have {
			if h == w {
				continue next
			}
		}
		return false
	}
	return true
}

package queue

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// profile is what takers that are alike want, with these takers and with the
// lanes that suit them.
type profile struct {
	name  string
	want  reeve.GetOptions
	types map[string]struct{} // of want
	users int                 // consumers and waiting Gets

	takers takers
	seats  [classes][]*seat // heaps by the lanes' heads; lanes that have a task to give
	filled int              // of all of these
	at     int              // among those that are able, plus one; 0: not one of them
}

// changed notes whether p has takers and tasks for them: only such profiles
// are looked at when tasks are handed over.
func (q *Queue) changed(p *profile) {
	able := p.takers.head != nil && p.filled > 0
	switch {
	case able == (p.at > 0):
	case able:
		q.able = append(q.able, p)
		p.at = len(q.able)
	default:
		last := len(q.able) - 1
		moved := q.able[last]
		q.able[p.at-1], moved.at = moved, p.at
		q.able[last] = nil
		q.able = q.able[:last]
		p.at = 0
	}
}

// seat is the place of a lane in a profile.
type seat struct {
	lane    *lane
	profile *profile
	at      int // in the heap; -1: not in it
}

// profileOf returns the profile for want, and counts a user of it.
func (q *Queue) profileOf(want *reeve.GetOptions) *profile {
	name := ""
	if want.Types != nil || len(want.Labels) > 0 {
		name = profileName(want)
	}
	for _, p := range q.profiles {
		if p.name == name {
			p.users++
			return p
		}
	}
	p := &profile{name: name, want: *want, users: 1}
	if want.Types != nil {
		p.types = make(map[string]struct{}, len(want.Types))
		for _, t := range want.Types {
			p.types[t] = struct{}{}
		}
	}
	q.profiles = append(q.profiles, p)
	for l := range q.lanesFor(p) {
		p.introduce(l)
		q.seatLane(l)
	}
	return p
}

// lanesFor are all lanes that may suit p.
func (q *Queue) lanesFor(p *profile) iter.Seq[*lane] {
	if p.types == nil {
		return maps.Keys(q.lanes)
	}
	return func(yield func(*lane) bool) {
		for typ := range p.types {
			k := q.kinds[typ]
			if k == nil {
				continue
			}
			for _, l := range k.plain {
				if l != nil && !yield(l) {
					return
				}
			}
			for _, l := range k.labelled {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// profileName is the same for the same wishes, in whatever order they are told.
func profileName(want *reeve.GetOptions) string {
	labels := joined(sorted(want.Labels))
	if want.Types == nil {
		return "*" + labels
	}
	types := joined(sorted(want.Types))
	return fmt.Sprintf("%d:%s%s", len(types), types, labels)
}

// sorted is a copy of list, sorted and each only once.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// joined is one string for a list of types or of labels, and for no other one:
// each has its length before it, which is a byte.
func joined(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteByte(byte(len(s)))
		b.WriteString(s)
	}
	return b.String()
}

// idleProfiles is how many profiles without users a queue keeps besides the one
// that wants everything: who gets tasks again and again wants the same.
const idleProfiles = 4

// leaveProfile counts one user less, and forgets the profile that was without
// any for longest, if there are too many of these.
func (q *Queue) leaveProfile(p *profile) {
	if p.users--; p.users > 0 || p.name == "" {
		return
	}
	// Those without users stand in the order in which they lost the last one.
	at := slices.Index(q.profiles, p)
	q.profiles = slices.Delete(q.profiles, at, at+1)
	idle := 0
	for _, o := range q.profiles[1:] {
		if o.users == 0 {
			idle++
		}
	}
	q.profiles = append(q.profiles, p)
	if idle < idleProfiles {
		return
	}
	at = 1 + slices.IndexFunc(q.profiles[1:], func(o *profile) bool { return o.users == 0 })
	q.dropProfile(at)
}

// dropProfile forgets the profile at at, which has no users.
func (q *Queue) dropProfile(at int) {
	p := q.profiles[at]
	for l := range q.lanesFor(p) {
		l.seats = slices.DeleteFunc(l.seats, func(s *seat) bool { return s.profile == p })
	}
	q.profiles = slices.Delete(q.profiles, at, at+1)
}

// introduce makes l known to p, if it suits.
func (p *profile) introduce(l *lane) {
	if l.suits(&p.want, p.types) {
		l.seats = append(l.seats, &seat{lane: l, profile: p, at: -1})
	}
}

// forget takes s out of its profile.
func (p *profile) forget(s *seat) {
	if s.at >= 0 {
		p.remove(s)
	}
}

// seatLane puts l where it belongs in the heaps of all its profiles.
func (q *Queue) seatLane(l *lane) {
	gives := l.n > 0 && !l.kind.blocked
	for _, s := range l.seats {
		switch {
		case gives && s.at < 0:
			h := &s.profile.seats[l.key.class]
			s.at = len(*h)
			*h = append(*h, s)
			q.fixSeat(s)
			s.profile.filled++
			q.changed(s.profile)
		case gives:
			q.fixSeat(s)
		case s.at >= 0:
			moved := s.profile.remove(s)
			if moved != nil {
				q.fixSeat(moved)
			}
			q.changed(s.profile)
		}
	}
}

// remove takes s out of the heap and returns the one in its place, which is to
// be fixed.
func (p *profile) remove(s *seat) (moved *seat) {
	h := p.seats[s.lane.key.class]
	last := len(h) - 1
	moved = h[last]
	h[last] = nil
	h = trimmed(h[:last])
	p.seats[s.lane.key.class] = h
	at := s.at
	s.at = -1
	p.filled--
	if moved == s {
		return nil
	}
	h[at], moved.at = moved, at
	return moved
}

// fixSeat restores the heap's order around s.
func (q *Queue) fixSeat(s *seat) {
	h := s.profile.seats[s.lane.key.class]
	if len(h) < 2 {
		return
	}
	i, head := s.at, s.lane.head()
	for i > 0 {
		up := (i - 1) / 2
		if !q.before(head, h[up].lane.head()) {
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
		if c+1 < len(h) && q.before(h[c+1].lane.head(), h[c].lane.head()) {
			c++
		}
		if !q.before(h[c].lane.head(), head) {
			break
		}
		h[i] = h[c]
		h[i].at = i
		i = c
	}
	h[i], s.at = s, i
}

// best is the next task of p's lanes: of suspects, or of others. low: not only
// those of high priority. nil: none.
func (q *Queue) best(p *profile, suspects class, low bool) *task {
	var best *task
	if h := p.seats[high|suspects]; len(h) > 0 {
		best = h[0].lane.head()
	}
	if h := p.seats[suspects]; low && len(h) > 0 {
		if t := h[0].lane.head(); best == nil || q.before(t, best) {
			best = t
		}
	}
	return best
}

package queue

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// matcher is a filter that was checked and made ready to be asked for one task
// after another.
type matcher struct {
	ids    []reeve.ID // sorted; nil: any
	states uint16     // bit s: state s is meant
	types  []string   // sorted; nil: any
	key    string     // empty: any; so the two below
	unique string
	text   string
	before int64 // Unix nanoseconds
}

// traits is what a matcher looks at of a task.
type traits struct {
	id          reeve.ID
	state       reeve.State
	typ         string
	key, unique string
	err, reason string // of which either may have the text that is looked for
	putAt       int64  // Unix nanoseconds
}

// newMatcher makes the matcher of f; nil: one that means every task. Where f
// names no states, those of unnamed are meant; without any, all. What is out of
// range is [reeve.ErrInvalid] or a [*reeve.LimitError] that matches
// [reeve.ErrTooLarge].
func newMatcher(f *reeve.Filter, unnamed ...reeve.State) (*matcher, error) {
	if f == nil {
		f = &reeve.Filter{}
	}
	if err := checkFilter(f); err != nil {
		return nil, err
	}
	m := &matcher{key: f.Key, unique: f.Unique, text: f.Error, before: unixNano(f.Before)}
	if len(f.IDs) > 0 {
		m.ids = slices.Clone(f.IDs)
		slices.Sort(m.ids)
		m.ids = slices.Compact(m.ids)
	}
	if len(f.Types) > 0 {
		m.types = slices.Clone(f.Types)
		slices.Sort(m.types)
	}
	states := f.States
	if len(states) == 0 {
		states = unnamed
	}
	for _, s := range states {
		m.states |= 1 << s
	}
	if m.states == 0 {
		m.states = math.MaxUint16
	}
	return m, nil
}

func checkFilter(f *reeve.Filter) error {
	for _, n := range []struct {
		limit      string
		value, max int
	}{
		{"ids of a filter", len(f.IDs), reeve.MaxBatch},
		{"types of a filter", len(f.Types), reeve.MaxTypes},
		{"bytes of a filter's key", len(f.Key), reeve.MaxKey},
		{"bytes of a filter's unique key", len(f.Unique), reeve.MaxKey},
		{"bytes of a filter's error text", len(f.Error), reeve.MaxErrorText},
	} {
		if n.value > n.max {
			return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: n.limit, Value: int64(n.value), Max: int64(n.max)}
		}
	}
	for _, s := range f.States {
		if s < reeve.StateReady || s > reeve.StateDead {
			return fmt.Errorf("%w: a filter for state %v, want ready, delayed, leased or dead", reeve.ErrInvalid, s)
		}
	}
	return nil
}

// unixNano is t in Unix nanoseconds, or the nearest that there are; the zero
// time, which bounds nothing, is the latest.
func unixNano(t time.Time) int64 {
	switch y := t.Year(); {
	case t.IsZero() || y > 2260:
		return math.MaxInt64
	case y < 1700:
		return math.MinInt64
	}
	return t.UnixNano()
}

// without leaves out the tasks in state s.
func (m *matcher) without(s reeve.State) { m.states &^= 1 << s }

// means reports whether tasks in state s may match.
func (m *matcher) means(s reeve.State) bool { return m.states&(1<<s) != 0 }

// match reports whether a task with these traits is meant.
func (m *matcher) match(t *traits) bool {
	if !m.means(t.state) || t.putAt >= m.before && m.before != math.MaxInt64 ||
		m.key != "" && m.key != t.key || m.unique != "" && m.unique != t.unique {
		return false
	}
	if m.ids != nil {
		if _, ok := slices.BinarySearch(m.ids, t.id); !ok {
			return false
		}
	}
	if m.types != nil {
		if _, ok := slices.BinarySearch(m.types, t.typ); !ok {
			return false
		}
	}
	return m.text == "" || strings.Contains(t.err, m.text) || strings.Contains(t.reason, m.text)
}

// after returns the ids that are meant and come after id, sorted, and whether
// the filter names any: if so, only these need to be looked at.
func (m *matcher) after(id reeve.ID) (ids []reeve.ID, named bool) {
	i, found := slices.BinarySearch(m.ids, id)
	if found {
		i++
	}
	return m.ids[i:], m.ids != nil
}

package queue

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestMatcher_MeansTasksForWhichEveryFieldHolds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	x := traits{
		id: 7, state: reeve.StateDead, typ: "mail", key: "k", unique: "u",
		err: "dial: refused", reason: "5 attempts failed", putAt: at.UnixNano(),
	}
	for name, c := range map[string]struct {
		f    *reeve.Filter
		want bool
	}{
		"no filter":         {nil, true},
		"empty filter":      {&reeve.Filter{}, true},
		"id":                {&reeve.Filter{IDs: []reeve.ID{9, 7, 3, 7}}, true},
		"other id":          {&reeve.Filter{IDs: []reeve.ID{9, 3}}, false},
		"state":             {&reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateDead}}, true},
		"other state":       {&reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateLeased}}, false},
		"type":              {&reeve.Filter{Types: []string{"zip", "mail", ""}}, true},
		"other type":        {&reeve.Filter{Types: []string{"zip", "mai", "mailer"}}, false},
		"the empty type":    {&reeve.Filter{Types: []string{""}}, false},
		"key":               {&reeve.Filter{Key: "k"}, true},
		"other key":         {&reeve.Filter{Key: "u"}, false},
		"unique":            {&reeve.Filter{Unique: "u"}, true},
		"other unique":      {&reeve.Filter{Unique: "k"}, false},
		"error":             {&reeve.Filter{Error: "refused"}, true},
		"reason":            {&reeve.Filter{Error: "attempts"}, true},
		"other error":       {&reeve.Filter{Error: "refused5"}, false},
		"later":             {&reeve.Filter{Before: at.Add(1)}, true},
		"then":              {&reeve.Filter{Before: at}, false},
		"far future":        {&reeve.Filter{Before: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, true},
		"far past":          {&reeve.Filter{Before: time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
		"all at once":       {&reeve.Filter{IDs: []reeve.ID{7}, States: []reeve.State{reeve.StateDead}, Types: []string{"mail"}, Key: "k", Unique: "u", Error: "dial", Before: at.Add(time.Hour)}, true},
		"all but one field": {&reeve.Filter{IDs: []reeve.ID{7}, States: []reeve.State{reeve.StateDead}, Types: []string{"mail"}, Key: "k", Unique: "", Error: "dial ", Before: at.Add(time.Hour)}, false},
	} {
		m, err := newMatcher(c.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := m.match(&x); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	m, err := newMatcher(&reeve.Filter{Types: []string{""}})
	if err != nil || !m.match(&traits{state: reeve.StateReady}) {
		t.Error("a task without a type is not found by it")
	}
}

func TestMatcher_StatesThatAreNotNamed(t *testing.T) {
	t.Parallel()
	all := []reeve.State{reeve.StateReady, reeve.StateDelayed, reeve.StateLeased, reeve.StateDead}
	means := func(m *matcher) []reeve.State {
		var list []reeve.State
		for _, s := range all {
			if m.match(&traits{state: s}) != m.means(s) {
				t.Errorf("%v is meant and does not match, or the other way round", s)
			}
			if m.means(s) {
				list = append(list, s)
			}
		}
		return list
	}
	any, err := newMatcher(nil)
	if err != nil || !slices.Equal(means(any), all) {
		t.Errorf("without states: %v, %v", means(any), err)
	}
	some, err := newMatcher(&reeve.Filter{}, reeve.StateDead)
	if err != nil || !slices.Equal(means(some), all[3:]) {
		t.Errorf("with dead for none: %v, %v", means(some), err)
	}
	named, err := newMatcher(&reeve.Filter{States: all[1:3]}, reeve.StateDead)
	if err != nil || !slices.Equal(means(named), all[1:3]) {
		t.Errorf("named: %v, %v", means(named), err)
	}
	if named.without(reeve.StateLeased); !slices.Equal(means(named), all[1:2]) {
		t.Errorf("without leased: %v", means(named))
	}
	if named.without(reeve.StateDelayed); means(named) != nil {
		t.Errorf("without any: %v", means(named))
	}
}

func TestMatcher_IDsAfterOne(t *testing.T) {
	t.Parallel()
	m, err := newMatcher(&reeve.Filter{IDs: []reeve.ID{9, 2, 5, 9, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[reeve.ID][]reeve.ID{0: {2, 5, 9}, 1: {2, 5, 9}, 2: {5, 9}, 5: {9}, 9: {}, math.MaxUint64: {}} {
		if ids, named := m.after(after); !named || !slices.Equal(ids, want) {
			t.Errorf("after %d: %v %v, want %v", after, ids, named, want)
		}
	}
	any, err := newMatcher(nil)
	if ids, named := any.after(3); err != nil || named || len(ids) > 0 {
		t.Errorf("a filter without ids names %v", ids)
	}
}

func TestMatcher_RefusesWhatIsOutOfRange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    reeve.Filter
		kind error
	}{
		"ids":         {reeve.Filter{IDs: make([]reeve.ID, reeve.MaxBatch+1)}, reeve.ErrTooLarge},
		"types":       {reeve.Filter{Types: make([]string, reeve.MaxTypes+1)}, reeve.ErrTooLarge},
		"key":         {reeve.Filter{Key: strings.Repeat("k", reeve.MaxKey+1)}, reeve.ErrTooLarge},
		"unique":      {reeve.Filter{Unique: strings.Repeat("k", reeve.MaxKey+1)}, reeve.ErrTooLarge},
		"error":       {reeve.Filter{Error: strings.Repeat("k", reeve.MaxErrorText+1)}, reeve.ErrTooLarge},
		"done":        {reeve.Filter{States: []reeve.State{reeve.StateDone}}, reeve.ErrInvalid},
		"no state":    {reeve.Filter{States: []reeve.State{0}}, reeve.ErrInvalid},
		"other state": {reeve.Filter{States: []reeve.State{255}}, reeve.ErrInvalid},
	} {
		if _, err := newMatcher(&c.f); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
	most := reeve.Filter{IDs: make([]reeve.ID, reeve.MaxBatch), Types: make([]string, reeve.MaxTypes), Key: strings.Repeat("k", reeve.MaxKey)}
	if _, err := newMatcher(&most); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func BenchmarkMatcher(b *testing.B) {
	x := traits{id: 1 << 40, state: reeve.StateReady, typ: "mail", err: strings.Repeat("some text ", 20), putAt: 5}
	for name, f := range map[string]*reeve.Filter{
		"all":   nil,
		"type":  {Types: []string{"zip", "mail"}},
		"error": {Error: "not there"},
	} {
		b.Run(name, func(b *testing.B) {
			m, err := newMatcher(f)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m.match(&x)
			}
		})
	}
}

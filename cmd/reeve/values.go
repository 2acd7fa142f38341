package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
)

// timeValue is the value of a flag that is a moment.
type timeValue struct{ dest *time.Time }

func (v timeValue) String() string {
	if v.dest == nil || v.dest.IsZero() {
		return ""
	}
	return stamp(*v.dest)
}

func (v timeValue) Get() any { return *v.dest }

func (v timeValue) Set(s string) (err error) {
	*v.dest, err = parseTime(s, time.Now())
	return err
}

// parseTime reads a moment: with a zone as RFC 3339 has it, or by the clocks
// here; a time of day is the next such time after now.
func parseTime(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		t, err := time.ParseInLocation(layout, s, time.Local)
		if err != nil {
			continue
		}
		if t.Year() < 1970 || t.Year() > 2200 {
			return time.Time{}, errors.New("want one of the years 1970 to 2200")
		}
		return t, nil
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		t, err := time.ParseInLocation(layout, s, time.Local)
		if err != nil {
			continue
		}
		y, m, d := now.In(time.Local).Date()
		t = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.Local)
		if !t.After(now) {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	return time.Time{}, errors.New("want a time as 18:30, 2030-01-31 18:30 or 2030-01-31T18:30:00Z")
}

// backoffValue is the value of a flag that is a backoff.
type backoffValue struct{ dest *reeve.Backoff }

func (v backoffValue) String() string {
	if v.dest == nil {
		return ""
	}
	return backoffText(*v.dest)
}

func (v backoffValue) Get() any { return *v.dest }

func (v backoffValue) Set(s string) (err error) {
	*v.dest, err = parseBackoff(s)
	return err
}

// backoffText is a backoff as parseBackoff reads it; "" for none.
func backoffText(b reeve.Backoff) string {
	if b == (reeve.Backoff{}) {
		return ""
	}
	return cmdline.FormatBackoff(b)
}

// parseBackoff is [cmdline.ParseBackoff] for a task, which cannot ask for none.
func parseBackoff(s string) (reeve.Backoff, error) {
	b, err := cmdline.ParseBackoff(s)
	if err == nil && b == (reeve.Backoff{}) {
		err = errors.New("want a first wait of more than 0")
	}
	return b, err
}

// keepValue is the value of -keep-result: a time, or none.
type keepValue struct{ dest *time.Duration }

func (v keepValue) String() string {
	switch {
	case v.dest == nil || *v.dest == 0:
		return ""
	case *v.dest < 0:
		return "none"
	}
	return v.dest.String()
}

func (v keepValue) Get() any { return *v.dest }

func (v keepValue) Set(s string) error {
	if s == "none" {
		*v.dest = -1
		return nil
	}
	d, err := cmdline.ParseDuration(s)
	if err != nil || d == 0 || d > reeve.MaxTime {
		return errors.New("want a time with its unit, as 30s or 24h, or none")
	}
	*v.dest = d
	return nil
}

// textValue is the value of a flag that is a text which may not be empty.
type textValue struct {
	dest *string
	most int // bytes
}

func (v textValue) String() string {
	if v.dest == nil {
		return ""
	}
	return *v.dest
}

func (v textValue) Get() any { return *v.dest }

func (v textValue) Set(s string) error {
	switch {
	case s == "" || len(s) > v.most:
		return fmt.Errorf("want 1 to %d bytes", v.most)
	case !utf8.ValidString(s):
		return errors.New("want UTF-8")
	}
	*v.dest = s
	return nil
}

// checkTypes checks the values of a flag of task types, of which the empty one
// is one.
func checkTypes(types []string) error {
	return cmdline.Plain((&reeve.GetOptions{Types: types}).Validate())
}

// idList is the value of a repeatable flag of task ids, with commas between
// them.
type idList []reeve.ID

func (l *idList) String() string {
	b := make([]string, len(*l))
	for i, id := range *l {
		b[i] = id.String()
	}
	return strings.Join(b, ",")
}

func (l *idList) Get() any { return []reeve.ID(*l) }

func (l *idList) Set(s string) error {
	for text := range strings.SplitSeq(s, ",") {
		id, err := parseID(text)
		if err != nil {
			return err
		}
		if len(*l) == reeve.MaxBatch {
			return fmt.Errorf("want at most %d ids", reeve.MaxBatch)
		}
		*l = append(*l, id)
	}
	return nil
}

// parseID reads a task's id as the verbs write it.
func parseID(s string) (reeve.ID, error) {
	id, err := reeve.ParseID(s)
	if err != nil {
		return 0, fmt.Errorf("%.100q is no task id (up to 16 hexadecimal digits, not zero)", s)
	}
	return id, nil
}

// stateList is the value of a repeatable flag of states, with commas between
// them.
type stateList struct {
	dest  *[]reeve.State
	among []reeve.State
}

func (l stateList) String() string {
	if l.dest == nil {
		return ""
	}
	return joinStates(*l.dest, ",")
}

func (l stateList) Get() any { return *l.dest }

func (l stateList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		state, err := l.state(name)
		if err != nil {
			return err
		}
		*l.dest = append(*l.dest, state)
	}
	return nil
}

func (l stateList) state(name string) (reeve.State, error) {
	for _, s := range l.among {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("want %s", joinStates(l.among, " or "))
}

func joinStates(states []reeve.State, sep string) string {
	b := make([]string, len(states))
	for i, s := range states {
		b[i] = s.String()
	}
	return strings.Join(b, sep)
}

var (
	_ flag.Getter = timeValue{}
	_ flag.Getter = backoffValue{}
	_ flag.Getter = keepValue{}
	_ flag.Getter = textValue{}
	_ flag.Getter = (*idList)(nil)
	_ flag.Getter = stateList{}
)

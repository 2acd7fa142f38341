package reeve_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestState_NamesReadBack(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for s := reeve.StateReady; s <= reeve.StatePurged; s++ {
		if back, err := reeve.ParseState(s.String()); err != nil || back != s || names[s.String()] {
			t.Errorf("%d is %q, read as %v, %v", s, s, back, err)
		}
		names[s.String()] = true
		if ended := s > reeve.StateDead; s.Ended() != ended {
			t.Errorf("%v has ended: %v", s, !ended)
		}
	}
	for _, s := range []string{"", "state 0", "Ready", "ready ", "10", strings.Repeat("x", 1<<20)} {
		_, err := reeve.ParseState(s)
		if !errors.Is(err, reeve.ErrInvalid) || len(err.Error()) > 400 || !strings.Contains(err.Error(), "ready, delayed, leased, dead, done, cancelled, expired, discarded, purged") {
			t.Errorf("%.20q: %v", s, err)
		}
	}
	if s := reeve.State(0).String() + reeve.State(99).String(); s != "state 0state 99" {
		t.Error(s)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add("ready")
	f.Fuzz(func(t *testing.T, name string) {
		if s, err := reeve.ParseState(name); err == nil && s.String() != name || err != nil && (s != 0 || !errors.Is(err, reeve.ErrInvalid)) {
			t.Fatalf("%q: %v, %v", name, s, err)
		}
	})
}

func FuzzParseUniqueMode(f *testing.F) {
	for _, name := range []string{"until-done", "until-start", "for-time", "Until-Done", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m, err := reeve.ParseUniqueMode(name)
		if err == nil && m.String() != name || err != nil && (!errors.Is(err, reeve.ErrInvalid) || len(err.Error()) > 800) {
			t.Fatalf("%q: %v, %v", name, m, err)
		}
		var back reeve.UniqueMode
		if text, _ := m.MarshalText(); back.UnmarshalText(text) != nil || back != m {
			t.Fatalf("%v was written as %s", m, text)
		}
	})
}

func TestResult_ErrMatchesHowTheTaskEnded(t *testing.T) {
	t.Parallel()
	for state, want := range map[reeve.State]error{
		reeve.StateDone: nil, reeve.StateDead: reeve.ErrTaskDead, reeve.StateCancelled: reeve.ErrCancelled, reeve.StateExpired: reeve.ErrExpired,
		reeve.StateDiscarded: reeve.ErrDiscarded, reeve.StatePurged: reeve.ErrPurged, reeve.StateReady: reeve.ErrInternal, 0: reeve.ErrInternal,
	} {
		r := reeve.Result{ID: 7, State: state, Reason: "because"}
		err := r.Err()
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%v: %v", state, err)
		}
		if err != nil && !strings.Contains(err.Error(), "0000000000000007") || want != nil && want != reeve.ErrInternal && !strings.Contains(err.Error(), "because") {
			t.Errorf("%v: %v", state, err)
		}
	}
}

// fill gives every field of v, however deep, a value that is not zero.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Interface().(type) {
	case reeve.State:
		v.Set(reflect.ValueOf(reeve.StateDelayed))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 500).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field, n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case reflect.String:
		v.SetString(fmt.Sprint("<", *n, ">"))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 4)
	default:
		t.Fatalf("%v: say here how to fill it", v.Type())
	}
}

func TestJSON_EveryFieldReadsBackUnderANameOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		&reeve.AttemptRecord{}, &reeve.Progress{}, &reeve.TypeStats{}, &reeve.Reason{}, &reeve.Explanation{}, &reeve.Event{},
		&reeve.WorkerInfo{}, &reeve.WorkerQueue{}, &reeve.WorkerTask{}, &reeve.Report{}, &reeve.WorkerStatus{}, &reeve.QueueStats{}, &reeve.Histogram{}, &reeve.Counts{},
	} {
		n := 0
		fill(t, reflect.ValueOf(v).Elem(), &n)
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		back := reflect.New(reflect.TypeOf(v).Elem())
		if err := json.Unmarshal(text, back.Interface()); err != nil || !reflect.DeepEqual(back.Interface(), v) {
			t.Errorf("%T: %v\n%s\nis read as %+v", v, err, text, back.Elem())
		}
		for f := range reflect.TypeOf(v).Elem().Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name != strings.ToLower(name) || strings.Contains(name, "-") {
				t.Errorf("%T.%s is %q in JSON", v, f.Name, name)
			}
			if f.Type == reflect.TypeFor[time.Duration]() && !strings.HasSuffix(name, "_ns") {
				t.Errorf("%T.%s is %q in JSON and does not tell its unit", v, f.Name, name)
			}
		}
	}
}

func TestJSON_StatesAndModesAreNames(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(map[string]any{"state": reeve.StateDelayed, "mode": reeve.UniqueForTime, "id": reeve.ID(255)})
	if err != nil || string(text) != `{"id":"00000000000000ff","mode":"for-time","state":"delayed"}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, text := range []string{`"nothing"`, `7`, `""`} {
		var s reeve.State
		var m reeve.UniqueMode
		if json.Unmarshal([]byte(text), &s) == nil || json.Unmarshal([]byte(text), &m) == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestGetOptions_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	many := func(n int) (s []string) {
		for i := range n {
			s = append(s, fmt.Sprint(i))
		}
		return s
	}
	for i, opts := range [][]reeve.GetOption{
		nil, {reeve.ForTypes()}, {reeve.ForTypes("")}, {reeve.ForTypes(many(reeve.MaxTypes)...)}, {reeve.HavingLabels(many(reeve.MaxLabels)...)},
	} {
		o := reeve.NewGetOptions(opts...)
		if err := o.Validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, opts := range [][]reeve.GetOption{
		{reeve.ForTypes(many(reeve.MaxTypes + 1)...)}, {reeve.ForTypes(strings.Repeat("t", 256))}, {reeve.ForTypes("\xff")},
		{reeve.HavingLabels(many(reeve.MaxLabels + 1)...)}, {reeve.HavingLabels("")}, {reeve.HavingLabels("\xff")},
	} {
		o := reeve.NewGetOptions(opts...)
		if err := o.Validate(); !errors.Is(err, reeve.ErrInvalid) && !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if all, none := reeve.NewGetOptions(), reeve.NewGetOptions(reeve.ForTypes()); all.Types != nil || none.Types == nil {
		t.Error("no types and all types are the same")
	}
}

func TestCheckSources_WeightsAreOfAllOrOfNone(t *testing.T) {
	t.Parallel()
	many := make([]reeve.Source, reeve.MaxSources+1)
	for i := range many {
		many[i].Queue = fmt.Sprint(i)
	}
	for i, s := range [][]reeve.Source{{{Queue: "a"}}, {{Queue: "a", Weight: 1000}, {Queue: "b", Weight: 1}}, {{Queue: "a"}, {Queue: "b"}}, many[1:]} {
		if err := reeve.CheckSources(s); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, s := range [][]reeve.Source{
		nil, many, {{Queue: "a"}, {Queue: "a"}}, {{Queue: "a", Weight: -1}}, {{Queue: "a", Weight: 1001}}, {{Queue: "a", Weight: 1}, {Queue: "b"}}, {{Queue: "a"}, {Queue: "b", Weight: 1}},
	} {
		if err := reeve.CheckSources(s); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

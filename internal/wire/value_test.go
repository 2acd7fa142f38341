package wire_test

import (
	"reflect"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// crosses has values of the vocabulary converted, sent, received and converted
// back. wrap and unwrap put what travels into a message and take it out.
func crosses[V, W any](t *testing.T, of func(*V) W, back func(W) V, m wire.Message, wrap func(W), unwrap func() W) {
	t.Helper()
	r := newRandom(31)
	for i := range 200 {
		var v V
		if i > 0 { // the first is zero
			r.randomly(reflect.ValueOf(&v).Elem())
		}
		wrap(of(&v))
		frame, err := wire.Append(nil, m)
		if err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
		if err := wire.Decode(typeOf(t, m), bodyOf(t, frame[wire.HeaderLen:]), m); err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
		if got := back(unwrap()); !reflect.DeepEqual(got, v) {
			t.Fatalf("%+v became\n%+v", v, got)
		}
	}
}

// crossesIn is crosses for what travels in a list of m.
func crossesIn[V, W any](t *testing.T, m wire.Message, list *[]W, of func(*V) W, back func(*W) V) {
	t.Helper()
	crosses(t, of, func(w W) V { return back(&w) }, m, func(w W) { *list = []W{w} }, func() W { return (*list)[0] })
}

func TestValues_CrossUnchanged(t *testing.T) {
	t.Parallel()
	t.Run("Stats", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Queues, func(s *reeve.QueueStats) wire.Stats { return wire.StatsOf(*s) }, (*wire.Stats).QueueStats)
	})
	t.Run("Dead", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Dead, wire.DeadOf, (*wire.Dead).DeadTask)
	})
	t.Run("TaskInfo", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Tasks, wire.TaskInfoOf, (*wire.TaskInfo).TaskInfo)
	})
	t.Run("Types", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Types, func(s *reeve.TypeStats) wire.TypeCounts { return wire.TypeCountsOf(*s) }, (*wire.TypeCounts).TypeStats)
	})
	t.Run("Explanation", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crosses(t, wire.ExplanationOf, (*wire.Explanation).Explanation, a,
			func(e *wire.Explanation) { a.Explanation = e }, func() *wire.Explanation { return a.Explanation })
	})
	t.Run("Result", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crosses(t, wire.ResultOf, (*wire.Result).Result, a,
			func(r *wire.Result) { a.Result = r }, func() *wire.Result { return a.Result })
	})
	t.Run("WorkerInfo", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Workers, wire.WorkerInfoOf, (*wire.WorkerInfo).WorkerInfo)
	})
	t.Run("Report", func(t *testing.T) {
		a := &wire.Answer{Req: 1}
		crossesIn(t, a, &a.Reports, wire.WorkerReportOf, (*wire.WorkerReport).Report)
	})
	t.Run("Event", func(t *testing.T) {
		e := &wire.Event{Sub: 1}
		crossesIn(t, e, &e.Events, wire.EventOf, (*wire.EventRecord).Event)
	})
	t.Run("Filter", func(t *testing.T) {
		l := &wire.List{Req: 1}
		crosses(t, wire.FilterOf, (*wire.Filter).Filter, l,
			func(f *wire.Filter) { l.Filter = f }, func() *wire.Filter { return l.Filter })
	})
	t.Run("Sources", func(t *testing.T) {
		g := &wire.Get{Req: 1}
		crosses(t, func(s *[]reeve.Source) []wire.Source { return wire.SourcesOf(*s) }, wire.ReeveSources, g,
			func(s []wire.Source) { g.Sources = s }, func() []wire.Source { return g.Sources })
	})
}

// No types is another thing than all of them.
func TestValues_NoTypesAreNotAllTypes(t *testing.T) {
	t.Parallel()
	for _, types := range [][]string{nil, {}, {""}, {"a", "b"}} {
		for _, m := range []wire.Message{
			&wire.Get{Req: 1, Types: types},
			&wire.Consume{Req: 1, Types: types},
			&wire.Answer{Req: 1, Workers: []wire.WorkerInfo{{Queues: []wire.WorkerQueue{{Queue: "q", Types: types}}}}},
		} {
			frame, err := wire.Append(nil, m)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(m).Elem()).Interface()
			if err := wire.Decode(typeOf(t, m), bodyOf(t, frame[wire.HeaderLen:]), got); err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("%+v became %+v, %v", m, got, err)
			}
		}
	}
}

// A state of a newer version must not be taken for one of this.
func TestValues_UnknownStatesStayUnknown(t *testing.T) {
	t.Parallel()
	for _, v := range []uint64{100, 256 + uint64(reeve.StateDone), 1 << 40} {
		got := (&wire.TaskInfo{State: v}).TaskInfo().State
		if _, err := reeve.ParseState(got.String()); err == nil {
			t.Errorf("state %d became %v", v, got)
		}
	}
}

// Bytes is what lists are cut by, so it must not be less than the truth.
func TestValues_BytesOfATaskAreEnough(t *testing.T) {
	t.Parallel()
	r := newRandom(32)
	for range 500 {
		var w wire.TaskInfo
		r.randomly(reflect.ValueOf(&w).Elem())
		frame, err := wire.Append(nil, wire.Answer{Tasks: []wire.TaskInfo{w}})
		if err != nil {
			t.Fatal(err)
		}
		if n := w.Bytes(); n < len(frame) {
			t.Fatalf("%d bytes for a frame of %d: %+v", n, len(frame), w)
		}
	}
}

func TestValues_TextsThatTheMasterShowsAreClean(t *testing.T) {
	t.Parallel()
	const bad = "a\xffb"
	task := reeve.TaskInfo{
		Worker: bad, Reason: bad, Error: bad, Stack: bad, Progress: &reeve.Progress{Text: bad},
		History: []reeve.AttemptRecord{{Worker: bad, Error: bad, Stack: bad}},
	}
	explanation := reeve.Explanation{Reasons: []reeve.Reason{{Text: bad, Worker: bad}}}
	result := reeve.Result{Reason: bad, Error: bad}
	info := reeve.WorkerInfo{Name: bad, Host: bad, Impl: bad, Addr: bad}
	report := reeve.Report{Worker: bad, Error: bad}
	event := reeve.Event{Worker: bad, Text: bad}
	for _, m := range []wire.Message{
		wire.Answer{
			Tasks: []wire.TaskInfo{wire.TaskInfoOf(&task)}, Explanation: wire.ExplanationOf(&explanation), Result: wire.ResultOf(&result),
			Workers: []wire.WorkerInfo{wire.WorkerInfoOf(&info)}, Reports: []wire.WorkerReport{wire.WorkerReportOf(&report)},
			Queues: []wire.Stats{wire.StatsOf(reeve.QueueStats{PauseReason: bad})},
		},
		wire.Event{Events: []wire.EventRecord{wire.EventOf(&event)}},
		wire.Report{Error: bad}, wire.Progress{Text: bad},
		wire.CancelTask{Reason: bad}, wire.Act{Reason: bad}, wire.Pause{Reason: bad},
	} {
		if _, err := wire.Append(nil, m); err != nil {
			t.Errorf("%T: %v", m, err)
		}
	}
}

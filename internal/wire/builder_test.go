package wire_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// said is what frames say, one line per item, whatever frame it came in.
func said(t *testing.T, all [][]byte) (lines []string) {
	t.Helper()
	for _, frame := range all {
		typ, body, err := wire.ParseType(frame)
		if err != nil {
			t.Fatal(err)
		}
		h := hotOf(typ)
		if h == nil {
			m := coldOf(t, typ)
			if err := wire.Decode(typ, body, m); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, content(m))
			continue
		}
		d := h.fresh()
		if err := d.Decode(body); err != nil {
			t.Fatal(err)
		}
		switch f := d.(type) {
		case *wire.PutFrame:
			for i := range f.Tasks {
				req := f.Req
				if f.Flags&wire.FlagEach != 0 {
					req += uint64(i)
				}
				lines = append(lines, fmt.Sprintf("put %d %q %d %s", req, f.Queue, f.Flags, taskContent(&f.Tasks[i])))
			}
		case *wire.CompleteFrame:
			for i := range f.Entries {
				e := &f.Entries[i]
				lines = append(lines, fmt.Sprintf("complete %d %q %q %d %d %s", f.Req+uint64(i), f.Queue, f.To, e.ID, e.Attempt, taskContent(&e.Result)))
			}
		case *wire.AckFrame:
			for i, e := range f.Entries {
				lines = append(lines, fmt.Sprintf("ack %d %q %d %d", f.Req+uint64(i), f.Queue, e.ID, e.Attempt))
			}
		case *wire.CallFrame, *wire.ReturnFrame:
			lines = append(lines, content(f))
		case *wire.DeliverFrame:
			for i := range f.Tasks {
				lines = append(lines, fmt.Sprintf("deliver %d %d %q %s", f.Consumer, f.Req, f.Queue, taskContent(&f.Tasks[i])))
			}
		}
	}
	return lines
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "", ""
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("item %d of %d is\n%s, want\n%s", i, len(want), g, w)
		}
	}
}

// TestBuilder_FramesSayWhatWasAdded adds items of all kinds, with runs that
// can be merged, gaps that cannot, and frames taken in between.
func TestBuilder_FramesSayWhatWasAdded(t *testing.T) {
	t.Parallel()
	r := newRandom(20)
	var b wire.Builder
	b.SetMaxFrame(1 << 20)
	for range 200 {
		var want []string
		req := 1 + r.request()>>1
		queue, to := r.name(), r.name()
		for range r.IntN(300) {
			if r.IntN(10) == 0 {
				req += uint64(r.IntN(3))
				queue, to = r.name(), r.name()
			}
			var err error
			low := r.Uint64N(req + 1)
			switch kind := r.IntN(46); {
			case kind < 10:
				task := r.putTask()
				err = b.Put(req, low, queue, wire.FlagEach, []reeve.Task{task})
				want = append(want, fmt.Sprintf("put %d %q %d %s", req, queue, wire.FlagEach, taskContent(&task)))
			case kind < 12:
				ts := many(r, r.putTask)
				err = b.Put(req, low, queue, wire.FlagNoWait, ts)
				for i := range ts {
					want = append(want, fmt.Sprintf("put %d %q %d %s", req, queue, wire.FlagNoWait, taskContent(&ts[i])))
				}
			case kind < 20:
				task := r.putTask()
				err = b.Complete(req, low, queue, to, 7, 8, &task)
				want = append(want, fmt.Sprintf("complete %d %q %q 7 8 %s", req, queue, to, taskContent(&task)))
			case kind < 30:
				err = b.Ack(req, low, queue, reeve.ID(req), 9)
				want = append(want, fmt.Sprintf("ack %d %q %d 9", req, queue, reeve.ID(req)))
			case kind < 38:
				task := r.deliverTask()
				if kind == 37 {
					task.Payload = r.bytes(30_000)
				}
				err = b.Deliver(5, 0, queue, &task)
				want = append(want, fmt.Sprintf("deliver 5 0 %q %s", queue, taskContent(&task)))
			case kind < 41:
				c := r.call(req, low)
				err = b.Call(&c)
				want = append(want, content(&wire.CallFrame{Call: c}))
			case kind < 44:
				f := wire.ReturnFrame{Req: req, Value: r.bytes(r.size())}
				err = b.Return(f.Req, f.Value)
				want = append(want, content(&f))
			default:
				err = b.Message(wire.Join{Req: req, Queue: queue})
				want = append(want, content(&wire.Join{Req: req, Queue: queue}))
			}
			if err != nil {
				t.Fatal(err)
			}
			req++
		}
		buf := b.Take()
		all := frames(buf)
		for _, f := range all {
			if len(f) > wire.MaxSmallFrame {
				t.Fatalf("a frame of %d bytes was gathered", len(f))
			}
		}
		same(t, said(t, all), want)
		b.Reset(buf)
	}
}

func TestBuilder_ConsecutiveItemsShareAFrame(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	for i := range uint64(100) {
		if err := b.Put(10+i, 5+i, "q", wire.FlagEach, []reeve.Task{{Payload: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		b.Confirm(i+1, 1, reeve.ID(50+i)) // does not come in between
	}
	all := frames(b.Take())
	if len(all) != 2 {
		t.Fatalf("%d frames", len(all))
	}
	var f wire.PutFrame
	if err := f.Decode(bodyOf(t, all[0])); err != nil {
		t.Fatal(err)
	}
	// low went up to 104 while the frame was open, and must not pass its first
	// request, which is unanswered.
	if f.Req != 10 || f.Low != 10 || len(f.Tasks) != 100 {
		t.Errorf("request %d, low %d, %d tasks", f.Req, f.Low, len(f.Tasks))
	}
	var c wire.ConfirmFrame
	if err := c.Decode(bodyOf(t, all[1])); err != nil {
		t.Fatal(err)
	}
	if len(c.Ranges) != 1 || c.Ranges[0] != (wire.Range{Req: 1, Count: 100, First: 50}) {
		t.Errorf("confirmed %v", c.Ranges)
	}
}

func TestBuilder_ConfirmJoinsOnlyWhatFollows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		add  []wire.Range
		want string
	}{
		{"ends", []wire.Range{{1, 1, 0}, {2, 1, 0}, {3, 5, 0}}, "[{1 7 0}]"},
		{"a gap", []wire.Range{{1, 1, 0}, {3, 1, 0}}, "[{1 1 0} {3 1 0}]"},
		{"backwards", []wire.Range{{2, 1, 0}, {1, 1, 0}}, "[{2 1 0} {1 1 0}]"},
		{"puts", []wire.Range{{1, 1, 16}, {2, 1, 17}, {3, 2, 18}}, "[{1 4 16}]"},
		{"puts with foreign ids in between", []wire.Range{{1, 1, 16}, {2, 1, 18}}, "[{1 1 16} {2 1 18}]"},
		{"after a Put of three tasks", []wire.Range{{1, 1, 16}, {2, 1, 19}}, "[{1 1 16} {2 1 19}]"},
		{"a put after an end", []wire.Range{{1, 1, 0}, {2, 1, 1}}, "[{1 1 0} {2 1 1}]"},
		{"an end after a put", []wire.Range{{1, 1, 16}, {2, 1, 0}}, "[{1 1 16} {2 1 0}]"},
	} {
		var b wire.Builder
		for _, r := range c.add {
			b.Confirm(r.Req, r.Count, r.First)
		}
		var f wire.ConfirmFrame
		if err := f.Decode(bodyOf(t, b.Take()[wire.HeaderLen:])); err != nil {
			t.Fatal(err)
		}
		got := "["
		for i, r := range f.Ranges {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("{%d %d %d}", r.Req, r.Count, uint64(r.First))
		}
		if got += "]"; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The number of tasks of an Act is no id: it neither joins nor is joined.
func TestBuilder_ConfirmCountIsARangeOfItsOwn(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	b.Confirm(1, 1, 16)
	b.ConfirmCount(2, 17)
	b.ConfirmCount(3, 18)
	b.Confirm(4, 1, 19)
	b.Confirm(5, 1, 20)
	b.ConfirmCount(6, 0)
	var f wire.ConfirmFrame
	if err := f.Decode(bodyOf(t, b.Take()[wire.HeaderLen:])); err != nil {
		t.Fatal(err)
	}
	want := []wire.Range{{Req: 1, Count: 1, First: 16}, {Req: 2, Count: 1, First: 17}, {Req: 3, Count: 1, First: 18}, {Req: 4, Count: 2, First: 19}, {Req: 6, Count: 1}}
	if !slices.Equal(f.Ranges, want) {
		t.Errorf("confirmed %v", f.Ranges)
	}
}

// Both limits of a shared frame: its entries and its size.
func TestBuilder_FullFramesAreFollowedByOthers(t *testing.T) {
	t.Parallel()
	const n = 3*wire.MaxEntries + 10
	var b wire.Builder
	var want []string
	for i := range uint64(n) {
		if err := b.Ack(1+i, 1, "q", reeve.ID(1+i), 1); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("ack %d \"q\" %d 1", 1+i, reeve.ID(1+i)))
		b.Confirm(1+2*i, 1, 0)
	}
	var acks, confirms [][]byte
	ranges := 0
	for _, f := range frames(b.Take()) {
		if typ, body, _ := wire.ParseType(f); typ == wire.TypeAck {
			acks = append(acks, f)
		} else {
			var c wire.ConfirmFrame
			if err := c.Decode(body); err != nil {
				t.Fatal(err)
			}
			for i, r := range c.Ranges {
				if r.Req != 1+2*uint64(ranges+i) {
					t.Fatalf("range %d is %v", ranges+i, r)
				}
			}
			ranges += len(c.Ranges)
			confirms = append(confirms, f)
		}
	}
	if len(acks) != 4 || len(confirms) != 4 || ranges != n {
		t.Errorf("%d frames of acks, %d of %d confirms", len(acks), len(confirms), ranges)
	}
	same(t, said(t, acks), want)

	for i := range uint64(100) {
		if err := b.Complete(1+i, 1, "q", "r", 1, 1, &reeve.Task{Payload: make([]byte, 5000)}); err != nil {
			t.Fatal(err)
		}
	}
	all := frames(b.Take())
	for _, f := range all {
		if len(f) > wire.MaxSmallFrame {
			t.Errorf("a frame of %d bytes", len(f))
		}
	}
	if len(all) < 8 || len(all) > 9 {
		t.Errorf("%d frames for 500 kB", len(all))
	}
}

func TestBuilder_LargeFramesAreAloneAndFound(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	b.SetMaxFrame(1 << 20)
	var want []string
	var runs []bool
	for i, size := range []int{10, 20, 100_000, 30, wire.MaxSmallFrame, 40} {
		task := reeve.Task{ID: reeve.ID(i + 1), Payload: newRandom(uint64(i)).bytes(size)}
		if err := b.Deliver(1, 0, "q", &task); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("deliver 1 0 \"q\" %s", taskContent(&task)))
		if b.Large() != (i >= 2) {
			t.Errorf("after %d bytes: Large is %v", size, b.Large())
		}
	}
	buf := b.Take()
	if b.Large() || b.Len() != 0 {
		t.Errorf("after Take: Large %v, Len %d", b.Large(), b.Len())
	}
	var all []byte
	for rest := buf; len(rest) > 0; {
		var run []byte
		var large bool
		run, large, rest = wire.SplitRun(rest)
		runs = append(runs, large)
		all = append(all, run...)
	}
	if !bytes.Equal(all, buf) || fmt.Sprint(runs) != "[false true false true false]" {
		t.Errorf("runs %v", runs)
	}
	same(t, said(t, frames(buf)), want)
}

// The answer to a Get is one frame however large it is; what does not fit is
// left to the caller.
func TestBuilder_AnswerToGetIsOneFrame(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	b.SetMaxFrame(1 << 20)
	added := 0
	for ; added < 100; added++ {
		if err := b.Deliver(0, 9, "q", &reeve.Task{ID: reeve.ID(added + 1), Payload: make([]byte, 50_000)}); err != nil {
			break
		}
	}
	if added != 20 || !b.Large() {
		t.Fatalf("%d tasks were added", added)
	}
	all := frames(b.Take())
	if len(all) != 1 || len(all[0]) > 1<<20 {
		t.Fatalf("%d frames", len(all))
	}
	var f wire.DeliverFrame
	if err := f.Decode(bodyOf(t, all[0])); err != nil || len(f.Tasks) != added || f.Req != 9 || f.Consumer != 0 {
		t.Errorf("%v, %d tasks for request %d", err, len(f.Tasks), f.Req)
	}
}

func TestBuilder_TakeOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	var b wire.Builder
	b.Reset(make([]byte, 0, 100))
	if buf := b.Take(); buf != nil || b.Len() != 0 {
		t.Errorf("%d bytes", len(buf))
	}
	b.Confirm(1, 1, 0)
	if b.Len() == 0 {
		t.Error("Len is 0 with something to confirm")
	}
	b.Release()
	if buf := b.Take(); len(buf) == 0 {
		t.Error("Release lost what was gathered")
	}
	if frame, rest := wire.SplitFrame(nil); frame != nil || rest != nil {
		t.Error("a frame of nothing")
	}
}

package soak

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain is the worker process, too.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], WorkerArgs()) {
		if err := Worker(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestRun_LosesNothingWhileAllOfItFails(t *testing.T) {
	r, err := Run(t.Context(), Config{For: 4 * time.Second, Seed: 3, Workers: 2, Producers: 2, Rate: 500, Dir: t.TempDir(), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Markdown(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if !r.OK() || r.Counts.Put == 0 || r.Counts.Results+r.Counts.Cancelled != r.Counts.Put || r.Counts.MapWrites == 0 || r.Faults.MastersKilled == 0 {
		t.Errorf("%+v", r)
	}
}

func TestBook_FindsWhatIsWrong(t *testing.T) {
	for what, c := range map[string]struct {
		tell func(b *book)
		lost int
		ok   bool
	}{
		"one result":              {func(b *book) { b.wasPut(0, 0, 1); b.handedOver(0, 0, true, nil); b.accepted(0, 0) }, 0, true},
		"told before its put":     {func(b *book) { b.handedOver(0, 0, true, nil); b.accepted(0, 0); b.wasPut(0, 0, 1) }, 0, true},
		"no result":               {func(b *book) { b.wasPut(0, 0, 2); b.accepted(0, 0) }, 1, false},
		"two results":             {func(b *book) { b.wasPut(0, 0, 1); b.accepted(0, 0); b.handedOver(0, 0, true, nil) }, 0, false},
		"wrong result":            {func(b *book) { b.wasPut(0, 0, 1); b.accepted(0, 0); b.handedOver(0, 1, false, nil) }, 0, false},
		"of nobody":               {func(b *book) { b.handedOver(7, 0, true, nil) }, 0, false},
		"result without a put":    {func(b *book) { b.handedOver(0, 0, true, nil); b.accepted(0, 0) }, 0, false},
		"cancelled":               {func(b *book) { b.wasPut(0, 0, 1); b.wasCancelled(0, 0) }, 0, true},
		"cancelled, and a result": {func(b *book) { b.wasPut(0, 0, 1); b.wasCancelled(0, 0); b.accepted(0, 0) }, 0, false},
		"unknown":                 {func(b *book) { b.isUnknown(0, 0, 1) }, 0, true},
	} {
		b := newBook(1)
		c.tell(b)
		b.judge()
		if counts, wrongs, n := b.verdict(); counts.Lost != c.lost || (n == 0) != c.ok || len(wrongs) != n {
			t.Errorf("%s: %d lost, %q", what, counts.Lost, wrongs)
		}
	}
}

func TestResult_IsThatOfItsTask(t *testing.T) {
	for n := range 500 {
		task := newTask(9, 2, n)
		if p, number, right := readResult(9, result(task.Payload)); p != 2 || number != n || !right {
			t.Errorf("task %d: %d %d %v", n, p, number, right)
		}
	}
	for _, text := range []string{"", "1", "-1 2 aa", "1 2", "1 2 0", string(result(newTask(8, 2, 1).Payload)) + "0"} {
		if _, _, right := readResult(9, []byte(text)); right {
			t.Errorf("%q is right", text)
		}
	}
}

func TestGrowth_SeesASlopeAndNoBurst(t *testing.T) {
	series := func(f func(i int) int64) []Sample {
		samples := make([]Sample, 60)
		for i := range samples {
			samples[i] = Sample{At: time.Duration(i) * time.Second, RSS: f(i)}
		}
		return samples
	}
	const mega = 1 << 20
	for what, c := range map[string]struct {
		f   func(i int) int64
		bad bool
	}{
		"flat":               {func(int) int64 { return 100 * mega }, false},
		"bursts":             {func(i int) int64 { return 100*mega + int64(i%7/6)*900*mega }, false},
		"a burst in the end": {func(i int) int64 { return 100*mega + int64(i/50)*900*mega }, false},
		"within the slack":   {func(i int) int64 { return int64(100+i/2) * mega }, false},
		"grows":              {func(i int) int64 { return int64(100+i) * mega }, true},
		"grows with bursts":  {func(i int) int64 { return int64(100+i+i%7/6*900) * mega }, true},
	} {
		if g := growths(series(c.f))[0]; g.Bad != c.bad {
			t.Errorf("%s: %+v", what, g)
		}
	}
}

func TestLink_PassesStallsAndCuts(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // ends with the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }() // ends with the link
		}
	}()
	l, err := newLink(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	c, err := net.Dial("tcp", l.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	echo := func() error {
		if _, err := io.WriteString(c, "hello"); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 5))
		return err
	}
	if err := echo(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	l.stall(150 * time.Millisecond)
	if err := echo(); err != nil || time.Since(start) < 150*time.Millisecond {
		t.Errorf("a stall of 150ms: %v after %v", err, time.Since(start))
	}
	l.cut()
	if err := echo(); err == nil {
		t.Error("a connection that was cut works")
	}
}

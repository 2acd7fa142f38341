package wire_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

func framed(body []byte) []byte {
	n := len(body)
	return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// allocated is how many bytes f allocates in all: the least of a few runs, as
// whatever else the process does meanwhile counts, too.
func allocated(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

func TestReader_FourGiBClaimCostsNothing(t *testing.T) {
	for _, c := range []struct {
		limit int
		want  error
	}{{1 << 20, reeve.ErrProtocol}, {1<<32 - 1, io.ErrUnexpectedEOF}} {
		stream := []byte{0xff, 0xff, 0xff, 0xff}
		var err error
		cost := allocated(func() { _, err = wire.NewReader(bytes.NewReader(stream), c.limit).Next() })
		if !errors.Is(err, c.want) {
			t.Fatalf("limit %d: %v", c.limit, err)
		}
		if cost >= 8<<10 {
			t.Errorf("limit %d: %d bytes were allocated", c.limit, cost)
		}
	}
}

func TestReader_AllocatesNoMoreThanArrives(t *testing.T) {
	const claim, sent = 64 << 20, 1 << 20
	stream := framed(make([]byte, claim))[:sent]
	var err error
	cost := allocated(func() { _, err = wire.NewReader(bytes.NewReader(stream), claim).Next() })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if cost > sent+80<<10 {
		t.Errorf("%d bytes were allocated for %d that came", cost, sent)
	}
}

func TestReader_LimitPassesAndOneMoreIsAnError(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{2, 500, 512, wire.MaxSmallFrame, wire.MaxSmallFrame + 1, 1 << 20} {
		body := newRandom(1).bytes(limit + 1)
		got, err := wire.NewReader(bytes.NewReader(framed(body[:limit])), limit).Next()
		if err != nil || !bytes.Equal(got, body[:limit]) {
			t.Fatalf("%d bytes: %v", limit, err)
		}
		r := wire.NewReader(bytes.NewReader(framed(body)), limit)
		_, err = r.Next()
		var le *reeve.LimitError
		if !errors.Is(err, reeve.ErrProtocol) || !errors.As(err, &le) || le.Value != int64(limit+1) || le.Max != int64(limit) {
			t.Fatalf("%d bytes: %v", limit+1, err)
		}
		if _, again := r.Next(); again != err {
			t.Fatalf("after an error: %v", again)
		}
	}
}

func TestReader_ReadsAnyPieces(t *testing.T) {
	t.Parallel()
	r := newRandom(3)
	var bodies [][]byte
	var stream []byte
	for _, n := range []int{2, 100, 507, 508, 509, 3000, wire.MaxSmallFrame, wire.MaxSmallFrame + 1, 2, 300_000, 5, 250_000, 400_000, 2} {
		body := r.bytes(n)
		bodies = append(bodies, body)
		stream = append(stream, framed(body)...)
	}
	for _, piece := range []int{1, 3, 4, 511, 512, 513, 4096, 1 << 20} {
		rd := wire.NewReader(&pieces{b: stream, n: piece}, 1<<20)
		for i, want := range bodies {
			got, err := rd.Next()
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("pieces of %d, frame %d of %d bytes: %v", piece, i, len(want), err)
			}
			if rd.Owned() != (len(want) > wire.MaxSmallFrame) {
				t.Fatalf("frame of %d bytes: owned %v", len(want), rd.Owned())
			}
		}
		if _, err := rd.Next(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	}
}

func TestReader_OwnedFramesStayWhenMoreIsRead(t *testing.T) {
	t.Parallel()
	r := newRandom(4)
	a, b := r.bytes(100_000), r.bytes(100_000)
	rd := wire.NewReader(bytes.NewReader(append(framed(a), framed(b)...)), 1<<20)
	first, err := rd.Next()
	if err != nil {
		t.Fatal(err)
	}
	second, err := rd.Next()
	if err != nil || !bytes.Equal(first, a) || !bytes.Equal(second, b) {
		t.Fatalf("the first frame changed, %v", err)
	}
}

func TestReader_EndInsideAFrameIsUnexpected(t *testing.T) {
	t.Parallel()
	for _, n := range []int{100, 200_000} {
		stream := framed(make([]byte, n))
		for _, cut := range []int{1, 3, 4, 5, n / 2, n + 3} {
			_, err := wire.NewReader(bytes.NewReader(stream[:cut]), 1<<20).Next()
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d of %d bytes: %v", cut, n, err)
			}
		}
	}
}

func TestReader_BufferedTellsWhetherNextMayBlock(t *testing.T) {
	t.Parallel()
	one := framed(make([]byte, 96)) // 100 bytes
	src := &steps{}
	rd := wire.NewReader(src, 0)
	for _, step := range []struct {
		name  string
		reads [][]byte
		want  bool
	}{
		{"alone", [][]byte{one}, false},
		{"with another", [][]byte{bytes.Repeat(one, 2)}, true},
		{"that other", nil, false},
		{"with half a frame", [][]byte{append(bytes.Clone(one), one[:50]...)}, false},
		{"the second half", [][]byte{one[50:]}, false},
		{"first of a full buffer", [][]byte{bytes.Repeat(one, 6)[:512]}, true},
	} {
		src.reads = append(src.reads, step.reads...)
		if _, err := rd.Next(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := rd.Buffered() > 0; got != step.want {
			t.Errorf("%s: Buffered is %d", step.name, rd.Buffered())
		}
	}
	for range 4 {
		if _, err := rd.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if rd.Buffered() != 12 {
		t.Errorf("12 bytes are left of a read that brought all it could, Buffered is %d", rd.Buffered())
	}
}

// steps gives one prepared read at a time.
type steps struct{ reads [][]byte }

func (s *steps) Read(p []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.reads[0])
	if s.reads[0] = s.reads[0][n:]; len(s.reads[0]) == 0 {
		s.reads = s.reads[1:]
	}
	return n, nil
}

func TestReader_BudgetIsAskedForLargeFramesAndGivenBack(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, n := range []int{10, 100_000, 20, 200_000, 300_000} {
		stream = append(stream, framed(make([]byte, n))...)
	}
	rd := wire.NewReader(bytes.NewReader(stream[:len(stream)-1]), 1<<20)
	spent := 0
	rd.SetBudget(func(n int) (func(), error) {
		spent += n
		return func() { spent -= n }, nil
	})
	for _, want := range []int{0, 100_000, 0, 200_000} {
		if _, err := rd.Next(); err != nil || spent != want {
			t.Fatalf("%d bytes of the budget are taken, want %d, %v", spent, want, err)
		}
	}
	if _, err := rd.Next(); err == nil || spent != 0 {
		t.Fatalf("after a frame that was cut off: %v, %d bytes are taken", err, spent)
	}

	refused := errors.New("too much at once")
	rd = wire.NewReader(bytes.NewReader(framed(make([]byte, 100_000))), 1<<20)
	rd.SetBudget(func(int) (func(), error) { return nil, refused })
	if _, err := rd.Next(); err != refused {
		t.Fatalf("got %v", err)
	}
}

func TestReader_ReleaseEndsIt(t *testing.T) {
	t.Parallel()
	rd := wire.NewReader(bytes.NewReader(bytes.Repeat(framed(make([]byte, 1000)), 3)), 0)
	if _, err := rd.Next(); err != nil {
		t.Fatal(err)
	}
	rd.Release()
	if _, err := rd.Next(); !errors.Is(err, reeve.ErrClosed) || rd.Buffered() != 0 {
		t.Fatalf("%v, %d bytes", err, rd.Buffered())
	}
}

func TestReader_WithoutProgressGivesUp(t *testing.T) {
	t.Parallel()
	_, err := wire.NewReader(nothing{}, 0).Next()
	if !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestReader_WaitingHoldsLittleAfterALargeFrame(t *testing.T) {
	const readers = 8
	stream := append(bytes.Repeat(framed(make([]byte, 1000)), 200), framed(make([]byte, 16<<20))...)
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools hold survives one collection
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var all []*parked
	var ended sync.WaitGroup
	before := heap()
	for range readers {
		src := &parked{rest: stream, waits: make(chan struct{}), end: make(chan struct{})}
		all = append(all, src)
		ended.Go(func() {
			rd := wire.NewReader(src, 16<<20)
			for {
				if _, err := rd.Next(); err != nil {
					return
				}
			}
		})
		<-src.waits
	}
	if each := (heap() - before) / readers; each > 4<<10 {
		t.Errorf("a Reader that waits holds %d bytes", each)
	}
	for _, src := range all {
		close(src.end)
	}
	ended.Wait()
}

// parked gives what there is and then waits.
type parked struct {
	rest       []byte
	waits, end chan struct{}
}

func (p *parked) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		close(p.waits)
		<-p.end
		return 0, io.EOF
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

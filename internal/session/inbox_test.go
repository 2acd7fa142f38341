package session

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestInbox_GivesWhatItWasGivenAndKeepsNothing fills and reads in steps of all
// sizes, with reads between space and filled, and compares with a buffer.
func TestInbox_GivesWhatItWasGivenAndKeepsNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	size := func() int { return 1 << random.IntN(18) >> random.IntN(3) }
	var in inbox
	var want bytes.Buffer
	read := func(n int) {
		t.Helper()
		p := make([]byte, n)
		got := p[:in.read(p)]
		if model := want.Next(n); !bytes.Equal(got, model) {
			t.Fatalf("read %d bytes of %d, or not the same", len(got), len(model))
		}
	}
	for range 5000 {
		p := in.space(max(1, size()))
		n := random.IntN(len(p) + 1)
		for i := range n {
			p[i] = byte(random.Uint32())
		}
		read(random.IntN(1 + size()))
		want.Write(p[:n])
		in.filled(n)
		switch {
		case random.IntN(50) == 0:
			in.drop()
			want.Reset()
		case random.IntN(2) == 0:
			read(random.IntN(1 + size()))
		}
		if in.size != want.Len() {
			t.Fatalf("%d bytes, want %d", in.size, want.Len())
		}
	}
	read(want.Len())
	if in.first != nil || in.last != nil || in.size != 0 {
		t.Errorf("an empty inbox keeps a chunk: %+v", in)
	}
}

// TestInbox_TakesLittleMoreThanItHolds: however the bytes came, all chunks but
// the first and the last are full.
func TestInbox_TakesLittleMoreThanItHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var in inbox
	for in.size < 1<<20 {
		for n := 1 << random.IntN(17); n > 0; {
			p := in.space(n)
			in.filled(len(p))
			n -= len(p)
		}
	}
	total := 0
	for c := in.first; c != nil; c = c.next {
		total += len(c.b)
	}
	if spare := total - in.size; spare > largeChunk {
		t.Errorf("%d bytes take %d", in.size, total)
	}
	in.drop()
	if in.first != nil || in.size != 0 {
		t.Error("what was dropped is still there")
	}
}

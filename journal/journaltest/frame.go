package journaltest

import (
	"bytes"
	"cmp"
	"slices"
)

// frameSizes: frames may have any size and content, whatever came before, and
// are one unit.
func frameSizes(t *trial) {
	b := t.book("frame-sizes")
	sizes := []int{t.MaxFrame}
	for _, n := range []int{1, 8, 16, 64, 512, 4096, 64 << 10, 1 << 20, 4 << 20} {
		for _, size := range []int{n - 1, n, n + 1} {
			if 0 < size && size <= t.MaxFrame {
				sizes = append(sizes, size)
			}
		}
	}
	b.rand.Shuffle(len(sizes)-1, func(i, k int) { sizes[1+i], sizes[1+k] = sizes[1+k], sizes[1+i] })
	for _, n := range sizes {
		b.appendAll(b.bytes(n))
	}
	b.readAll()
	b.sync()

	// What looks like nothing is something; the beginning of a frame is one.
	slices.SortFunc(sizes, cmp.Compare)
	for _, n := range sizes[:len(sizes)/2] {
		ends := b.bytes(n)
		clear(ends[n/2:])
		b.appendAll(make([]byte, n), bytes.Repeat([]byte{0xff}, n), ends, slices.Clone(b.frames[0][:n]))
	}
	b.readAll()
	b.close()
	b.reopen()
	b.readAll()
}

// frameMemory: a frame is the caller's again when Append returns, and the
// caller's alone when Read or Replay has given it.
func frameMemory(t *trial) {
	b := t.book("frame-memory")
	for _, n := range []int{1, 100, 5000, min(300_000, t.MaxFrame)} {
		b.appendAll(b.bytes(n)) // changes the memory it gave
	}
	for range 3 {
		b.readAll() // changes what it is given
	}
	one, err := b.j.Read(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.j.Read(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	scribble(one)
	b.same("a second Read, after the first one's memory changed,", 2, two)
	scribble(one) // back again
	b.appendSome(10, 5000)
	b.same("a Read, after Appends,", 2, one)
	b.close()
	for range 2 {
		b.reopen() // changes what it is given
		b.readAll()
		b.close()
	}
	b.same("a Read, after Close,", 2, one)
}

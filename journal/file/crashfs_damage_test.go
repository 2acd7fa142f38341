package file

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// clone is a copy of all files, as they are seen, durable.
func (c *crashFS) clone(rng *rand.Rand) *crashFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := newCrashFS(rng)
	for name, ino := range c.entries {
		to := newInode()
		to.data, to.size, to.blocks = bytes.Clone(ino.data), int64(len(ino.data)), maps.Clone(ino.blocks)
		n.used += to.space()
		n.entries[name] = to
	}
	n.durable = maps.Clone(n.entries)
	return n
}

// extent is where something lies.
type extent struct {
	name   string
	lo, hi int64
}

// overlaps also counts the header that stands before a frame.
func (e extent) overlaps(d extent) bool {
	return e.name == d.name && d.lo < e.hi && d.hi > e.lo-headerSize
}

// locate finds the frames of the model by what is in them.
func locate(c *crashFS, m *model) map[journal.Pos]extent {
	at := make(map[journal.Pos]extent)
	for _, name := range segments(c) {
		data := c.entries[name].data
		for _, p := range slices.Sorted(maps.Keys(m.frames)) {
			if lo := int64(bytes.Index(data, m.frames[p])); lo >= 0 {
				at[p] = extent{name, lo, lo + int64(len(m.frames[p]))}
			}
		}
	}
	return at
}

// harm is one thing that was done to the files.
type harm struct {
	what    string
	hit     []extent // which bytes are not what they were, or not where
	removed bool     // the whole file
	moved   bool     // files are whole, under names of others
}

func (d harm) String() string { return fmt.Sprintf("%s %v", d.what, d.hit) }

// hits tells whether the damage touches what lies there.
func (d harm) hits(e extent) bool {
	return slices.ContainsFunc(d.hit, e.overlaps)
}

// doHarm damages one thing, and tells which.
func doHarm(c *crashFS, rng *rand.Rand) harm {
	names := slices.Sorted(maps.Keys(c.entries))
	segs := segments(c)
	name := names[rng.IntN(len(names))]
	if rng.IntN(8) > 0 {
		name = segs[rng.IntN(len(segs))]
	}
	data := c.entries[name].data
	if len(data) == 0 {
		name = segs[0]
		data = c.entries[name].data
	}
	used := len(bytes.TrimRight(data, "\x00"))
	at := rng.IntN(max(used, 1))
	whole := func(names ...string) (es []extent) {
		for _, n := range names {
			es = append(es, extent{n, 0, 1 << 30})
		}
		return es
	}
	base := filepath.Base(name)
	switch kind := rng.IntN(20); {
	case kind < 10:
		data[at] ^= 1 << rng.IntN(8)
		return harm{what: "flipped a bit of " + base, hit: []extent{{name, int64(at), int64(at) + 1}}}
	case kind < 14:
		size := []int{512, 4096}[kind%2]
		lo := at / size * size
		hi := min(lo+size, len(data))
		clear(data[lo:hi])
		return harm{what: fmt.Sprintf("zeroed %d bytes of %s", size, base), hit: []extent{{name, int64(lo), int64(hi)}}}
	case kind < 15:
		copy(data, "NOTMAGIC")
		return harm{what: "wrong magic in " + base, hit: []extent{{name, 0, 8}}}
	case kind < 17:
		c.entries[name].data = data[:at]
		return harm{what: fmt.Sprintf("cut %s to %d of %d bytes", base, at, len(data)), hit: []extent{{name, int64(at), 1 << 30}}}
	case kind < 18:
		seg := segs[rng.IntN(len(segs))]
		delete(c.entries, seg)
		return harm{what: "removed " + filepath.Base(seg), hit: whole(seg), removed: true}
	}
	i, j := rng.IntN(len(segs)), rng.IntN(len(segs)-1)
	if j >= i {
		j++
	}
	a, b := c.entries[segs[i]], c.entries[segs[j]]
	if rng.IntN(2) == 0 {
		a.data, b.data = b.data, a.data
		return harm{what: fmt.Sprintf("swapped segments %d and %d", i, j), hit: whole(segs[i], segs[j]), moved: true}
	}
	b.data = bytes.Clone(a.data)
	return harm{what: fmt.Sprintf("segment %d in place of %d", i, j), hit: whole(segs[j])}
}

// export writes all files into a directory that is.
func (c *crashFS) export(t *testing.T, dir string) {
	t.Helper()
	for name, ino := range c.entries {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), ino.data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

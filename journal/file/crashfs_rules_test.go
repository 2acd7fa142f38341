package file

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
)

// The simulator is only worth what it does to files: these tests say what that
// is, by what can be found after many cuts of the same few operations.

// outcomes are what look finds after each of many cuts of what do did.
func outcomes(t *testing.T, do func(c *crashFS), look func(c *crashFS) string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := newCrashFS(rng)
		do(c)
		found[look(c.survive(rng))]++
	}
	return found
}

func mustOpen(c *crashFS, name string) file {
	f, err := c.open(name, true)
	if err != nil {
		panic(err)
	}
	return f
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func write(f file, s string, off int64) {
	_, err := f.WriteAt([]byte(s), off)
	must(err)
}

// content is all of a file; "gone": there is none.
func content(c *crashFS, name string) string {
	f, err := c.open(name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return "gone"
	}
	must(err)
	n, err := f.size()
	must(err)
	b := make([]byte, n)
	if n > 0 {
		_, err = f.ReadAt(b, 0)
		must(err)
	}
	return string(b)
}

func TestCrashFS_KeepsWhatWasSynced(t *testing.T) {
	t.Parallel()
	got := outcomes(t, func(c *crashFS) {
		f := mustOpen(c, "d/a")
		write(f, "one", 0)
		must(f.datasync())
		must(c.syncDir("d"))
		must(c.rename("d/a", "d/b"))
		must(c.syncDir("d"))
	}, func(c *crashFS) string { return content(c, "d/a") + " " + content(c, "d/b") })
	if len(got) != 1 || got["gone one"] == 0 {
		t.Errorf("found %v, want d/b alone with all that was written", got)
	}
}

func TestCrashFS_LosesKeepsAndGarblesWhatWasNot(t *testing.T) {
	t.Parallel()
	old := bytes.Repeat([]byte{'o'}, 3*sectorSize)
	got := outcomes(t, func(c *crashFS) {
		f := mustOpen(c, "d/a")
		write(f, string(old), 0)
		must(f.datasync())
		must(c.syncDir("d"))
		write(f, "now", sectorSize+8)
		write(f, "new", sectorSize+8)
	}, func(c *crashFS) string {
		s := content(c, "d/a")
		if rest := s[:sectorSize+8] + s[sectorSize+11:]; rest != string(old[:len(old)-3]) {
			t.Error("bytes changed that nobody wrote")
		}
		return s[sectorSize+8 : sectorSize+11]
	})
	for _, want := range []string{"ooo", "now", "new", "neo", "noo"} {
		if got[want] == 0 {
			t.Errorf("never found %q: %v", want, got)
		}
	}
	if len(got) < 20 {
		t.Errorf("found %v, want garbage, too", got)
	}
}

func TestCrashFS_SizesMayBeOldOrNew(t *testing.T) {
	t.Parallel()
	size := func(c *crashFS) string { return content(c, "d/a") }
	got := outcomes(t, func(c *crashFS) {
		f := mustOpen(c, "d/a")
		write(f, "abcdef", 0)
		must(f.sync())
		must(c.syncDir("d"))
		must(f.truncate(3))
	}, size)
	for _, want := range []string{"abcdef", "abc", "abc\x00\x00\x00"} {
		if got[want] == 0 {
			t.Errorf("after truncate never found %q: %v", want, got)
		}
	}
	got = outcomes(t, func(c *crashFS) {
		f := mustOpen(c, "d/a")
		must(c.syncDir("d"))
		write(f, "abc", 0)
	}, size)
	for _, want := range []string{"", "abc", "\x00\x00\x00"} {
		if got[want] == 0 {
			t.Errorf("after growth never found %q: %v", want, got)
		}
	}
}

func TestCrashFS_EntriesMayBeOldOrNew(t *testing.T) {
	t.Parallel()
	got := outcomes(t, func(c *crashFS) {
		for _, name := range []string{"d/a", "d/b"} {
			f := mustOpen(c, name)
			write(f, name, 0)
			must(f.sync())
		}
		must(c.syncDir("d"))
		must(c.rename("d/a", "d/b"))
		f := mustOpen(c, "d/c")
		write(f, "d/c", 0)
		must(f.sync())
	}, func(c *crashFS) string { return content(c, "d/a") + " " + content(c, "d/b") + " " + content(c, "d/c") })
	want := []string{"d/a d/b d/c", "d/a d/b gone", "gone d/a d/c", "gone d/a gone"}
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("never found %q: %v", w, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("found %v, want %q only", got, want)
	}
	got = outcomes(t, func(c *crashFS) {
		mustOpen(c, "d/a")
		must(c.syncDir("d"))
		must(c.remove("d/a"))
	}, func(c *crashFS) string { return content(c, "d/a") })
	if got["gone"] == 0 || got[""] == 0 || len(got) != 2 {
		t.Errorf("after remove found %v, want it gone or back", got)
	}
}

func TestCrashFS_FailedSyncLosesForGood(t *testing.T) {
	t.Parallel()
	got := outcomes(t, func(c *crashFS) {
		f := mustOpen(c, "d/a")
		write(f, "old", 0)
		must(f.sync())
		must(c.syncDir("d"))
		write(f, "new", 0)
		c.fail = failNth(1, errIO, opSync)
		if err := f.sync(); !errors.Is(err, errIO) {
			t.Error(err)
		}
		must(f.sync())
		if s := content(c, "d/a"); s != "new" {
			t.Errorf("programs see %q", s)
		}
	}, func(c *crashFS) string { return content(c, "d/a") })
	if got["old"] == 0 || got["new"] == 0 || len(got) != 2 {
		t.Errorf("found %v, want both: the later sync wrote only what the failed one had left", got)
	}
}

func TestCrashFS_CutStopsEverything(t *testing.T) {
	t.Parallel()
	c := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	f := mustOpen(c, "d/a")
	c.cutAt = c.steps + 1
	_, err := f.WriteAt([]byte("x"), 0)
	_, read := f.ReadAt(make([]byte, 1), 0)
	_, open := c.open("d/a", true)
	_, list := c.list("d")
	_, lock := c.lock("d")
	for i, err := range []error{err, read, open, list, lock, f.datasync(), f.sync(), f.truncate(0), f.Close(),
		c.rename("d/a", "d/b"), c.remove("d/a"), c.syncDir("d"), c.mkdir("e")} {
		if !errors.Is(err, errCut) {
			t.Errorf("operation %d after the cut: %v", i, err)
		}
	}
}

func TestCrashFS_KillKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	c := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	f := mustOpen(c, "d/a")
	write(f, "x", 0)
	if _, err := c.lock("d"); err != nil {
		t.Fatal(err)
	}
	c = c.kill()
	if _, err := f.WriteAt([]byte("y"), 0); !errors.Is(err, errDead) {
		t.Errorf("a write of the dead process: %v", err)
	}
	if got := content(c, "d/a"); got != "x" {
		t.Errorf("found %q", got)
	}
	if _, err := c.lock("d"); err != nil {
		t.Errorf("the lock outlived its process: %v", err)
	}
}

func TestCrashFS_SpaceIsTakenByNewBlocksOnly(t *testing.T) {
	t.Parallel()
	c := newCrashFS(rand.New(rand.NewPCG(1, 1)))
	c.budget = 3 * fsBlock
	f := mustOpen(c, "d/a")
	if n, err := f.WriteAt(make([]byte, 4*fsBlock), 10); n != 3*fsBlock-10 || !errors.Is(err, errNoSpace) {
		t.Fatalf("wrote %d: %v", n, err)
	}
	write(f, "over what there is", 2*fsBlock)
	must(c.rename("d/a", "d/b"))
	must(c.remove("d/b"))
	if g := mustOpen(c, "d/c"); c.used != 3*fsBlock {
		t.Errorf("an open file that was removed gave its space back: %d", c.used)
	} else if n, err := g.WriteAt([]byte("x"), 0); n != 0 || !errors.Is(err, errNoSpace) {
		t.Errorf("wrote %d: %v", n, err)
	}
	must(f.Close())
	g := mustOpen(c, "d/c")
	write(g, "x", 2*fsBlock)
	write(g, "x", 0)
	if must(g.truncate(fsBlock)); c.used != fsBlock {
		t.Errorf("%d bytes used after truncate", c.used)
	}
}

// failNth makes the n-th of the operations fail once.
func failNth(n int, err error, ops ...op) func(op, string) error {
	return func(o op, _ string) error {
		if slices.Contains(ops, o) {
			if n--; n == 0 {
				return err
			}
		}
		return nil
	}
}

package file

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

const crashDir = "data"

// chain is one journal that lives through several power cuts.
type chain struct {
	rng   *rand.Rand
	fs    *crashFS
	wrap  func(fsys) fsys          // what is between the journal and the disk; nil: nothing
	trace func(f string, a ...any) // nil: not told
	m     *model
	j     *Journal
	cuts  int

	syncEvery  int  // how many appends a Sync stands for; 0: none
	bulk       int  // how large frames mostly are
	reserve    bool // some frames may use it
	scarce     bool // writes find no space now and then, even over what was written
	wasFull    bool // at some time, the disk may have been
	faulty     bool // operations fail
	background bool // the journal has its goroutine: then a seed does not say all
}

// run is the chain's whole life; its error is a promise that was broken.
func (c *chain) run() error {
	c.fs = newCrashFS(rand.New(rand.NewPCG(c.rng.Uint64(), 5)))
	c.fs.sharing = c.rng.IntN(4) == 0
	c.background = c.rng.IntN(6) == 0
	c.m = newModel()
	defer func() {
		if c.j != nil {
			c.fs.kill()
			c.j.Close() // of the dead: an error, but nothing of it stays
		}
	}()
	for range 1 + c.rng.IntN(6) {
		c.syncEvery = []int{1, 1, 1, 3, 8, 40, 0}[c.rng.IntN(7)]
		c.bulk = []int{40, 300, 300, 3000, 9000}[c.rng.IntN(5)]
		c.reserve = c.rng.IntN(4) == 0
		c.fs.cutAt = c.fs.steps + 1 + c.rng.IntN([]int{6, 30, 100, 300}[c.rng.IntN(4)])
		if c.trace != nil {
			c.fs.watch = func(n int, o op, name string) { c.trace("    %d %v %s", n, o, name) }
		}
		err := c.live()
		for err != nil && c.faulty && !c.fs.off() && !errors.Is(err, errBroken) && !errors.Is(err, journal.ErrCorrupt) {
			c.tracef("failed: %v", err)
			c.mend()
			err = c.live()
		}
		if err != nil && (!c.fs.off() || errors.Is(err, errBroken) || errors.Is(err, journal.ErrCorrupt)) {
			return err
		}
		dark := c.fs
		c.fs = dark.survive(c.rng)
		c.cuts++
		c.tracef("cut at %d: %s, synced %d, appended %d, first %d (%v)", dark.steps, dark.names(), c.m.synced, c.m.last, c.m.first, err)
		if c.j != nil {
			c.j.Close() // an error: the power is gone
			c.j = nil
		}
		c.tracef("found: %s", c.fs.names())
	}
	c.fs.cutAt = 0
	if err := c.open(); err != nil {
		return err
	}
	return c.close()
}

func (c *chain) tracef(f string, a ...any) {
	if c.trace != nil {
		c.trace(f, a...)
	}
}

// live is one life between two cuts. It ends with the cut, or before: then the
// power goes when nothing is under way.
func (c *chain) live() error {
	if err := c.open(); err != nil {
		return err
	}
	for range 400 {
		if err := c.step(); err != nil {
			return err
		}
		if c.fs.off() { // by what nobody waited for
			return errCut
		}
	}
	return nil
}

// open opens the journal, and holds what is in it against what was promised.
func (c *chain) open() (err error) {
	var under fsys = c.fs
	if c.wrap != nil {
		under = c.wrap(under)
	}
	size := int64(64 << 10)
	if c.rng.IntN(8) == 0 {
		size += int64(c.rng.IntN(64 << 10))
	}
	c.tracef("open, segments of %d", size)
	if c.j, err = open(crashDir, Options{SegmentSize: size, foreground: !c.background}, under); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	err = c.m.recovered(c.j)
	c.tracef("opened: frames %d to %d (%v)", c.m.first, c.m.last, err)
	return err
}

// step does one thing that the owner of a journal may do.
func (c *chain) step() error {
	switch r := c.rng.IntN(400); {
	case r < 340:
		if err := c.append(); err != nil {
			return err
		}
		if c.syncEvery > 0 && c.rng.IntN(c.syncEvery) == 0 {
			return c.sync()
		}
		return nil
	case r < 350:
		return c.sync()
	case r < 370:
		return c.trim()
	case r < 384:
		return c.read()
	case r < 390:
		if err := c.close(); err != nil {
			return err
		}
		return c.open()
	case r < 392:
		c.tracef("kill")
		c.mend()
		return c.open()
	case r < 395:
		c.wasFull = true
		left := int64(c.rng.IntN(100 << 10))
		c.fs.mu.Lock()
		c.fs.budget = c.fs.used + left
		c.fs.mu.Unlock()
		c.tracef("%d bytes are left", left)
	case r < 396:
		c.scarce, c.wasFull = true, true
		rng := c.fs.rng
		c.setFail(func(o op, _ string) error {
			if o != opWrite && o != opCreate || rng.IntN(10) > 0 {
				return nil
			}
			return &shortWrite{rng.IntN(2000), errNoSpace}
		})
		c.tracef("space is scarce")
	case r < 397:
		c.faulty = true
		n, short := 1+c.rng.IntN(8), c.rng.IntN(2000)
		c.setFail(func(o op, _ string) error {
			if n--; n != 0 || o < opWrite {
				return nil
			}
			return &shortWrite{short, errIO}
		})
		c.tracef("operation %d from now fails, if it is one that changes something", n)
	default:
		c.setFail(nil)
		c.fs.mu.Lock()
		c.fs.budget = 0
		c.fs.mu.Unlock()
		c.scarce = false
		c.tracef("there is space")
	}
	return nil
}

func (c *chain) setFail(fail func(op, string) error) {
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	c.fs.fail = fail
}

// mend is what follows an error of the disk: the process ends, the next one
// finds what the last has left, and a disk that works.
func (c *chain) mend() {
	c.fs = c.fs.kill()
	if c.j != nil {
		c.j.Close() // of the dead: an error
		c.j = nil
	}
	c.faulty, c.scarce = false, false
}

// frame makes one that no other equals. Some hold a piece of the log itself, as
// a task may whose payload is a copy of a journal.
func (c *chain) frame() []byte {
	n := 8 + c.rng.IntN(c.bulk)
	switch c.rng.IntN(100) {
	case 0:
		n = 64<<10 + c.rng.IntN(30<<10) // no segment is large enough
	case 1, 2:
		n = 8 + c.rng.IntN(20<<10)
	case 3:
		n = 1
	}
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], c.rng.Uint64())
	}
	if b = b[:n]; n > 16 && c.rng.IntN(12) == 0 {
		c.pasteSegment(b[8:])
	}
	return b
}

func (c *chain) pasteSegment(b []byte) {
	segs := segments(c.fs)
	if len(segs) == 0 {
		return
	}
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	if ino := c.fs.entries[segs[c.rng.IntN(len(segs))]]; ino != nil {
		copy(b, ino.data[c.rng.IntN(len(ino.data)+1)&^7:])
	}
}

func (c *chain) append() error {
	p, b := c.m.last+1, c.frame()
	o := journal.AppendOptions{Reserve: c.reserve && c.rng.IntN(4) == 0}
	c.m.frames[p], c.m.tried = b, p
	err := c.j.Append(context.Background(), p, b, o)
	c.tracef("append %d, %d bytes %v: %v", p, len(b), o, err)
	switch {
	case errors.Is(err, reeve.ErrJournalFull) && c.limited():
		delete(c.m.frames, p)
		c.m.tried = c.m.last
		return nil
	case err != nil:
		return fmt.Errorf("append: %w", err)
	}
	c.m.last = p
	return nil
}

// limited tells whether the disk may be full. A journal with a goroutine needs a
// while to find that it is not any more.
func (c *chain) limited() bool {
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	return c.fs.budget > 0 || c.scarce || c.background && c.wasFull
}

func (c *chain) sync() error {
	err := c.j.Sync(context.Background())
	c.tracef("sync: %v", err)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	c.m.synced = c.m.last
	return nil
}

// trim forgets a few frames mostly, and all of them sometimes.
func (c *chain) trim() error {
	p := c.m.first + journal.Pos(c.rng.Uint64N(uint64(c.m.last+2-c.m.first)))
	if c.rng.IntN(4) == 0 {
		p = c.m.last + 1
	}
	c.m.first = p
	err := c.j.Trim(context.Background(), p)
	c.tracef("trim %d: %v", p, err)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	return nil
}

func (c *chain) read() error {
	if c.m.last < c.m.first {
		return nil
	}
	p := c.m.first + journal.Pos(c.rng.Uint64N(uint64(c.m.last+1-c.m.first)))
	b, err := c.j.Read(context.Background(), p)
	if err != nil {
		return fmt.Errorf("read %d: %w", p, err)
	}
	if string(b) != string(c.m.frames[p]) {
		return fmt.Errorf("%w: read %d gives %d bytes that were never appended", errBroken, p, len(b))
	}
	return nil
}

// close makes everything durable, and leaves nothing open.
func (c *chain) close() error {
	err := c.j.Close()
	c.tracef("close: %v", err)
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	c.m.synced = c.m.last
	if n := c.fs.openFiles(); n > 0 {
		return fmt.Errorf("%w: %d files are open after close", errBroken, n)
	}
	return nil
}

// segments are the paths of the segments of a crashFS, the oldest first.
func segments(c *crashFS) []string {
	var segs []string
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.entries {
		if strings.HasSuffix(name, ".seg") {
			segs = append(segs, name)
		}
	}
	slices.Sort(segs)
	return segs
}

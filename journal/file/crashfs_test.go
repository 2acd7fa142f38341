package file

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/reeveq/reeve/journal"
)

var (
	errCut  = errors.New("crashfs: the power is gone") // of every operation from the cut on
	errDead = errors.New("crashfs: opened by a process that is dead")
)

// shortWrite makes a write that shall fail write n bytes before it does, if it
// has more: what is missing is more than what fills a frame up.
type shortWrite struct {
	n   int
	err error
}

func (s *shortWrite) Error() string { return s.err.Error() }
func (s *shortWrite) Unwrap() error { return s.err }

// op is a kind of operation.
type op int

const (
	opOpen op = iota
	opRead
	opList
	opWrite // from here on: what changes a disk, counted, and can be cut
	opTruncate
	opDatasync
	opSync
	opCreate
	opRename
	opRemove
	opSyncDir
)

func (o op) String() string {
	return [...]string{"open", "read", "list", "write", "truncate", "datasync", "sync", "create", "rename", "remove", "syncdir"}[o]
}

// crashFS is a file system in memory that knows what of it is on the disk. The
// data and the size of a file get there by datasync or sync, the entries of a
// directory by syncDir; until then each sector, size and entry gets there or
// does not, at random and in any order: see survive.
//
// One thing it takes for granted, as SQLite does ("powersafe overwrite"): the
// bytes of a sector that were not written since they were made durable keep
// their values, whatever becomes of the rest of the sector.
type crashFS struct {
	mu      sync.Mutex
	rng     *rand.Rand
	entries map[string]*inode // as a program sees them
	durable map[string]*inode // as they are on the disk
	pending []dirOp           // what lies between, in order
	locked  map[string]bool
	dead    bool // killed: another one has all that is above
	used    int64
	held    map[*inode]bool // that are open

	steps int // operations so far that change the disk
	cutAt int // the one at which the power goes; 0: never
	down  bool

	budget  int64                           // bytes that files may take; 0: no limit
	full    error                           // what a write beyond it gives
	fail    func(o op, name string) error   // asked before each operation; nil: nothing fails
	watch   func(steps int, o op, n string) // told of each operation that is counted
	sharing bool                            // open files cannot be removed or renamed, as on Windows
}

// dirOp is a change of a directory: after it, the inode is at to and not at
// from. Either may be empty.
type dirOp struct {
	from, to string
	ino      *inode
}

func (d dirOp) apply(entries map[string]*inode) {
	if d.from != "" && entries[d.from] == d.ino {
		delete(entries, d.from)
	}
	if d.to != "" {
		entries[d.to] = d.ino
	}
}

func newCrashFS(rng *rand.Rand) *crashFS {
	return &crashFS{
		rng:     rng,
		entries: make(map[string]*inode),
		durable: make(map[string]*inode),
		locked:  make(map[string]bool),
		held:    make(map[*inode]bool),
		full:    errNoSpace,
	}
}

// gone tells why there is no file system any more; nil: there is.
func (c *crashFS) gone() error {
	switch {
	case c.dead:
		return errDead
	case c.down:
		return errCut
	}
	return nil
}

// step accounts for an operation. It may be done although it gives an error:
// nobody knows of the one that was cut.
func (c *crashFS) step(o op, name string) (do bool, err error) {
	if err := c.gone(); err != nil {
		return false, err
	}
	if c.fail != nil {
		if err := c.fail(o, name); err != nil {
			return false, &fs.PathError{Op: o.String(), Path: name, Err: err}
		}
	}
	if o < opWrite {
		return true, nil
	}
	c.steps++
	if c.watch != nil {
		c.watch(c.steps, o, name)
	}
	if c.steps == c.cutAt {
		c.down = true
		return c.rng.IntN(2) == 0, errCut
	}
	return true, nil
}

func (c *crashFS) mkdir(string) error { // durable at once, as it shall be
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone()
}

func (c *crashFS) open(name string, create bool) (file, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.step(opOpen, name); err != nil {
		return nil, err
	}
	ino := c.entries[name]
	if ino == nil {
		if !create {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		do, err := c.step(opCreate, name)
		if do {
			ino = newInode()
			c.change(dirOp{to: name, ino: ino})
		}
		if err != nil {
			return nil, err
		}
	}
	ino.opens++
	c.held[ino] = true
	return &crashFile{fs: c, ino: ino, name: name}, nil
}

// change makes a change of a directory that is not durable yet.
func (c *crashFS) change(d dirOp) {
	before := c.entries[d.to]
	d.apply(c.entries)
	c.pending = append(c.pending, d)
	for _, ino := range []*inode{d.ino, before} {
		if ino != nil {
			ino.linked = slices.Contains(slices.Collect(maps.Values(c.entries)), ino)
			c.release(ino)
		}
	}
}

// release gives the space of a file back that nobody can reach any more.
func (c *crashFS) release(ino *inode) {
	if !ino.linked && ino.opens == 0 {
		c.used -= ino.space()
		clear(ino.blocks)
	}
}

func (c *crashFS) rename(from, to string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ino := c.entries[from]
	if err := c.changeable(opRename, from, to); err != nil {
		return err
	}
	do, err := c.step(opRename, from)
	if do {
		c.change(dirOp{from: from, to: to, ino: ino})
	}
	return err
}

func (c *crashFS) remove(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ino := c.entries[name]
	if err := c.changeable(opRemove, name, name); err != nil {
		return err
	}
	do, err := c.step(opRemove, name)
	if do {
		c.change(dirOp{from: name, ino: ino})
	}
	return err
}

// changeable tells whether the name exists, and whether it and what it shall
// replace may be touched.
func (c *crashFS) changeable(o op, name, target string) error {
	switch ino, old := c.entries[name], c.entries[target]; {
	case c.gone() != nil:
		return c.gone()
	case ino == nil:
		return &fs.PathError{Op: o.String(), Path: name, Err: fs.ErrNotExist}
	case c.sharing && (ino.opens > 0 || old != nil && old.opens > 0):
		return &fs.PathError{Op: o.String(), Path: name, Err: errSharing}
	}
	return nil
}

// list gives the names in dir, sorted; which are not paths.
func (c *crashFS) list(dir string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.step(opList, dir); err != nil {
		return nil, err
	}
	var names []string
	for name := range c.entries {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (c *crashFS) syncDir(dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.step(opSyncDir, dir); err != nil {
		return err
	}
	c.pending = slices.DeleteFunc(c.pending, func(d dirOp) bool {
		name := d.to
		if name == "" {
			name = d.from
		}
		if filepath.Dir(name) != filepath.Clean(dir) {
			return false
		}
		d.apply(c.durable)
		return true
	})
	return nil
}

func (c *crashFS) lock(dir string) (unlock func() error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone() != nil:
		return nil, c.gone()
	case c.locked[dir]:
		return nil, &journal.LockedError{Name: dir, PID: 1}
	}
	c.locked[dir] = true
	return func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.locked, dir)
		return nil
	}, nil
}

// kill ends the process that uses the file system, and nothing else: what it
// wrote is seen by the next one, which gets the file system that is returned,
// durable or not. The budget stays.
func (c *crashFS) kill() *crashFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	n := newCrashFS(c.rng)
	n.entries, n.durable, n.pending = c.entries, c.durable, c.pending
	n.used, n.budget, n.full, n.sharing = c.used, c.budget, c.full, c.sharing
	n.steps, n.cutAt, n.watch = c.steps, c.cutAt, c.watch
	for ino := range c.held {
		ino.opens = 0
		n.release(ino)
	}
	return n
}

// survive is the file system as a machine finds it after the power cut, all of
// it durable. Each entry that was not synced is as before or as after, each
// sector as before, as at any time since, or garbled, each size likewise; at
// random, but sometimes all of one kind, and entries sometimes in order, as file
// systems with a log of their own would have it. The budget and what shall fail
// are not taken over.
func (c *crashFS) survive(rng *rand.Rand) *crashFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
	found := maps.Clone(c.durable)
	kept := rng.IntN(len(c.pending) + 1)
	mode := rng.IntN(4)
	for i, d := range c.pending {
		if mode == 0 || mode == 1 && i < kept || mode > 1 && rng.IntN(2) == 0 {
			d.apply(found)
		}
	}
	n := newCrashFS(rand.New(rand.NewPCG(rng.Uint64(), 5))) // of its own: it has another lock
	n.sharing = c.sharing
	same := make(map[*inode]*inode) // a file may be found under two names
	for _, name := range slices.Sorted(maps.Keys(found)) {
		ino := found[name]
		if same[ino] == nil {
			same[ino] = ino.survive(rng)
			n.used += same[ino].space()
		}
		n.entries[name] = same[ino]
	}
	n.durable = maps.Clone(n.entries)
	return n
}

// off tells whether the power is gone.
func (c *crashFS) off() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}

// openFiles is how many files are open: of a log that was closed, none.
func (c *crashFS) openFiles() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

// names lists all files, for messages.
func (c *crashFS) names() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(c.entries)), " ")
}

var _ fsys = (*crashFS)(nil)

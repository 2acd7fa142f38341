package file

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	cutSeed = flag.Uint64("cut.seed", 0, "the seed of the first chain of power cuts; 0: a new one")
	cutMore = flag.Int("cut.rounds", 0, "how many power cuts; 0: as many as CI has, or one chain if there is a seed")
)

func newChain(seed uint64) *chain {
	return &chain{rng: rand.New(rand.NewPCG(seed, 0x70776572))}
}

// Each chain is one journal that lives through a few power cuts, for bugs hide
// in what an earlier cut has left behind.
func TestPowerCut_LosesNothingThatWasSynced(t *testing.T) {
	t.Parallel()
	seed, rounds := *cutSeed, int64(*cutMore)
	switch {
	case seed == 0:
		seed = uint64(time.Now().UnixNano())
		if rounds == 0 {
			rounds = cutRounds
		}
	case rounds == 0:
		rounds = 1
	}
	var next, cuts atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() { // waited for below
			for cuts.Load() < rounds && !t.Failed() {
				s := seed + uint64(next.Add(1)-1)
				c := newChain(s)
				if err := c.run(); err != nil {
					t.Errorf("%v\nseed %d, after %d cuts; again: go test ./journal/file -run PowerCut_Loses -cut.seed %d\n%s",
						err, s, cuts.Load(), s, again(s, nil))
				}
				cuts.Add(int64(c.cuts))
			}
		})
	}
	wg.Wait()
	t.Logf("%d power cuts", cuts.Load())
}

// again runs a chain that failed once more, and tells the end of its story.
func again(seed uint64, wrap func(fsys) fsys) string {
	var lines []string
	c := newChain(seed)
	c.wrap = wrap
	var mu sync.Mutex
	c.trace = func(f string, a ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(f, a...))
	}
	err := c.run()
	mu.Lock()
	defer mu.Unlock()
	if len(lines) > 150 {
		lines = lines[len(lines)-150:]
	}
	return fmt.Sprintf("%s\nonce more: %v", strings.Join(lines, "\n"), err)
}

// A simulator that finds nothing proves nothing: these journals leave out one
// thing each that keeps the promise, and must be caught.
func TestPowerCut_TheSimulatorFindsWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, skip := range map[string]func(o op, name string) bool{
		"no sync of data":           func(o op, n string) bool { return o == opDatasync || o == opSync },
		"no sync of segments":       syncOf(".seg", opDatasync, opSync),
		"no sync of what was found": syncOf(".seg", opSync), // opening, after a kill
		"no sync of headers":        syncOf("RESERVE", opDatasync),
		"no sync of CLEAN":          syncOf("CLEAN.tmp", opSync),
		"no sync of FIRST":          syncOf("FIRST", opDatasync),
		"no sync of directories":    func(o op, n string) bool { return o == opSyncDir },
		"every other sync":          everyOther(opDatasync, opSync),
		"every other syncdir":       everyOther(opSyncDir),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3000) {
				c := newChain(seed)
				c.wrap = func(under fsys) fsys { return &forgetful{under, skip} }
				if err := c.run(); err != nil && !errors.Is(err, errCut) {
					t.Logf("found in chain %d: %v", seed, err)
					return
				}
			}
			t.Error("3,000 chains found nothing")
		})
	}
}

func syncOf(suffix string, ops ...op) func(op, string) bool {
	return func(o op, name string) bool { return slices.Contains(ops, o) && strings.HasSuffix(name, suffix) }
}

func everyOther(ops ...op) func(op, string) bool {
	var n atomic.Int64
	return func(o op, _ string) bool {
		return slices.Contains(ops, o) && n.Add(1)%2 == 0
	}
}

// forgetful says that it did what it did not.
type forgetful struct {
	fsys
	skip func(o op, name string) bool
}

func (l *forgetful) open(name string, create bool) (file, error) {
	f, err := l.fsys.open(name, create)
	if err != nil {
		return nil, err
	}
	return &forgetfulFile{f, l, name}, nil
}

func (l *forgetful) syncDir(dir string) error {
	if l.skip(opSyncDir, dir) {
		return nil
	}
	return l.fsys.syncDir(dir)
}

type forgetfulFile struct {
	file
	fs   *forgetful
	name string
}

func (f *forgetfulFile) datasync() error {
	if f.fs.skip(opDatasync, f.name) {
		return nil
	}
	return f.file.datasync()
}

func (f *forgetfulFile) sync() error {
	if f.fs.skip(opSync, f.name) {
		return nil
	}
	return f.file.sync()
}

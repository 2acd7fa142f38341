package file

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

// killDir makes this program the child of a kill test: the environment variable
// names the directory of the journal that it shall write.
const killDir = "REEVE_TEST_KILL_DIR"

func init() {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Stdout))
		os.Exit(1)
	}
}

// A frame says which number it has, and so what is in it: the parent can tell
// without having seen it.
func killFrame(p journal.Pos) []byte {
	rng := rand.New(rand.NewPCG(uint64(p), 2))
	n := 1 + rng.IntN(300)
	switch rng.IntN(200) {
	case 0:
		n = 64<<10 + rng.IntN(20<<10) // larger than a segment
	case 1, 2, 3:
		n = rng.IntN(16<<10) + 1
	}
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
	}
	return b[:n]
}

// What the child tells: a number, and what is true of it from now on.
const (
	killOpened   = 'o' // there is a journal: work begins
	killAppended = 'a' // Append has returned
	killTrimming = 't' // Trim is about to be called
)

func tell(w io.Writer, what byte, p journal.Pos) {
	w.Write(binary.LittleEndian.AppendUint64([]byte{what}, uint64(p)))
}

// writeUntilKilled appends, syncs, trims and reads as fast as it can, and tells
// of it. It returns only because something is wrong.
func writeUntilKilled(dir string, out io.Writer) error {
	ctx := context.Background()
	j, err := Open(dir, Options{SegmentSize: 64 << 10})
	if err != nil {
		return err
	}
	first := journal.Pos(0)
	last, err := j.Replay(ctx, func(p journal.Pos, _ []byte) error {
		if first == 0 {
			first = p
		}
		return nil
	})
	if err != nil {
		return err
	}
	first = max(first, 1)
	tell(out, killOpened, last)
	var from, to atomic.Uint64 // the reader may expect these
	from.Store(uint64(first))
	to.Store(uint64(last))
	readErr := make(chan error, 1)
	go func() { // ends with the process
		for {
			lo, hi := from.Load(), to.Load()
			if hi < lo {
				continue
			}
			p := journal.Pos(lo + rand.Uint64N(hi-lo+1))
			b, err := j.Read(ctx, p)
			switch {
			case errors.Is(err, journal.ErrTrimmed) && uint64(p) < from.Load():
			case err != nil:
				readErr <- err
				return
			case !bytes.Equal(b, killFrame(p)):
				readErr <- fmt.Errorf("read %d gives what was never appended", p)
				return
			}
		}
	}()
	for p := last + 1; ; p++ {
		select {
		case err := <-readErr:
			return err
		default:
		}
		if err := j.Append(ctx, p, killFrame(p), journal.AppendOptions{}); err != nil {
			return err
		}
		tell(out, killAppended, p)
		to.Store(uint64(p))
		switch {
		case p%7 == 0:
			err = j.Sync(ctx)
		case p%501 == 0 && p > first+1000:
			first = p - 500
			tell(out, killTrimming, first)
			from.Store(uint64(first))
			err = j.Trim(ctx, first)
		case p%4001 == 0:
			if err = j.Close(); err == nil {
				return writeUntilKilled(dir, out)
			}
		}
		if err != nil {
			return err
		}
	}
}

// killed runs a child and kills it so long after it was started, or has opened
// the journal. It gives what the child told before.
func killed(t *testing.T, dir string, opened bool, after time.Duration) (appended, trimming journal.Pos) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill := func() { once.Do(func() { time.AfterFunc(after, func() { cmd.Process.Kill() }) }) }
	if !opened {
		kill()
	}
	for r := bufio.NewReader(out); ; {
		var told [9]byte
		if _, err := io.ReadFull(r, told[:]); err != nil {
			break // a torn one was not told
		}
		switch p := journal.Pos(binary.LittleEndian.Uint64(told[1:])); told[0] {
		case killOpened:
			kill()
		case killAppended:
			appended = p
		case killTrimming:
			trimming = p
		}
	}
	cmd.Wait() // an error: it was killed
	if stderr.Len() > 0 {
		t.Fatalf("the child ended by itself: %s", stderr.String())
	}
	return appended, trimming
}

func TestKill_LosesNothingThatWasAppended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, last, total := journal.Pos(1), journal.Pos(0), journal.Pos(0)
	for round := range killRounds {
		after := rand.N(60 * time.Millisecond)
		appended, trimming := killed(t, dir, round%5 > 0, after)
		total += max(appended, last) - last
		first, last = max(first, trimming), max(last, appended)
		if round%2 == 1 {
			continue // the next child finds what this one left
		}
		j, err := Open(dir, Options{SegmentSize: 64 << 10})
		if err != nil {
			t.Fatalf("round %d, killed after %v: %v", round, after, err)
		}
		fs, got, err := replay(j)
		if err != nil {
			t.Fatalf("round %d, killed after %v: %v", round, after, err)
		}
		// One more may have been appended, and not told.
		if got < last {
			t.Fatalf("round %d, killed after %v: the last frame is %d, %d was acknowledged", round, after, got, last)
		}
		if got >= first && (len(fs) == 0 || fs[0].pos > first) {
			t.Fatalf("round %d, killed after %v: frame %d is lost", round, after, first)
		}
		for i, f := range fs {
			if want := got - journal.Pos(len(fs)-1-i); f.pos != want || !bytes.Equal(f.data, killFrame(want)) {
				t.Fatalf("round %d, killed after %v: frame %d is not what was appended", round, after, want)
			}
		}
		last = got
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total == 0 {
		t.Error("no child has appended anything")
	}
	t.Logf("%d kills, %d frames", killRounds, total)
}

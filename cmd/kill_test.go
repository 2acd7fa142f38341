package cmd_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal/file"
)

var (
	killSeed   = flag.Uint64("kill.seed", 0, "the seed of the test that kills masters; 0: a new one")
	killRounds = flag.Int("kill.rounds", killUsual, "how many masters it kills")
)

// Masters that are killed in the midst of their work, one after the other, with
// the same queues and at the same address:
//
//	kill_test.go       the masters, and how they end
//	kill_crew_test.go  who puts, works and takes results meanwhile
//	kill_book_test.go  what they were told, and whether all of it holds
//
// A seed decides how long each master lives and what is put, but not who is
// first.
func TestKill_NothingAcknowledgedIsLostUndoneOrDoneTwice(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-kill.seed=%d -kill.rounds=%d", seed, *killRounds)
	r := &killing{t: t, site: newSite(t).with("REEVE_AUTHKEY=" + killKey), rand: rand.New(rand.NewPCG(seed, 0)), addr: freeAddr(t)}
	r.start()
	c := newCrew(t, r.addr, seed)
	program := r.site.worker(r.addr, "-concurrency", "4", "-label", "program")
	c.begin()
	for range *killRounds {
		if r.rand.IntN(8) > 0 { // some are killed before anybody is back
			c.progress()
		}
		time.Sleep(time.Duration(r.rand.Int64N(int64(60 * time.Millisecond))))
		r.master.kill()
		r.start()
	}
	c.finish("program")
	select {
	case <-program.ended:
		t.Error("the worker has ended")
	default:
	}
	r.master.kill()
	report, err := file.Check(filepath.Join(r.site.dir, "data"))
	if err != nil {
		t.Errorf("the journal: %v", err)
	}
	c.verdict()
	t.Logf("%d masters of %d were killed before they listened; %v; the journal at the end has %d frames, %d bytes of them, and takes %d bytes",
		r.early, r.made, &c.book, report.Frames, report.Bytes, report.Disk)
}

const killKey = "a key for tests only, and a long one"

// killing is one directory of queues and its masters.
type killing struct {
	t      *testing.T
	site   *site
	rand   *rand.Rand
	addr   string
	master *process
	made   int
	early  int
}

// start starts a master that lives until it listens. Those before it, if any,
// are killed while they start.
func (r *killing) start() {
	r.t.Helper()
	for r.made > 0 && r.rand.IntN(8) == 0 {
		r.launch()
		time.Sleep(time.Duration(r.rand.Int64N(int64(30 * time.Millisecond))))
		r.master.kill()
		r.early++
	}
	r.launch()
	r.master.says(`^listening on`)
}

// launch starts a master. Everything survives its kill with any durability, and
// with most payloads out of memory. What was on its way to a client that never
// got it is handed over again when that client is back.
func (r *killing) launch() {
	r.t.Helper()
	args := []string{"-addr", r.addr, "-data", "data", "-queue", "tasks,max-len=2000,attempts=1000,backoff=0", "-queue", "results,max-len=2000,attempts=1000"}
	if r.rand.IntN(4) == 0 {
		args = append(args, "-durability", []string{"interval=10ms", "none"}[r.rand.IntN(2)])
	}
	if r.rand.IntN(3) == 0 {
		args = append(args, "-memory", "1MiB")
	}
	r.master = r.site.start("master", args...)
	r.made++
}

// freeAddr is an address that is free and stays so while nobody listens there:
// no system gives ports of that range away.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		var l net.ListenConfig
		ln, err := l.Listen(context.Background(), "tcp", addr)
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		return addr
	}
	t.Fatal("no port is free")
	return ""
}

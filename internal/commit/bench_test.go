package commit_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal"
)

// idle is a journal that does nothing; sync is how long that takes.
type idle struct {
	journal.Journal
	sync time.Duration
}

func (idle) Append(context.Context, journal.Pos, []byte, journal.AppendOptions) error { return nil }

func (j idle) Sync(context.Context) error {
	for start := time.Now(); time.Since(start) < j.sync; {
		runtime.Gosched() // a Sleep is ten times as long on some systems
	}
	return nil
}

func head(b []byte) []byte { return append(b, "0123456789"...) }

// BenchmarkSection is what a section costs that waits for nothing.
func BenchmarkSection(b *testing.B) {
	rec, ts := make([]byte, 100), []int{1}
	for name, d := range map[string]commit.Durability{"synced": commit.Synced, "written": commit.Written} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			l := commit.New(commit.Config[int]{Journal: idle{}, Head: head, Tell: func([]int, error) {}})
			defer l.Close()
			for b.Loop() {
				l.Leave(l.Enter(), rec, ts, d, -1)
			}
		})
	}
}

// BenchmarkClients has clients that each wait for one section at a time, over a
// journal that does nothing and over one that takes a while to sync.
func BenchmarkClients(b *testing.B) {
	for _, sync := range []time.Duration{0, 100 * time.Microsecond} {
		for _, clients := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("sync=%v/clients=%d", sync, clients), func(b *testing.B) {
				benchClients(b, idle{sync: sync}, clients)
			})
		}
	}
}

func benchClients(b *testing.B, j journal.Journal, clients int) {
	l := commit.New(commit.Config[chan struct{}]{Journal: j, Head: head, Tell: func(ts []chan struct{}, err error) {
		for _, c := range ts {
			c <- struct{}{}
		}
	}})
	defer l.Close()
	b.ReportAllocs()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			rec, ts := make([]byte, 100), []chan struct{}{make(chan struct{}, 1)}
			for range (b.N + i) / clients {
				l.Leave(l.Enter(), rec, ts, commit.Synced, 0)
				<-ts[0]
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if s := l.Stats(); s.Commits > 0 {
		b.ReportMetric(float64(s.Sections)/float64(s.Commits), "sections/commit")
	}
}

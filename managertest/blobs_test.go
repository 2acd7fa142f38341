package managertest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

func bulk(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// gone wants that a blob is there no more.
func gone(t *testing.T, o reeve.Objects, ref reeve.BlobRef) {
	t.Helper()
	if i, err := shared.Blobs(o).Stat(t.Context(), ref); !errors.Is(err, reeve.ErrNoSuchBlob) {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestBlobs_StreamBothWays(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		content := bulk(8<<20 + 5)
		from, to := m.Dial(t), m.Dial(t)
		var progress []int64
		ref, err := shared.Blobs(from).Put(t.Context(), bytes.NewReader(content), shared.BlobChunk(64<<10), shared.BlobProgress(func(done, size int64) {
			if size != int64(len(content)) {
				t.Errorf("of %d bytes", size)
			}
			progress = append(progress, done)
		}))
		if err != nil || ref.Size != int64(len(content)) {
			t.Fatalf("%v, %v", ref, err)
		}
		if n := len(progress); n < 2 || progress[n-1] != ref.Size {
			t.Errorf("progress: %d times", n)
		}
		for _, o := range []reeve.Objects{to, m.Manager()} {
			got, err := shared.Blobs(o).Get(t.Context(), ref)
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%T: %d bytes, %v", o, len(got), err)
			}
		}
		b, err := shared.Blobs(to).Open(t.Context(), reeve.BlobRef{Hash: ref.Hash})
		if err != nil || b.Size() != ref.Size || b.Ref() != ref {
			t.Fatalf("%v, %v", b, err)
		}
		var got bytes.Buffer
		if n, err := io.Copy(&got, b); err != nil || n != ref.Size || !bytes.Equal(got.Bytes(), content) {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if at, err := b.Seek(-100, io.SeekEnd); err != nil || at != ref.Size-100 {
			t.Errorf("%d, %v", at, err)
		}
		if tail, err := io.ReadAll(b); err != nil || !bytes.Equal(tail, content[ref.Size-100:]) {
			t.Errorf("%d bytes, %v", len(tail), err)
		}
		part := make([]byte, 3<<20)
		if n, err := b.ReadAt(part, 1<<20+1); err != nil || n != len(part) || !bytes.Equal(part, content[1<<20+1:][:n]) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if n, err := b.ReadAt(part, ref.Size-10); err != io.EOF || n != 10 || !bytes.Equal(part[:10], content[ref.Size-10:]) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if n, err := b.ReadAt(part, ref.Size); err != io.EOF || n != 0 {
			t.Errorf("%d bytes, %v", n, err)
		}
		for _, bad := range []func() error{
			func() error { _, err := b.Seek(-1, io.SeekStart); return err },
			func() error { _, err := b.Seek(0, 7); return err },
			func() error { _, err := b.ReadAt(part, -1); return err },
		} {
			if err := bad(); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if _, err := b.Read(part); !errors.Is(err, reeve.ErrClosed) || !errors.Is(b.Close(), reeve.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// A blob lives as long as a task names it, and what is kept of that; nobody needs
// to hold it.
func TestBlobs_LiveWithTheTasksThatNameThem(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, q reeve.Queue){
		"acked":  func(t *testing.T, q reeve.Queue) { takeNamed(t, q).Ack(t.Context()) },
		"buried": func(t *testing.T, q reeve.Queue) { takeNamed(t, q).Bury(t.Context(), "no") },
	} {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{DeadFor: time.Hour})
				producer, worker := m.Dial(t), m.Dial(t)
				ref, err := shared.Blobs(producer).PutBytes(t.Context(), []byte("content"))
				if err != nil {
					t.Fatal(err)
				}
				_, err = producer.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("task")}}, reeve.WithBlobs(ref), reeve.KeepResult(time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				producer.Close()
				time.Sleep(24 * time.Hour)
				end(t, worker.Queue("tasks"))
				if name == "acked" {
					time.Sleep(59 * time.Minute) // its result is kept
				}
				if got, err := shared.Blobs(worker).Get(t.Context(), ref); err != nil || string(got) != "content" {
					t.Fatalf("%q, %v", got, err)
				}
				time.Sleep(2*time.Hour + 2*time.Minute)
				gone(t, worker, ref)
			})
		})
	}
}

// one gets one task.
func one(t *testing.T, q reeve.Queue) *reeve.Lease {
	t.Helper()
	ls, err := q.Get(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return ls[0]
}

// takeNamed gets the task of the test, and checks what it names.
func takeNamed(t *testing.T, q reeve.Queue) *reeve.Lease {
	t.Helper()
	l := one(t, q)
	if r := l.Task.Rules; r == nil || len(r.Blobs) != 1 || r.Blobs[0].Size != 7 {
		t.Fatalf("its rules are %+v", r)
	}
	return l
}

// What a result names lives with it, too: where it is a task, and where it is kept.
func TestBlobs_LiveWithTheResultsThatNameThem(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
		m.Declare(t, "results", reeve.QueueConfig{})
		c, worker := m.Dial(t), m.Dial(t)
		var refs []reeve.BlobRef
		for _, to := range []string{"", "results"} {
			if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("task")}}); err != nil {
				t.Fatal(err)
			}
			l := one(t, worker.Queue("tasks"))
			ref, err := shared.Blobs(worker).PutBytes(t.Context(), []byte("result for "+to))
			if err != nil {
				t.Fatal(err)
			}
			unknown := &reeve.Rules{Blobs: []reeve.BlobRef{{Hash: reeve.BlobHash{1}, Size: 1}}}
			if err := l.Complete(t.Context(), to, reeve.Task{Rules: unknown}); !errors.Is(err, reeve.ErrNoSuchBlob) {
				t.Errorf("an unknown blob: %v", err)
			}
			if err := l.Complete(t.Context(), to, reeve.Task{Payload: []byte("r"), Rules: &reeve.Rules{Blobs: []reeve.BlobRef{ref}}}); err != nil {
				t.Fatal(err)
			}
			refs = append(refs, ref)
		}
		worker.Close()
		time.Sleep(50 * time.Minute)
		for _, ref := range refs {
			if _, err := shared.Blobs(c).Stat(t.Context(), ref); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Hour)
		gone(t, c, refs[0])
		l := one(t, c.Queue("results"))
		if r := l.Task.Rules; r == nil || len(r.Blobs) != 1 || r.Blobs[0] != refs[1] {
			t.Fatalf("%+v", r)
		}
		if err := l.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		gone(t, c, refs[1])
	})
}

// Of a batch those are refused that name what is not there; what they name besides
// is not kept because of them.
func TestBlobs_UnknownOnesAreRefusedWithTheirTask(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		ref, err := shared.Blobs(c).PutBytes(t.Context(), []byte("content"))
		if err != nil {
			t.Fatal(err)
		}
		unknown := reeve.BlobRef{Hash: reeve.BlobHash{1}, Size: 1}
		for _, q := range []reeve.Queue{c.Queue("tasks"), must(m.Manager().Lookup("tasks"))} {
			if _, err := q.Put(t.Context(), []reeve.Task{{Payload: []byte("task")}}, reeve.WithBlobs(ref, unknown)); !errors.Is(err, reeve.ErrNoSuchBlob) {
				t.Errorf("%T: %v", q, err)
			}
			if _, err := q.Put(t.Context(), []reeve.Task{{Payload: []byte("task")}}, reeve.WithBlobs(reeve.BlobRef{})); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%T: %v", q, err)
			}
		}
		i, err := shared.Blobs(c).Stat(t.Context(), ref)
		if err != nil || i.Tasks != 0 || i.Clients != 1 {
			t.Errorf("%+v, %v", i, err)
		}
		managertest.AssertReady(t, c.Queue("tasks"), 0)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestBlobs_GoWithTheQueueThatIsDeleted(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{KeepResult: time.Hour})
		ctx := t.Context()
		var refs []reeve.BlobRef
		for _, text := range []string{"ready", "leased", "kept"} {
			c := m.Dial(t)
			ref, err := shared.Blobs(c).PutBytes(ctx, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := q.Put(ctx, []reeve.Task{{Payload: []byte(text)}}, reeve.WithBlobs(ref)); err != nil {
				t.Fatal(err)
			}
			if text == "kept" {
				ls, err := q.Get(ctx, 3)
				if err != nil || len(ls) != 3 {
					t.Fatal(err)
				}
				if err := errors.Join(ls[0].Return(ctx), ls[2].Ack(ctx)); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			refs = append(refs, ref)
		}
		time.Sleep(10 * time.Minute)
		for _, ref := range refs {
			if _, err := shared.Blobs(m.Manager()).Stat(ctx, ref); err != nil {
				t.Error(err)
			}
		}
		if err := m.Manager().DeleteQueue(ctx, "tasks", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		for _, ref := range refs {
			gone(t, m.Manager(), ref)
		}
	})
}

// Transfers go on over connections that are lost again and again, and over masters
// that are restarted.
func TestBlobs_GoOnOverFaults(t *testing.T) {
	for name, restarts := range map[string]bool{"connections": false, "masters": true} {
		t.Run(name, func(t *testing.T) {
			j, _ := powerCuts(t)
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				const clients = 3
				rnd := rand.New(rand.NewPCG(*behaveSeed, 17))
				var wg sync.WaitGroup
				for i := range clients {
					c := m.Dial(t)
					wg.Go(func() {
						content := bulk(100_000 + i)
						for range 5 {
							ref, err := shared.Blobs(c).PutBytes(t.Context(), content, shared.BlobChunk(1000))
							if err != nil {
								t.Errorf("-behave.seed=%d: put: %v", *behaveSeed, err)
								return
							}
							time.Sleep(time.Second)
							got, err := shared.Blobs(c).Get(t.Context(), ref)
							if err != nil || !bytes.Equal(got, content) {
								t.Errorf("-behave.seed=%d: get: %d bytes, %v", *behaveSeed, len(got), err)
								return
							}
							content = append(content[:len(content):len(content)], 'x')
						}
					})
				}
				done := make(chan struct{})
				go func() { wg.Wait(); close(done) }()
				for running := true; running; {
					select {
					case <-done:
						running = false
					case <-time.After(time.Duration(rnd.IntN(300)) * time.Millisecond):
						if restarts && rnd.IntN(3) == 0 {
							m.Restart(t)
						} else {
							m.Disconnect()
						}
					}
				}
			}, manager.Config{Journal: j, Blobs: manager.BlobConfig{Dir: t.TempDir()}})
		})
	}
}

// After a restart a blob is there as long as a task of the journal names it; one
// that is damaged is named to who reads it, and can be put again.
func TestBlobs_OutliveTheMasterWithTheirTasks(t *testing.T) {
	j, _ := powerCuts(t)
	dir := t.TempDir()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		content := bulk(2 << 20)
		ref, err := shared.Blobs(c).PutBytes(t.Context(), content)
		if err != nil {
			t.Fatal(err)
		}
		other, err := shared.Blobs(c).PutBytes(t.Context(), []byte("nobody's"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("task")}}, reeve.WithBlobs(ref)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		m.Restart(t)
		time.Sleep(2 * time.Minute)
		c = m.Dial(t)
		gone(t, c, other)
		if i, err := shared.Blobs(c).Stat(t.Context(), ref); err != nil || i.Tasks != 1 || i.Ref != ref {
			t.Fatalf("%+v, %v", i, err)
		}
		digits := ref.Hash.String()
		path := filepath.Join(dir, "blobs", digits[:2], digits)
		if err := os.Truncate(path, 1<<20); err != nil {
			t.Fatal(err)
		}
		m.Restart(t)
		_, err = shared.Blobs(c).Get(t.Context(), ref)
		if !errors.Is(err, reeve.ErrNoSuchBlob) || !bytes.Contains([]byte(err.Error()), []byte(path)) {
			t.Fatalf("%v", err)
		}
		if _, err := shared.Blobs(c).PutBytes(t.Context(), content); err != nil {
			t.Fatal(err)
		}
		c.Close()
		m.Restart(t)
		time.Sleep(time.Hour)
		c = m.Dial(t)
		if got, err := shared.Blobs(c).Get(t.Context(), ref); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if err := one(t, c.Queue("tasks")).Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		gone(t, c, ref)
	}, manager.Config{Journal: j, Blobs: manager.BlobConfig{Dir: dir}})
}

// A client that is gone in the middle of a Put leaves nothing behind for long.
func TestBlobs_OfAClientThatIsGoneGo(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := shared.Blobs(c).PutBytes(ctx, bulk(1<<20), shared.BlobChunk(10_000), shared.BlobProgress(func(done, _ int64) {
			if done > 500_000 {
				cancel()
			}
		}))
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
		c.Close()
		if n := m.Manager().Stats().Blobs; n.Uploads != 1 || n.Bytes < 500_000 {
			t.Errorf("%+v", n)
		}
		time.Sleep(11 * time.Minute)
		if n := m.Manager().Stats().Blobs; n.Uploads != 0 || n.Bytes != 0 || n.Blobs != 0 {
			t.Errorf("%+v", n)
		}
	})
}

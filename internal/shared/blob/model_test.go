package blob_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// modelBlob is what a plain program would note about a blob.
type modelBlob struct {
	content []byte
	ref     reeve.BlobRef
	there   bool
	tasks   int
	holds   map[int]int // by client
	free    time.Time   // since when nobody refers to it
}

func (b *modelBlob) referred() bool { return b.tasks > 0 || len(b.holds) > 0 }

const modelGrace = 10 * time.Second

// model runs steps at random, and compares after each.
type model struct {
	t       *testing.T
	r       *rand.Rand
	f       *fixture
	blobs   []*modelBlob
	clients map[int]*shared.Caller
	last    int
}

// settle lets the time that is over count.
func (m *model) settle() {
	for _, b := range m.blobs {
		if b.there && !b.referred() && !time.Now().Before(b.free.Add(modelGrace)) {
			b.there = false
		}
	}
}

// touched notes what a step did to b.
func (m *model) touched(b *modelBlob) {
	if !b.referred() {
		b.free = time.Now()
	}
}

func (m *model) client() (int, *shared.Caller) {
	for n, c := range m.clients {
		return n, c
	}
	m.last++
	m.clients[m.last] = m.f.again(byte(m.last))
	return m.last, m.clients[m.last]
}

func (m *model) step() {
	b := m.blobs[m.r.IntN(len(m.blobs))]
	n, c := m.client()
	s, ctx := public.Blobs(c), context.Background()
	refs := []reeve.BlobRef{b.ref}
	expect := func(err error) bool {
		m.t.Helper()
		if (err == nil) != b.there || err != nil && !errors.Is(err, reeve.ErrNoSuchBlob) {
			m.t.Fatalf("it is there: %v; %v", b.there, err)
		}
		return err == nil
	}
	switch m.r.IntN(12) {
	case 0, 1:
		mustPut(m.t, c, b.content, public.BlobChunk(40))
		b.there = true
		b.holds[n]++
	case 2:
		_, err := s.Hold(ctx, b.ref)
		if expect(err) {
			b.holds[n]++
		}
	case 3, 4:
		if err := s.Release(ctx, b.ref); err != nil {
			m.t.Fatal(err)
		}
		if b.holds[n] > 0 {
			if b.holds[n]--; b.holds[n] == 0 {
				delete(b.holds, n)
				m.touched(b)
			}
		}
	case 5:
		if expect(m.f.store.Take(refs)) {
			b.tasks++
		}
	case 6, 7:
		if b.tasks > 0 {
			m.f.store.Drop(refs)
			b.tasks--
			m.touched(b)
		}
	case 8:
		if m.r.IntN(4) == 0 {
			m.f.store.Keep(refs)
			b.tasks++
		}
	case 9:
		got, err := s.Get(ctx, b.ref)
		if expect(err) {
			m.touched(b)
			if string(got) != string(b.content) {
				m.t.Fatal("another content")
			}
		}
	case 10:
		if m.r.IntN(3) == 0 {
			c.Close(true)
			delete(m.clients, n)
			for _, b := range m.blobs {
				if b.holds[n] > 0 {
					delete(b.holds, n)
					m.touched(b)
				}
			}
		} else {
			m.last++
			m.clients[m.last] = m.f.again(byte(m.last))
		}
	case 11:
		time.Sleep(time.Duration(m.r.IntN(8)) * time.Second)
	}
	time.Sleep(time.Millisecond) // no two things at the same time
	synctest.Wait()
	m.settle()
	there, size := 0, int64(0)
	for _, b := range m.blobs {
		if b.there {
			there++
			size += b.ref.Size
		}
	}
	if n := m.f.store.Stats(); n.Blobs != there || n.Bytes != size || n.Uploads != 0 {
		m.t.Fatalf("%+v, want %d blobs of %d bytes", n, there, size)
	}
	m.f.check()
}

func TestStore_IsWhatAPlainProgramWouldNote(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		seed := uint64(i)
		if i > 0 {
			seed = rand.Uint64()
		}
		synctest.Test(t, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			})
			m := &model{t: t, r: rand.New(rand.NewPCG(seed, 0)), f: open(t, blob.Config{Grace: modelGrace}), clients: map[int]*shared.Caller{}}
			for n := range 5 {
				b := contentOf(50*n + 1)
				m.blobs = append(m.blobs, &modelBlob{content: b, ref: refOf(b), holds: map[int]int{}})
			}
			for range 300 {
				m.step()
			}
			m.f.close()
		})
		if t.Failed() {
			return
		}
	}
}

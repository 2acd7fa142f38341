package queue

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/reeveq/reeve"
)

// The model: a plain map that is looked through at every step.
func TestUniques_AgreesWithAMap(t *testing.T) {
	t.Parallel()
	type entry struct {
		id    reeve.ID
		mode  reeve.UniqueMode
		until int64
	}
	rnd := rand.New(rand.NewPCG(9, 10))
	var u uniques
	want := map[string]entry{}
	now, next := int64(0), reeve.ID(0)
	taken := func(key string) (reeve.ID, bool) {
		e, ok := want[key]
		ok = ok && e.until > now
		if !ok {
			e.id = 0
		}
		return e.id, ok
	}
	for range 100_000 {
		now += rnd.Int64N(3)
		key := fmt.Sprint("key", rnd.IntN(200))
		id, ok := u.find(key, now)
		if wantID, wantOK := taken(key); id != wantID || ok != wantOK {
			t.Fatalf("%s at %d: %v %v, want %v %v", key, now, id, ok, wantID, wantOK)
		}
		switch rnd.IntN(5) {
		case 0, 1, 2:
			if !ok {
				next++
				e := entry{id: next, mode: reeve.UniqueMode(rnd.IntN(3)), until: never}
				if e.mode == reeve.UniqueForTime && rnd.IntN(4) > 0 {
					e.until = now + rnd.Int64N(300)
				}
				u.claim(key, e.id, e.mode, e.until)
				want[key] = e
			}
		case 3:
			id := want[key].id + reeve.ID(rnd.IntN(2)) // or one that has not got it
			u.release(key, id)
			if e, ok := want[key]; ok && e.id == id && e.mode != reeve.UniqueForTime {
				delete(want, key)
			}
		case 4:
			before, n, most := u.bytes(), u.len(), rnd.IntN(5)
			released := u.expire(now, most)
			if released != before-u.bytes() || n-u.len() > most {
				t.Fatalf("released %d bytes, %d keys of at most %d; bytes fell by %d", released, n-u.len(), most, before-u.bytes())
			}
			if n-u.len() < most && u.nextDue() <= now {
				t.Fatal("more is due, and was left")
			}
		}
		if rnd.IntN(100) > 0 {
			continue
		}
		u.expire(now, 1000)
		var bytes int64
		earliest := int64(never)
		for key, e := range want {
			if e.until <= now {
				delete(want, key)
				continue
			}
			if e.mode == reeve.UniqueForTime {
				bytes += uniqueCost(key)
			}
			earliest = min(earliest, e.until)
		}
		if u.len() != len(want) || u.bytes() != bytes || u.nextDue() != earliest {
			t.Fatalf("%d keys, %d bytes, due %d; want %d, %d, %d", u.len(), u.bytes(), u.nextDue(), len(want), bytes, earliest)
		}
	}
}

func TestUniques_AKeyIsFreeAtTheMomentItsTimeIsOver(t *testing.T) {
	t.Parallel()
	var u uniques
	u.claim("a", 1, reeve.UniqueForTime, 100)
	if id, ok := u.find("a", 99); !ok || id != 1 {
		t.Fatal("free too early")
	}
	if _, ok := u.find("a", 100); ok {
		t.Fatal("taken at its end")
	}
	u.claim("a", 2, reeve.UniqueForTime, 200) // before expire saw the first
	if u.len() != 1 || u.bytes() != uniqueCost("a") || u.nextDue() != 200 {
		t.Fatalf("%d keys, %d bytes, due %d", u.len(), u.bytes(), u.nextDue())
	}
	u.release("a", 1)
	u.release("a", 2)
	if id, ok := u.find("a", 199); !ok || id != 2 {
		t.Fatal("the key is free before its time")
	}
	if n := u.expire(200, 10); n != uniqueCost("a") || u.len() != 0 || u.bytes() != 0 || u.nextDue() != never {
		t.Fatalf("released %d, left %d keys", n, u.len())
	}
}

func TestUniques_VeryManyKeysComeAndGoAndTheirMemoryComesBack(t *testing.T) {
	var u uniques
	before := heapInUse()
	const n = 250_000
	for i := range n {
		u.claim(fmt.Sprint("https://example.org/", i), reeve.ID(i+1), reeve.UniqueForTime, int64(i))
	}
	held := heapInUse() - before
	if cost := u.bytes(); held > cost || held < cost/3 {
		t.Errorf("%d keys take %d bytes, and count for %d", n, held, cost)
	}
	for u.nextDue() < n-100 {
		u.expire(n-101, 1000)
	}
	if u.len() != 100 || u.bytes() > 100*200 {
		t.Fatalf("%d keys of %d bytes are left", u.len(), u.bytes())
	}
	if left := heapInUse() - before; left > held/20 {
		t.Errorf("100 of %d keys take %d bytes; all took %d", n, left, held)
	}
	if _, ok := u.find(fmt.Sprint("https://example.org/", n-1), 0); !ok {
		t.Error("a key that is taken is gone")
	}
}

// heapInUse is the memory of all that lives.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// benchKeys are the texts of keys, as many as the benchmarks go through.
func benchKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("customer-%d", i)
	}
	return keys
}

// BenchmarkUniques is find, claim and, a thousand keys later, release, with so
// many others taken.
func BenchmarkUniques(b *testing.B) {
	for _, mode := range []reeve.UniqueMode{reeve.UniqueUntilDone, reeve.UniqueForTime} {
		for _, n := range []int{1000, 1_000_000} {
			b.Run(fmt.Sprintf("%v/%s", mode, sizeName(n)), func(b *testing.B) {
				keys := benchKeys(n + 2000)
				until := int64(never)
				var u uniques
				for i, key := range keys[2000:] {
					if mode == reeve.UniqueForTime {
						until = 1<<40 + int64(i)
					}
					u.claim(key, 1, mode, until)
				}
				b.ReportAllocs()
				now := int64(0)
				for b.Loop() {
					now++
					key := keys[now%2000]
					if _, taken := u.find(key, now); taken {
						b.Fatal("taken")
					}
					if mode == reeve.UniqueForTime {
						u.claim(key, 2, mode, now+1000)
						u.expire(now, 10)
						continue
					}
					u.claim(key, 2, mode, never)
					u.release(keys[(now+1000)%2000], 2)
				}
			})
		}
	}
}

// BenchmarkUniquesPlainMap is the same with a plain map.
func BenchmarkUniquesPlainMap(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(sizeName(n), func(b *testing.B) {
			keys := benchKeys(n + 2000)
			m := map[string]reeve.ID{}
			for _, key := range keys[2000:] {
				m[key] = 1
			}
			b.ReportAllocs()
			now := int64(0)
			for b.Loop() {
				now++
				key := keys[now%2000]
				if _, taken := m[key]; taken {
					b.Fatal("taken")
				}
				m[key] = 2
				delete(m, keys[(now+1000)%2000])
			}
		})
	}
}

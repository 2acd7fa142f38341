package container

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// kept is a journal of objects that is kept in memory.
type kept struct {
	mu      sync.Mutex
	objects []shared.Restored
	places  []map[string]int // of the keys of each object in its entries
	wrong   error
}

func (j *kept) Room() error                     { return nil }
func (j *kept) Drop(uint32, func(error))        {}
func (j *kept) Follow(uint32, func(error)) bool { return false }

func (j *kept) Add(typ, name string, config []byte) uint32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	no := uint32(len(j.objects))
	j.objects = append(j.objects, shared.Restored{No: no, Type: typ, Name: name, Config: slices.Clone(config)})
	j.places = append(j.places, map[string]int{})
	return no
}

func (j *kept) Change(no uint32, entries []shared.Entry, _ *shared.CallID, _ []byte, told func(error)) {
	go told(nil) // the call waits for it
	j.mu.Lock()
	defer j.mu.Unlock()
	o, places := &j.objects[no], j.places[no]
	for _, e := range entries {
		i, known := places[e.Key]
		switch last := len(o.Entries) - 1; {
		case e.Gone && !known:
			j.wrong = fmt.Errorf("a key %q of the %s is deleted that is not there", e.Key, o.Type)
		case e.Gone:
			o.Entries[i] = o.Entries[last]
			places[o.Entries[i].Key] = i
			delete(places, e.Key)
			o.Entries = o.Entries[:last]
		case known:
			o.Entries[i] = e
		default:
			places[e.Key] = len(o.Entries)
			o.Entries = append(o.Entries, e)
		}
	}
}

// host is a master that begins with what was kept.
func (j *kept) host(t *testing.T) (*shared.Host, *shared.Caller) {
	t.Helper()
	h := shared.New(shared.Config{})
	Add(h)
	t.Cleanup(h.Close)
	j.mu.Lock()
	defer j.mu.Unlock()
	var objects []shared.Restored
	for _, o := range j.objects {
		o.Entries = slices.Clone(o.Entries)
		objects = append(objects, o)
	}
	if err := h.Restore(j, objects); err != nil {
		t.Fatal(err)
	}
	return h, h.NewCaller(shared.ClientID{}, shared.Who{Name: "test"})
}

// contents are what all containers have.
func contents(t *testing.T, c *shared.Caller) string {
	t.Helper()
	var all []string
	for _, q := range []struct {
		name, method string
		args         []any
	}{
		{"map", "snapshot", []any{keysOfPage | valuesOfPage, 0}},
		{"namespace", "snapshot", []any{keysOfPage | valuesOfPage, 0}},
		{"set", "snapshot", []any{0}},
		{"list", "snapshot", []any{false, 0}},
		{"array", "snapshot", []any{false, 0}},
		{"value", "changes", []any{0, 0}},
	} {
		var page []codec.Encoded
		if err := codec.CBOR.Unmarshal(call(t, c, q.name, q.method, q.args...), &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %x", q.name, page[min(2, len(page)-1):]))
	}
	return strings.Join(all, "\n")
}

// What is counted is what there is, after whatever was done, and all of it comes
// back when the master is restarted.
func TestCalls_CountBytesRightAndAreKept(t *testing.T) {
	t.Parallel()
	for seed := range uint64(15) {
		randomCalls(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

func randomCalls(t *testing.T, r *rand.Rand) {
	t.Helper()
	j := &kept{}
	h, c := j.host(t)
	for _, s := range specs {
		spec := map[int]any{2: 8192}
		switch s.typ {
		case "map":
			spec[1] = 20
		case "array":
			spec[3] = 6
		}
		b, err := codec.Deterministic.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Declare(c.Client(), s.typ, s.typ, b, true); err != nil {
			t.Fatal(err)
		}
	}
	for range 400 {
		name, method, args := randomCall(r)
		b, err := codec.CBOR.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		// Some are refused, which is no matter.
		_, _ = c.CallObject(t.Context(), &reeve.ObjectCall{Ref: reeve.Ref{Name: name}, Method: method, Args: b})
		consistent(t, h, c, name)
	}
	before := contents(t, c)
	h, c = j.host(t)
	if after := contents(t, c); after != before || j.wrong != nil {
		t.Fatalf("after a restart:\n%s\nbefore:\n%s\n%v", after, before, j.wrong)
	}
	for _, s := range specs {
		consistent(t, h, c, s.typ)
	}
}

// randomCall is a change of any container.
func randomCall(r *rand.Rand) (name, method string, args []any) {
	pick := func(list ...any) any { return list[r.IntN(len(list))] }
	key := func() any { return r.IntN(30) }
	value := func() any { return pick(1, 2, r.IntN(1e6), strings.Repeat("x", r.IntN(1500))) }
	ttl := func() any { return pick(1, time.Hour, -1, 0) }
	index := func() any { return r.IntN(40) - 20 }
	bound := func() any { return pick(nil, index()) }
	several := func(f func() any) []any {
		list := make([]any, r.IntN(7))
		for i := range list {
			list[i] = f()
		}
		return list
	}
	algebra := func() any {
		return pick("update", "differenceupdate", "symmetricdifferenceupdate", "intersectionupdate")
	}
	calls := []func() (string, any, []any){
		func() (string, any, []any) { return "map", "set", []any{key(), value(), ttl()} },
		func() (string, any, []any) {
			keys := several(key)
			values := make([]any, len(keys))
			for i := range values {
				values[i] = value()
			}
			return "map", "setmany", []any{keys, values, ttl()}
		},
		func() (string, any, []any) { return "map", pick("delete", "pop"), []any{key()} },
		func() (string, any, []any) { return "map", "deletemany", []any{several(key)} },
		func() (string, any, []any) { return "map", "expire", []any{key(), ttl()} },
		func() (string, any, []any) { return "map", "compareandswap", []any{key(), 1, value()} },
		func() (string, any, []any) { return "namespace", pick("set", "setdefault"), []any{key(), value(), 0} },
		func() (string, any, []any) { return "namespace", "mergefrom", []any{reeve.Ref{Name: "namespace"}} },
		func() (string, any, []any) { return "set", "add", []any{key(), ttl()} },
		func() (string, any, []any) { return "set", "addmany", []any{several(key), ttl()} },
		func() (string, any, []any) { return "set", algebra(), []any{[]any{[]any{nil, several(key)}}} },
		func() (string, any, []any) { return "list", "append", []any{several(value)} },
		func() (string, any, []any) { return "list", "insert", []any{index(), value()} },
		func() (string, any, []any) { return "list", pick("delete", "pop"), []any{index()} },
		func() (string, any, []any) { return "list", "set", []any{index(), value()} },
		func() (string, any, []any) {
			return "list", "setslice", []any{bound(), bound(), pick(nil, 1, 2, -1), several(value)}
		},
		func() (string, any, []any) {
			return "list", "deleteslice", []any{bound(), bound(), pick(nil, 2, -1, -3)}
		},
		func() (string, any, []any) { return "list", "repeat", []any{r.IntN(4)} },
		func() (string, any, []any) {
			return pick("list", "map", "set").(string), pick("reverse", "clear", "pop", "popitem"), []any{}
		},
		func() (string, any, []any) { return "array", "set", []any{index(), value()} },
		func() (string, any, []any) { return "array", "setslice", []any{bound(), bound(), nil, several(value)} },
		func() (string, any, []any) { return "value", "set", []any{value()} },
	}
	name, m, args := calls[r.IntN(len(calls))]()
	return name, m.(string), args
}

// However often something is inserted in one place, keys stay short, and few are
// written again.
func TestList_KeysStayShortWhereverElementsCome(t *testing.T) {
	t.Parallel()
	const n = 1500
	for name, place := range map[string]func(i int) int{
		"behind the first":    func(int) int { return 1 },
		"before the last":     func(i int) int { return i + 7 },
		"in the middle":       func(i int) int { return (i + 8) / 2 },
		"around the middle":   func(i int) int { return (i+8)/2 + i%3 - 1 },
		"always as the first": func(int) int { return 0 },
	} {
		j := &kept{}
		h, c := j.host(t)
		if _, err := h.Declare(c.Client(), "list", "list", nil, true); err != nil {
			t.Fatal(err)
		}
		call(t, c, "list", "append", []int{1, 2, 3, 4, 5, 6, 7, 8})
		for i := range n {
			call(t, c, "list", "insert", place(i), i)
		}
		j.mu.Lock()
		for _, e := range j.objects[0].Entries {
			if len(e.Key) > maxOrderKey {
				t.Errorf("%s: a key of %d bytes", name, len(e.Key))
			}
		}
		j.mu.Unlock()
		before := call(t, c, "list", "slice", nil, nil, nil)
		_, c = j.host(t)
		after := call(t, c, "list", "slice", nil, nil, nil)
		if x, y := elementsOf(t, before), elementsOf(t, after); x != y {
			t.Errorf("%s: another list after a restart: %s, was %s", name, y, x)
		}
	}
}

func elementsOf(t *testing.T, page []byte) string {
	t.Helper()
	var parts []codec.Encoded
	if err := codec.CBOR.Unmarshal(page, &parts); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", parts[3])
}

var _ shared.Journal = (*kept)(nil)

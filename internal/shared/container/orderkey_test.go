package container

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestKeyBetween_IsBetweenOrEmpty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		keys := []string{keyBetween("", "")}
		for step := range 2000 {
			i := r.IntN(len(keys) + 1)
			if seed%2 == 0 { // close to one place
				i = min(len(keys), 3+step%2)
			}
			a, b := "", ""
			if i > 0 {
				a = keys[i-1]
			}
			if i < len(keys) {
				b = keys[i]
			}
			k := keyBetween(a, b)
			if k == "" { // there is no room; a list makes new ones
				keys = keys[:1]
				continue
			}
			if _, _, ok := cutKey(k); !ok || a != "" && k <= a || b != "" && k >= b {
				t.Fatalf("between %q and %q: %q", a, b, k)
			}
			keys = slices.Insert(keys, i, k)
		}
	}
}

func TestKeyBetween_GivesUpAtTheEndsOfTheNumbers(t *testing.T) {
	t.Parallel()
	if k := keyBetween(label(labels-1), ""); k != "" {
		t.Errorf("after the last: %q", k)
	}
	if k := keyBetween("", label(0)); k != "" {
		t.Errorf("before the first: %q", k)
	}
	if n, f, ok := cutKey(label(labels - 1)); n != labels-1 || f != "" || !ok {
		t.Errorf("%d, %q, %v", n, f, ok)
	}
	for _, bad := range []string{"", "short", "0123456789-", "01234567890"} {
		if _, _, ok := cutKey(bad); ok {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestKeysBetween_AreInOrder(t *testing.T) {
	t.Parallel()
	lo, hi := label(5_000_000), label(5_000_003)
	for _, c := range []struct{ a, b string }{{"", ""}, {lo, ""}, {"", hi}, {lo, hi}} {
		keys := make([]string, 300)
		if !keysBetween(c.a, c.b, keys) {
			t.Fatalf("none between %q and %q", c.a, c.b)
		}
		if !slices.IsSorted(keys) || len(slices.Compact(keys)) != 300 || c.a != "" && keys[0] <= c.a || c.b != "" && keys[299] >= c.b {
			t.Errorf("between %q and %q: %q", c.a, c.b, keys)
		}
	}
}

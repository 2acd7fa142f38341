package container

import (
	"math"
	"slices"
	"testing"

	"github.com/reeveq/reeve/codec"
)

func encoded(t testing.TB, v any) string {
	t.Helper()
	b, err := codec.Deterministic.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNumber_IsReadInEveryWidth(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, 1, -2, 0.5, 65504, 5.960464477539063e-08, 1.1, math.MaxFloat32, math.MaxFloat64, math.Inf(1), math.Inf(-1), 0.00006103515625} {
		if x, ok := asNumber([]byte(encoded(t, f))); !ok || x.whole != nil || x.float != f {
			t.Errorf("%v is read as %v, %v", f, x.float, ok)
		}
	}
	if x, ok := asNumber([]byte(encoded(t, math.NaN()))); !ok || !math.IsNaN(x.float) {
		t.Errorf("NaN is read as %v, %v", x.float, ok)
	}
	for _, n := range []int64{0, -1, 23, 24, math.MaxInt64, math.MinInt64} {
		if x, ok := asNumber([]byte(encoded(t, n))); !ok || x.whole.Int64() != n {
			t.Errorf("%d is read as %v, %v", n, x.whole, ok)
		}
	}
	for _, v := range []any{"1", nil, true, []int{1}, []byte{1}} {
		if _, ok := asNumber([]byte(encoded(t, v))); ok {
			t.Errorf("%v is a number", v)
		}
	}
}

func TestSorted_OrdersNumbersByTheirValue(t *testing.T) {
	t.Parallel()
	want := []any{math.Inf(-1), -5, -4.5, 0, 0.5, 1, 1 << 53, float64(1<<53 + 2), 1<<53 + 3, uint64(math.MaxUint64), 1e30, math.Inf(1)}
	var items []string
	for _, i := range []int{3, 11, 0, 7, 5, 8, 1, 10, 2, 9, 4, 6} {
		items = append(items, encoded(t, want[i]))
	}
	got, err := sorted(items, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want {
		if got[i] != encoded(t, v) {
			t.Errorf("place %d: % x, want %v", i, got[i], v)
		}
	}
	back, err := sorted(items, true)
	slices.Reverse(back)
	if err != nil || !slices.Equal(back, got) {
		t.Errorf("backwards it is another order: %v", err)
	}
}

func TestSorted_RefusesWhatHasNoOrder(t *testing.T) {
	t.Parallel()
	for _, list := range [][]any{{1, "a"}, {nil}, {[]byte{1}, "a"}, {map[string]int{}}, {true, false}, {[]any{1}, []any{"a"}}} {
		var items []string
		for _, v := range list {
			items = append(items, encoded(t, v))
		}
		if _, err := sorted(items, false); err == nil {
			t.Errorf("%v was sorted", list)
		}
	}
}

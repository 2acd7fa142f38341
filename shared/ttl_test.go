package shared_test

import (
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	internal "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/shared"
)

func TestMap_KeysAreGoneExactlyWhenTheyAreDue(t *testing.T) {
	containersTest(t, func(t *testing.T, a, b *internal.Caller) {
		ctx := t.Context()
		m, err := shared.NewMap[string, int](ctx, a, "m", shared.MapConfig{TTL: time.Hour})
		must0(t, err)
		must0(t, m.Set(ctx, "hour", 1))
		must0(t, m.SetTTL(ctx, "second", 2, time.Second))
		must0(t, m.SetTTL(ctx, "stays", 3, shared.Forever))
		must0(t, m.SetTTL(ctx, "at once", 4, -time.Second))
		must0(t, m.SetTTL(ctx, "longer", 5, time.Second))
		must0(t, m.Expire(ctx, "longer", time.Minute))
		must0(t, m.SetTTL(ctx, "kept", 6, time.Second))
		must0(t, m.Expire(ctx, "kept", shared.Forever))
		must0(t, m.SetTTL(ctx, "updated", 7, time.Second))
		_, err = m.Update(ctx, "updated", func(v int, ok bool) (int, bool) { return v + 1, true }) // keeps its time
		must0(t, err)
		time.Sleep(time.Nanosecond)
		for _, c := range []struct {
			after time.Duration // since the step before
			keys  []string
		}{
			{0, []string{"hour", "second", "stays", "longer", "kept", "updated"}},
			{time.Second - 2*time.Nanosecond, []string{"hour", "second", "stays", "longer", "kept", "updated"}},
			{time.Nanosecond, []string{"hour", "stays", "longer", "kept"}},
			{59 * time.Second, []string{"hour", "stays", "kept"}},
			{time.Hour - time.Minute, []string{"stays", "kept"}},
			{1000 * time.Hour, []string{"stays", "kept"}},
		} {
			time.Sleep(c.after)
			keys, err := shared.MapOf[string, int](b, "m").Keys(ctx)
			n, err2 := m.Len(ctx)
			if err != nil || err2 != nil || !slices.Equal(keys, c.keys) || n != len(c.keys) {
				t.Errorf("after %v more: %q, %d, %v, want %q", c.after, keys, n, err, c.keys)
			}
		}
		if ttl, err := m.TTL(ctx, "stays"); ttl != shared.Forever || err != nil {
			t.Errorf("TTL of what stays: %v, %v", ttl, err)
		}
		fails(t, "expire of a key that is gone", m.Expire(ctx, "hour", time.Hour), reeve.ErrNoSuchKey)
		_, err = m.TTL(ctx, "hour")
		fails(t, "TTL of a key that is gone", err, reeve.ErrNoSuchKey)
	})
}

func TestMap_AKeyThatIsSetAgainHasANewTimeToLive(t *testing.T) {
	containersTest(t, func(t *testing.T, a, _ *internal.Caller) {
		ctx := t.Context()
		m, err := shared.NewMap[int, int](ctx, a, "m", shared.MapConfig{})
		must0(t, err)
		for i := range 1000 { // one entry in the heap, however often
			must0(t, m.SetTTL(ctx, 1, i, time.Second))
			time.Sleep(500 * time.Millisecond)
		}
		if v, err := m.Get(ctx, 1); v != 999 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		must0(t, m.Set(ctx, 1, 0))
		time.Sleep(time.Hour)
		if has, err := m.Has(ctx, 1); !has || err != nil {
			t.Errorf("a key without a time to live is gone: %v", err)
		}
	})
}

func TestSet_RemembersAnElementForItsTimeFromTheFirstAdd(t *testing.T) {
	containersTest(t, func(t *testing.T, a, _ *internal.Caller) {
		ctx := t.Context()
		s, err := shared.NewSet[string](ctx, a, "seen", shared.SetConfig{TTL: time.Minute})
		must0(t, err)
		for i := range 6 { // every 20 s: new, known, known, new, …
			fresh, err := s.AddNew(ctx, "x")
			if err != nil || fresh != (i%3 == 0) {
				t.Errorf("add %d: new: %v, %v", i, fresh, err)
			}
			time.Sleep(20 * time.Second)
		}
		fresh, err := s.AddTTL(ctx, "y", time.Second)
		if !fresh || err != nil {
			t.Errorf("%v, %v", fresh, err)
		}
		if ttl, err := s.TTL(ctx, "y"); ttl != time.Second || err != nil {
			t.Errorf("TTL %v, %v", ttl, err)
		}
		must0(t, s.Expire(ctx, "y", time.Hour))
		time.Sleep(time.Minute)
		if list, err := s.Copy(ctx); !slices.Equal(list, []string{"y"}) || err != nil {
			t.Errorf("%v, %v", list, err)
		}
	})
}

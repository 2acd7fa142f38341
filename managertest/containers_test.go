package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// follow keeps a copy of a map until ctx ends, and returns it with how often it
// was told that changes were missed.
func follow(ctx context.Context, m *shared.Map[int, int]) (map[int]int, int, error) {
	got, missed := map[int]int{}, 0
	for c, err := range m.Follow(ctx) {
		switch {
		case errors.Is(err, reeve.ErrMissed):
			missed++
			clear(got)
		case err != nil:
			return got, missed, err
		case c.Kind == shared.KeySet, c.Kind == shared.KeyPresent:
			got[c.Key] = c.Value
		case c.Kind == shared.KeyDeleted, c.Kind == shared.KeyExpired:
			delete(got, c.Key)
		case c.Kind == shared.AllCleared:
			clear(got)
		}
	}
	return got, missed, nil
}

// Connections are lost and the master is restarted: who follows a durable map has
// in the end what the map has.
func TestMap_FollowersHaveWhatTheMapHasWhateverIsLost(t *testing.T) {
	for round := range uint64(objectRounds) {
		seed := *behaveSeed + round
		j, _ := powerCuts(t)
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			rnd := rand.New(rand.NewPCG(seed, 10))
			x, err := shared.NewMap[int, int](t.Context(), m.Dial(t), "m", shared.MapConfig{Durable: true})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			type followed struct {
				got    map[int]int
				missed int
			}
			var ends []<-chan result[followed]
			for range 2 {
				mine := shared.MapOf[int, int](m.Dial(t), "m")
				ends = append(ends, async(func() (f followed, err error) {
					f.got, f.missed, err = follow(ctx, mine)
					return f, err
				}))
			}
			settle()
			for i := range 200 {
				if err := change(t.Context(), x, rnd, i); err != nil {
					t.Fatalf("-behave.seed=%d, change %d: %v", seed, i, err)
				}
				switch rnd.IntN(40) {
				case 0:
					m.Disconnect()
				case 1:
					m.Restart(t)
				}
				time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
			}
			time.Sleep(time.Minute) // all are connected again
			want, err := x.Copy(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			for _, end := range ends {
				if r := <-end; r.err != nil || !maps.Equal(r.v.got, want) {
					t.Errorf("-behave.seed=%d: a follower that missed changes %d times has %v, %v, want %v", seed, r.v.missed, r.v.got, r.err, want)
				}
			}
		}, manager.Config{Journal: j})
	}
}

// change does something at random.
func change(ctx context.Context, x *shared.Map[int, int], rnd *rand.Rand, i int) error {
	k := rnd.IntN(20)
	switch rnd.IntN(6) {
	case 0:
		_, err := x.DeleteMany(ctx, k, k+1)
		return err
	case 1:
		return x.SetTTL(ctx, k, i, 10*time.Second)
	case 2:
		_, err := x.Update(ctx, k, func(old int, ok bool) (int, bool) { return old + 1, true })
		return err
	case 3:
		if rnd.IntN(10) == 0 {
			return x.Clear(ctx)
		}
	}
	return x.Set(ctx, k, i)
}

// A loop goes on where it was when its connection was lost in between.
func TestMap_ALoopOutlastsItsConnection(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		x, err := shared.NewList[int](t.Context(), m.Dial(t), "l", shared.ListConfig{})
		if err != nil {
			t.Fatal(err)
		}
		const n = 25_000
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		if err := x.Extend(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for v, err := range x.All(t.Context()) {
			if err != nil || v != seen {
				t.Fatalf("element %d: %d, %v", seen, v, err)
			}
			if seen++; seen%9000 == 0 {
				m.Disconnect()
			}
		}
		if seen != n {
			t.Errorf("%d elements", seen)
		}
	})
}

// A client that dies in a loop or while it watches leaves nothing behind.
func TestMap_ADeadClientsSnapshotsEnd(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ctx := t.Context()
		x, err := shared.NewMap[string, int](ctx, m.Manager(), "m", shared.MapConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var entries []shared.Entry[string, int]
		for i := range 11_000 {
			entries = append(entries, shared.Entry[string, int]{Key: fmt.Sprint(i), Value: i})
		}
		if err := x.SetMany(ctx, entries...); err != nil {
			t.Fatal(err)
		}
		c, cable := plugged(t, m, m.ClientConfig())
		mine := shared.MapOf[string, int](c, "m")
		watching := async(func() (int, error) {
			for _, err := range mine.Watch(ctx) {
				return 0, err
			}
			return 0, nil
		})
		settle()
		for range mine.All(ctx) {
			cable.Kill()
			cable.Refuse()
			break
		}
		time.Sleep(5 * time.Minute)
		c.Close()
		if r := <-watching; r.err == nil {
			t.Error("the loop of a client that is closed ended without an error")
		}
		infos, err := shared.Objects(ctx, m.Manager())
		if err != nil || len(infos) != 1 || infos[0].Text != "11000 keys" {
			t.Errorf("%+v, %v", infos, err)
		}
	})
}

package managertest_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

func TestObjects_AreReachedAlikeFromBothSides(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for _, o := range []reeve.Objects{m.Dial(t), m.Manager()} {
			_, err := shared.ObjectOf(o, "scores").Methods(t.Context())
			if !errors.Is(err, reeve.ErrNoSuchName) {
				t.Errorf("%T: the methods of what is not there: %v", o, err)
			}
			methods, err := shared.ObjectOf(o, "$master").Methods(t.Context())
			if err != nil || len(methods) == 0 {
				t.Errorf("%T: %v, %v", o, methods, err)
			}
		}
	})
}

// Every call of a durable object is carried out once, whatever is lost on the way.
func TestObjects_ADurableCountIsExactOverFaults(t *testing.T) {
	for round := range uint64(objectRounds) {
		seed := *behaveSeed + round
		j, _ := powerCuts(t)
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			count(t, m, seed, true)
		}, manager.Config{Journal: j})
	}
}

// What is in memory only starts anew with the master, and a call is carried out at
// most once in each life.
func TestObjects_ACountInMemoryIsExactOverLostConnections(t *testing.T) {
	for round := range uint64(objectRounds) {
		managertest.Run(t, func(t *testing.T, m *managertest.Master) {
			count(t, m, *behaveSeed+round, false)
		})
	}
}

const objectRounds = 2

// count has clients add to one value while connections are lost, and masters, too,
// if restarts. Nobody may be told a sum twice.
func count(t *testing.T, m *managertest.Master, seed uint64, restarts bool) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 9))
	const clients, callers, each = 3, 4, 20
	var values []*shared.Value[int]
	for range clients {
		v, err := shared.NewValue(t.Context(), m.Dial(t), "n", 0, shared.ValueConfig{Durable: restarts})
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	var mu sync.Mutex
	sums := map[int]int{}
	var wg sync.WaitGroup
	for i := range clients * callers {
		wg.Go(func() {
			for range each {
				sum, err := values[i%clients].Add(t.Context(), 1)
				if err != nil {
					t.Errorf("-behave.seed=%d: %v", seed, err)
					return
				}
				mu.Lock()
				sums[sum]++
				mu.Unlock()
				time.Sleep(time.Duration(i+1) * time.Millisecond)
			}
		})
	}
	masters := 0
	if restarts {
		masters = 3
	}
	disturb(t, m, rnd, &wg, masters)
	const all = clients * callers * each
	got, err := values[0].Get(t.Context())
	if err != nil || got != all || len(sums) != all {
		t.Errorf("-behave.seed=%d: counted to %d, %v, want %d; %d sums were told", seed, got, err, all, len(sums))
	}
}

// The answer of a call that was carried out and recorded is lost with the master.
func TestObjects_ACallWhoseAnswerDiedWithTheMasterIsNotMadeTwice(t *testing.T) {
	j, owners := powerCuts(t)
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		v, err := shared.NewValue(t.Context(), m.Dial(t), "n", 0, shared.ValueConfig{Durable: true})
		if err != nil {
			t.Fatal(err)
		}
		gate := (*owners)[0].Block(journaltest.OpSync)
		sum := make(chan int)
		go func() {
			n, err := v.Add(t.Context(), 1)
			if err != nil {
				t.Error(err)
			}
			sum <- n
		}()
		gate.Held(t.Context())
		m.BlackHole() // what the master says from now on is lost
		gate.Open()
		synctest.Wait()
		m.Disconnect()
		m.Heal()
		m.Restart(t)
		if n := <-sum; n != 1 {
			t.Errorf("the sum is %d", n)
		}
		if n, err := v.Get(t.Context()); n != 1 || err != nil {
			t.Errorf("added once, and it is %d, %v", n, err)
		}
	}, manager.Config{Journal: j})
}

// What makes room goes on when there is none.
func TestObjects_WithoutSpaceForTheJournalTakeNothingNewAndGiveUp(t *testing.T) {
	j, owners := powerCuts(t)
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		ages, err := shared.NewMap[string, int](t.Context(), m.Dial(t), "ages", shared.MapConfig{Durable: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := ages.Merge(t.Context(), map[string]int{"ada": 36, "alan": 41}); err != nil {
			t.Fatal(err)
		}
		(*owners)[0].SetSpace(journaltest.ReserveOnly)
		for ages.Set(t.Context(), "kurt", 71) == nil { // until the journal has noticed
			time.Sleep(time.Second)
		}
		if err := ages.Set(t.Context(), "kurt", 71); !errors.Is(err, reeve.ErrJournalFull) {
			t.Errorf("set: %v", err)
		}
		if n, err := ages.Get(t.Context(), "ada"); n != 36 || err != nil {
			t.Errorf("get: %d, %v", n, err)
		}
		if err := ages.Delete(t.Context(), "ada"); err != nil {
			t.Errorf("delete: %v", err)
		}
		(*owners)[0].SetSpace(journaltest.Enough)
		time.Sleep(time.Minute)
		if err := ages.Set(t.Context(), "kurt", 71); err != nil {
			t.Errorf("set, with space again: %v", err)
		}
	}, manager.Config{Journal: j})
}

// Package cpython_test holds our shared objects, and queues, against those of
// Python's multiprocessing.managers. testdata/semantics.json has what CPython was
// seen to do, and testdata/differences.json what we do otherwise or have not, and
// why. The package says nothing about what only we have.
package cpython_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
)

// TestMain checks that the tests leave no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSemantics_EqualCPythonsForRemoteClients(t *testing.T) {
	equalCPythons(t, func(t *testing.T, m *managertest.Master) *actors {
		a := &actors{}
		for i := range a.objects {
			c := m.Dial(t)
			a.objects[i], a.queue[i] = c, func(name string) (reeve.Queue, error) { return c.Queue(name), nil }
		}
		return a
	})
}

func TestSemantics_EqualCPythonsInTheMastersProcess(t *testing.T) {
	equalCPythons(t, func(t *testing.T, m *managertest.Master) *actors {
		a := &actors{}
		for i := range a.objects {
			a.objects[i], a.queue[i] = m.Manager(), m.Manager().Lookup
		}
		return a
	})
}

// equalCPythons plays what CPython's managers were seen to do on objects of ours.
// Nothing is left out that is not among the differences.
func equalCPythons(t *testing.T, newActors func(*testing.T, *managertest.Master) *actors) {
	version, scenarios := readScenarios(t)
	differences := readDifferences(t, scenarios)
	types := map[string][]*scenario{}
	for _, s := range scenarios {
		types[s.Type] = append(types[s.Type], s)
	}
	for name := range makers {
		if types[name] == nil {
			t.Errorf("nothing is known of CPython's %s", name)
		}
	}
	var total tally
	for _, name := range slices.Sorted(maps.Keys(types)) {
		t.Run(name, func(t *testing.T) {
			make := makers[name]
			if make == nil {
				t.Fatal("there is no such type in Go")
			}
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				a := newActors(t, m)
				for i, s := range types[name] {
					p := &play{actors: a, t: t, scenario: s, name: fmt.Sprint("object", i), difference: differences[s.Name]}
					p.run(make)
					total.add(p.tally)
				}
			})
		})
	}
	t.Logf("%s: %v", version, total)
}

// tally counts what is not as in CPython.
type tally struct{ scenarios, calls, different, without, whole int }

func (n *tally) add(m tally) {
	n.scenarios += m.scenarios
	n.calls += m.calls
	n.different += m.different
	n.without += m.without
	n.whole += m.whole
}

func (n tally) String() string {
	return fmt.Sprintf("%d scenarios, %d of them not in Go; in the others %d calls, %d of them answered otherwise, %d not in Go",
		n.scenarios, n.whole, n.calls, n.different, n.without)
}

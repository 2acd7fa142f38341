package cpython_test

import (
	"fmt"
	"testing"
)

// difference is what we do otherwise than CPython, or have not. It says one of:
// nothing, if no call of the scenario can be said in Go; Made, if the object
// cannot be made; or what is otherwise of some calls.
type difference struct {
	Scenario string
	Reason   string
	// Made is why the object is not made.
	Made *ours
	// Outcomes are ours, by step. An error has its name in package reeve.
	Outcomes map[int]ours
	// Without: calls that cannot be said in Go.
	Without []int
}

// ours is what a call comes to, instead.
type ours struct {
	Blocks bool // it does not return; what ends it later is not said
	outcome
}

// whole reports whether the scenario is not played at all.
func (d *difference) whole() bool {
	return d != nil && d.Made == nil && d.Outcomes == nil && d.Without == nil
}

// readDifferences reads the differences by scenario and checks that each says
// something of one.
func readDifferences(t *testing.T, scenarios []*scenario) map[string]*difference {
	t.Helper()
	var list []*difference
	read(t, "differences.json", &list)
	byName := map[string]*scenario{}
	for _, s := range scenarios {
		byName[s.Name] = s
	}
	found := map[string]*difference{}
	for _, d := range list {
		for k, o := range d.Outcomes {
			o.Value = plain(o.Value)
			d.Outcomes[k] = o
		}
		if found[d.Scenario] != nil {
			t.Errorf("differences.json: %q is there twice", d.Scenario)
		}
		found[d.Scenario] = d
		if err := d.check(byName[d.Scenario]); err != nil {
			t.Errorf("differences.json: %q: %v", d.Scenario, err)
		}
	}
	return found
}

func (d *difference) check(s *scenario) error {
	if s == nil {
		return fmt.Errorf("there is no such scenario")
	}
	if d.Reason == "" {
		return fmt.Errorf("it has no reason")
	}
	if d.Made != nil && (d.Made.Error == s.Error || d.Outcomes != nil || d.Without != nil) {
		return fmt.Errorf("it is made with %v, as in CPython, or more is said of it", d.Made)
	}
	for _, n := range d.Without {
		if _, both := d.Outcomes[n]; both || n < 0 || n >= len(s.Steps) {
			return fmt.Errorf("step %d is not there, or not only without", n)
		}
	}
	for n, o := range d.Outcomes {
		if n < 0 || n >= len(s.Steps) {
			return fmt.Errorf("there is no step %d", n)
		}
		if step := &s.Steps[n]; o.Blocks == step.Blocks && !o.Blocks && o.equal(step.outcome) {
			return fmt.Errorf("step %d comes to %v in CPython, too", n, o)
		}
	}
	return nil
}

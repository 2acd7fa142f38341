package journaltest

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve/journal"
)

var errBroken = errors.New("broken by the suite")

func TestRun_PassesOverMemory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		refuses  bool
		trimUnit int
		powerCut CrashMode
	}{
		{"fences", false, 1, PowerCut()},
		{"refuses", true, 1, PowerCut()},
		{"trims in units", false, 8, LoseSome(rand.New(rand.NewPCG(1, 1)))},
		{"loses the last", true, 3, Lose(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			Run(t, newShelf(t, tt.refuses, tt.trimUnit).suite(tt.powerCut))
		})
	}
}

func TestRun_PassesWithoutHooksAndSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	Run(t, Suite{Open: newShelf(t, false, 1).open, MaxFrame: 1000})
	for _, sub := range subjects {
		if bare := (Suite{}).has(sub.needs); bare != (sub.needs == "") {
			t.Errorf("%s needs %q: without hooks it is tested: %v", sub.name, sub.needs, bare)
		}
	}
}

var _ journal.Journal = (*owned)(nil)

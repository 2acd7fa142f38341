package workload

import (
	"testing"

	"github.com/reeveq/reeve/bench/internal/system"
)

type (
	queueSystem     struct{ system.System }
	transportSystem struct{ system.Transport }
	diskSystem      struct{ system.Disk }
)

func (queueSystem) Group() system.Group { return system.Peer }

func TestFits_DisksAndTransportsHaveWorkloadsOfTheirOwn(t *testing.T) {
	for _, w := range All() {
		limits := w.transports
		for _, c := range []struct {
			what string
			s    system.System
			want bool
		}{
			{"a queue", queueSystem{}, !limits && w.Name != "scaling"},
			{"a transport", transportSystem{}, limits},
			{"a disk", diskSystem{}, w.Name == "durable"},
		} {
			if err := w.Fits(c.s); (err == nil) != c.want {
				t.Errorf("%s in %s: %v", c.what, w.Name, err)
			}
		}
	}
}

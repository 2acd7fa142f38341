package manager

import (
	"testing"

	"github.com/reeveq/reeve/internal/wire"
)

func TestOutbox_CommandsToAClientThatTakesNoneAreBounded(t *testing.T) {
	s := &session{m: &Master{cfg: Config{MaxCommands: 3}}}
	s.out.init(s, 1<<20)
	s.out.writing = true // it is stuck in a write
	for i := range 10 {
		s.out.command(wire.Command{Seq: uint64(i + 1), Kind: "report"})
	}
	if n := len(s.out.told); n != 3 {
		t.Errorf("%d commands wait, want 3", n)
	}
}

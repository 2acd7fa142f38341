package cmd_test

import (
	"strings"
	"testing"
)

func TestBatch_AFullDiskEndsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.batch(strings.Repeat("echo x\n", 20000), "-output", "/dev/full")
	w := s.worker(addr)
	m.wants(74, "cannot write the output", "no space left on device")
	w.says("not connected, trying again") // it was told, and stays
}

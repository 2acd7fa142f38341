package main

import (
	"context"
	"strings"
	"testing"

	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func (s *stand) ShutdownMaster(_ context.Context, drain bool) error {
	s.note("shutdown %v", drain)
	return s.err
}

func TestShutdown_IsRefusedByAMasterThatDoesNotAllowIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if _, stderr := s.run(77, "", "shutdown"); !strings.Contains(stderr, "permission denied") || !strings.Contains(stderr, "-allow-shutdown") {
		t.Errorf("%s", stderr)
	}
	s.says(".*", "ls")
}

func TestShutdown_EndsAMasterThatAllowsIt(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"shutdown":              "the master ends\n",
		"shutdown -drain":       "the master ends when its workers have finished\n",
		"shutdown -drain -json": `{"drain":true}` + "\n",
	} {
		s := &site{t: t, m: managertest.Start(t, manager.Config{AllowShutdown: true})}
		s.says(want, line)
		if err := s.m.Manager().Join(t.Context()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

package cmd_test

import "testing"

func TestCommand_OneThatDoesNotExistExits2AtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.run("", "worker", "--", "no-such-program-here").wants(2, `cannot run "no-such-program-here"`, "not found")
	s.run("", "worker", "--").wants(2, "-- must be followed by a command")
	s.run("", "worker", "stray", "--", "go").wants(2, `unexpected argument "stray"`)
	s.run("", "worker", "-queue", "results", "--", "go").wants(2, "must not be the same")
}

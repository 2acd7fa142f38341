package main

import (
	"context"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// board is what a program might share.
type board interface {
	Add(ctx context.Context, name string, points ...int) (map[string]any, error)
	Clear()
}

type boardOf struct{}

func (boardOf) Add(_ context.Context, name string, points ...int) (map[string]any, error) {
	sum := 0
	for _, n := range points {
		sum += n
	}
	return map[string]any{name: sum, "texts": []string{"a"}}, nil
}

func (boardOf) Clear() {}

func TestObjects_AreListedCalledAndDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if err := manager.Register[board](s.m.Manager(), "board", boardOf{}); err != nil {
		t.Fatal(err)
	}
	c := s.m.Dial(t)
	ages, err := shared.NewMap[string, int](t.Context(), c, "ages", shared.MapConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ages.Set(t.Context(), "ada", 36); err != nil {
		t.Fatal(err)
	}
	unnamed, err := shared.NewLock(t.Context(), c, "", shared.LockConfig{})
	if err != nil {
		t.Fatal(err)
	}
	id := unnamed.Ref().String()

	s.says(`NAME +TYPE +STATE +AGE +OWNER +REFS +FIRST +KEPT\nboard .*\nages +map +1 key[^\n]* memory\n`+id+` +lock +[^\n]* 1 [^\n]*\n`, "objects")
	s.says(`(\{"ref":[^\n]*\}\n){3}`, "objects -json")
	s.says(`  Add\([^\n]*\n  Clear\(\)\n`, "objects methods board")
	s.says(`(?:[ r] [^\n]*\n)+`, "objects methods", id)
	s.says(`\{"name":"Add"[^\n]*\n\{"name":"Clear"[^\n]*\n`, "objects methods board -json")

	s.says(`\{"ada":6,"texts":\["a"\]\}\n`, "call board Add", `"ada"`, "1", "2", "3")
	s.says("", "call board Clear")
	for line, want := range map[string]string{
		"call board Add ada":      `argument 1, "ada", is not JSON`,
		"call board Add 1 2 3 4x": `argument 4, "4x", is more than one value`,
		"call board":              "want an object and a method",
		"objects nope":            "unknown command",
		"call board Add 1":        "argument 1 of Add",
		"objects delete":          "want the name of one object",
		"locks now":               "want no arguments",
	} {
		if _, stderr := s.run(2, "", line); !strings.Contains(stderr, want) {
			t.Errorf("reeve %s: %s", line, stderr)
		}
	}
	for line, want := range map[string]string{
		"call board Nope":                   "Add, Clear",
		"call nope Add 1":                   "ages, board",
		"objects methods #00000000000000ff": reeve.ErrNoSuchObject.Error(),
		"objects delete nope":               "ages, board",
	} {
		if _, stderr := s.run(78, "", line); !strings.Contains(stderr, want) {
			t.Errorf("reeve %s: %s", line, stderr)
		}
	}
	if _, stderr := s.run(77, "", "objects delete board"); !strings.Contains(stderr, "which alone can delete it") {
		t.Errorf("a registered object was deleted: %s", stderr)
	}
	s.says("", "objects delete ages")
	s.says("", "objects delete", id)
	s.says(`NAME[^\n]*\nboard[^\n]*\n`, "objects")
}

func TestLocks_AreListedWithTheirHolders(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	lock, err := shared.NewLock(t.Context(), s.m.Dial(t), "db", shared.LockConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.says("NAME +TYPE +MODE +OWNER +HOST:PID +HELD +TOKEN +WAITERS\n", "locks")
	if _, err := lock.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.says(`NAME[^\n]*\ndb +lock +- +[^\n ]+ +\S+:\d+ +0\.\ds +\d+ +0\n`, "locks")
	s.says(`\{"object":\{"name":"db","type":"lock"\},"owner":[^\n]*"token":\d+[^\n]*\}\n`, "locks -json")
}

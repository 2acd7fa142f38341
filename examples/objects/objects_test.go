package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestObjects_NoMoneyIsLost(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "objects")
	stdout, stderr, code := u.Run("objects")
	want := regexp.MustCompile(`^teller 1: 200 moves, some refused: true
teller 2: 200 moves, some refused: true
teller 3: 200 moves, some refused: true
the bank has 400
an account with money is closed: the account is not empty \(true\)
the audit: reeve: the method panicked: runtime error: index out of range \[-1\] \(true\)
a robbery: reeve: the object has no such method: Rob of bank, a Bank; it has: Audit, Move, Open, Total \(true\)
Bank bank: \*main\.vault
factory counter: factory
$`)
	if code != 0 || !want.MatchString(stdout) {
		t.Errorf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	if _, stderr, code := u.Run("objects", "x"); code != 2 || !strings.Contains(stderr, "usage: ") {
		t.Errorf("with an argument: exit code %d, %s", code, stderr)
	}
}

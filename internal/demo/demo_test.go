package demo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/demo"
)

func TestRun_ChoosesByTypeOrByTheFirstWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, payload, want string }{
		{"square", "12", "144"},
		{"", "square 12", "144"},
		{"", "square -12\n", "144"},
		{"square", "123456789012345678901234567890", "15241578753238836750495351562536198787501905199875019052100"},
		{"echo", "square 12", "square 12"},
		{"", "echo  two  words ", " two  words "},
		{"", "echo", ""},
		{"upper", "grün", "GRÜN"},
		{"sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"wc", "a b\nc\n", "2 3 6"},
		{"flaky", "0", "done at attempt 1"},
	} {
		out, err := demo.Run(t.Context(), c.typ, []byte(c.payload))
		if err != nil || string(out) != c.want {
			t.Errorf("%q: %q, %v", c, out, err)
		}
	}
}

func TestRun_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, payload, want string }{
		{"", "cube 3", `"cube"; the demo functions are: checksum, echo, fail, flaky, sha256, sleep, square, upper, wc`},
		{"cube", "3", `"cube"; the demo functions are`},
		{"", "", `""; the demo functions are`},
		{"", strings.Repeat("x", 5000), `"...; the demo`},
		{"square", "x", `want a whole number`},
		{"square", strings.Repeat("9", 2000), `want a whole number`},
		{"sleep", "long", `want a time`},
		{"sleep", "-1s", `want a time`},
		{"flaky", "1", `flaky: attempt 1 of 1 that fail`},
		{"flaky", "-1", `want the number of attempts`},
		{"fail", "why not", `why not`},
		{"fail", "", `failed as asked`},
	} {
		out, err := demo.Run(t.Context(), c.typ, []byte(c.payload))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%.40q: %q, %v", c, out, err)
		}
	}
	if _, err := demo.Run(t.Context(), "cube", nil); !errors.Is(err, reeve.ErrNoHandler) {
		t.Errorf("%v", err)
	}
}

func TestRun_SleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, reeve.ErrTimeout)
		defer cancel()
		if _, err := demo.Run(ctx, "sleep", []byte("1h")); !errors.Is(err, reeve.ErrTimeout) {
			t.Fatalf("%v", err)
		}
		if out, err := demo.Run(t.Context(), "sleep", []byte("1.5")); err != nil || string(out) != "slept 1.5s" {
			t.Fatalf("%q, %v", out, err)
		}
	})
}

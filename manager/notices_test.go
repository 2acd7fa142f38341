package manager_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func TestClientThatBreaksTheProtocol_IsLoggedOnceAMinuteWithTheReason(t *testing.T) {
	var log notes
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		offend := func() {
			t.Helper()
			r := enter(t, m)
			r.write(r.calls, frame([]byte("GET / HTTP/1.1")...))
			if err := r.goodbye(); err == nil {
				t.Error("the client was not told")
			}
			settle()
		}
		offend()
		offend()
		lines := log.take()
		if len(lines) != 1 || !strings.Contains(lines[0], "broke the protocol") || !strings.Contains(lines[0], "cause=") {
			t.Fatalf("logged: %q", lines)
		}
		time.Sleep(time.Minute)
		offend()
		if lines := log.take(); len(lines) != 1 {
			t.Fatalf("a minute later: %q", lines)
		}
		if s := m.Manager().Stats(); s.Protocol != 3 {
			t.Errorf("%d counted", s.Protocol)
		}
	}, manager.Config{Logger: slog.New(&log)})
}

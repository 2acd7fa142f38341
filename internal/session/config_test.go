package session_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
)

func TestConfig_RefusesWhatMakesNoSense(t *testing.T) {
	for field, cfg := range map[string]session.Config{
		"Window":         {Window: session.MinWindow - 1},
		"Window ":        {Window: session.MaxWindow + 1},
		"WriteTimeout":   {WriteTimeout: -time.Second},
		"MaxStreams":     {MaxStreams: -1},
		"PingsPerSecond": {PingsPerSecond: -1},
	} {
		conn, _ := memnet.Pipe()
		for _, start := range []func(net.Conn, session.Config) (*session.Session, error){session.Client, session.Server} {
			s, err := start(conn, cfg)
			if s != nil || err == nil || !strings.Contains(err.Error(), "Config."+strings.TrimSpace(field)) {
				t.Errorf("%s: %v, %v", field, s, err)
			}
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("%s: the connection was left open", field)
		}
	}
}

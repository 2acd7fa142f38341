package proxy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
)

func TestConfig_WhatIsOutOfRangeIsNamed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*proxy.Config){
		"AuthKey":       func(c *proxy.Config) { c.AuthKey = auth.Key{} },
		"Name":          func(c *proxy.Config) { c.Name = strings.Repeat("x", 256) },
		"Require":       func(c *proxy.Config) { c.Require = []string{"a", ""} },
		"MinBackoff":    func(c *proxy.Config) { c.MinBackoff = -1 },
		"MaxBackoff":    func(c *proxy.Config) { c.MinBackoff, c.MaxBackoff = 2, 1 },
		"EventBuffer":   func(c *proxy.Config) { c.EventBuffer = 1<<16 + 1 },
		"ProgressEvery": func(c *proxy.Config) { c.ProgressEvery = time.Microsecond },
	} {
		cfg := proxy.Config{AuthKey: testKey()}
		change(&cfg)
		c, err := proxy.Dial(t.Context(), "127.0.0.1:1", cfg)
		if err == nil {
			c.Close()
			t.Errorf("%s: accepted", name)
		} else if !strings.HasPrefix(err.Error(), "proxy: Config."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package manager_test

// What is wrong with a configuration shows when the master is made, and the
// error names the field.

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func testKey(t testing.TB) auth.Key {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestConfig_EveryFieldOutOfRangeIsNamed(t *testing.T) {
	t.Parallel()
	ring, err := auth.Keys(testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string][]func(*manager.Config){
		"AuthKey":           {func(c *manager.Config) { c.AuthKey = auth.Key{} }},
		"Keys":              {func(c *manager.Config) { c.Keys = ring }},
		"Heartbeat":         {func(c *manager.Config) { c.Heartbeat = -1 }, func(c *manager.Config) { c.Heartbeat = 99 * time.Millisecond }, func(c *manager.Config) { c.Heartbeat = time.Hour + 1 }},
		"MaxPayload":        {func(c *manager.Config) { c.MaxPayload = -1 }, func(c *manager.Config) { c.MaxPayload = 1023 }, func(c *manager.Config) { c.MaxPayload = 1<<30 + 1 }, func(c *manager.Config) { c.MaxPayload = math.MaxInt64 }},
		"MaxWaiting":        {func(c *manager.Config) { c.MaxWaiting = -1 }},
		"MaxSessions":       {func(c *manager.Config) { c.MaxSessions = -1 }},
		"MaxSessionsPerKey": {func(c *manager.Config) { c.MaxSessionsPerKey = -1 }},
		"MaxConsumers":      {func(c *manager.Config) { c.MaxConsumers = -1 }},
		"MaxCommands":       {func(c *manager.Config) { c.MaxCommands = -1 }},
		"MaxSubscriptions":  {func(c *manager.Config) { c.MaxSubscriptions = -1 }},
		"MaxQueues":         {func(c *manager.Config) { c.MaxQueues = -1 }},
		"EventBuffer":       {func(c *manager.Config) { c.EventBuffer = -1 }, func(c *manager.Config) { c.EventBuffer = 1<<16 + 1 }},
		"MaxReceiving":      {func(c *manager.Config) { c.MaxReceiving = -1 }, func(c *manager.Config) { c.MaxReceiving = 16 << 20 }},
		"WriteTimeout":      {func(c *manager.Config) { c.WriteTimeout = -1 }},
		"LoginTimeout":      {func(c *manager.Config) { c.LoginTimeout = -1 }},
		"ShutdownGrace":     {func(c *manager.Config) { c.ShutdownGrace = -1 }},
		"Memory":            {func(c *manager.Config) { c.Memory = -1 }},
		"Blobs":             {func(c *manager.Config) { c.Blobs.MaxBytes = -1 }},
		"Durability":        {func(c *manager.Config) { c.Durability = -3 }, func(c *manager.Config) { c.Durability = 1 }},
	}
	// Anything goes in these.
	free := map[string]bool{"Logger": true, "Debug": true, "Impl": true, "Watchdog": true, "Journal": true, "OnStart": true, "AllowShutdown": true}
	fields := reflect.TypeFor[manager.Config]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if bad[name] == nil && !free[name] {
			t.Errorf("field %s is not tested", name)
		}
		for n, change := range bad[name] {
			cfg := manager.Config{AuthKey: testKey(t)}
			change(&cfg)
			m, err := manager.New(cfg)
			if err == nil {
				m.Close()
				t.Errorf("%s, value %d: accepted", name, n)
				continue
			}
			if !strings.HasPrefix(err.Error(), "manager: ") || !strings.Contains(err.Error(), "Config."+name) {
				t.Errorf("%s, value %d: the error is %q", name, n, err)
			}
		}
	}
}

func TestConfig_ZeroAndTheLimitsThemselvesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, cfg := range []manager.Config{
		{},
		{Heartbeat: 100 * time.Millisecond, MaxPayload: 1 << 10, MaxWaiting: 1, MaxSessions: 1, MaxSessionsPerKey: 1, MaxConsumers: 1,
			MaxCommands: 1, MaxSubscriptions: 1, MaxQueues: 1, EventBuffer: 1, MaxReceiving: 1<<10 + 2<<20, WriteTimeout: 1, LoginTimeout: 1, Watchdog: 1,
			Memory: 1, Durability: reeve.Durability(time.Millisecond)},
		{Heartbeat: time.Hour, MaxPayload: 1 << 30, MaxReceiving: math.MaxInt64, Watchdog: -1, Memory: math.MaxInt64, Durability: reeve.DurabilityNone},
	} {
		cfg.AuthKey = testKey(t)
		m, err := manager.New(cfg)
		if err != nil {
			t.Errorf("%+v: %v", cfg, err)
			continue
		}
		m.Close()
	}
}

func TestConfig_TheJournalIsClosedWhenThereIsNoMaster(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]manager.Config{
		"no key":       {},
		"out of range": {AuthKey: testKey(t), Memory: -1},
	} {
		kept := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		cfg.Journal = kept
		if m, err := manager.New(cfg); err == nil {
			m.Close()
			t.Errorf("%s: accepted", name)
		}
		if err := kept.Close(); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s: the journal is still open (%v)", name, err)
		}
	}
}

func TestQueueConfig_EveryFieldOutOfRangeIsNamed(t *testing.T) {
	t.Parallel()
	m := managertest.Start(t).Manager()
	bad := map[string][]reeve.QueueConfig{
		"MaxLen":   {{MaxLen: -1}},
		"MaxBytes": {{MaxBytes: -2}, {MaxBytes: 1}},
		"Refuse":   nil,
		"Lease":    {{Lease: -1}, {Lease: 99 * time.Millisecond}, {Lease: 24*time.Hour + 1}},
		"Timeout":  {{Timeout: -1}, {Timeout: math.MaxInt64}},
		"Attempts": {{Attempts: -1}, {Attempts: 1_000_001}},

		"Backoff":      {{Backoff: reeve.Backoff{Base: -1}}, {Backoff: reeve.Backoff{Base: 1, Jitter: math.NaN()}}},
		"CountSnoozed": nil,
		"History":      {{History: -1}, {History: 101}},
		"DeadFor":      {{DeadFor: -1}, {DeadFor: math.MaxInt64}},
		"MaxDead":      {{MaxDead: -1}},

		"LIFO":    nil,
		"Ageing":  {{Ageing: -1}, {Ageing: 999 * time.Microsecond}, {Ageing: 24*time.Hour + 1}},
		"Reserve": {{Reserve: reeve.Reserve{Slots: -1}}, {Reserve: reeve.Reserve{Slots: reeve.MaxSlots + 1}}, {Reserve: reeve.Reserve{Priority: 1}}},

		"Concurrency":     {{Concurrency: -1}},
		"TypeConcurrency": {{TypeConcurrency: map[string]int{"a": 0}}},
		"Rate":            {{Rate: reeve.Rate{Tasks: -1}}, {Rate: reeve.Rate{Burst: 1}}},
		"KeyConcurrency":  {{KeyConcurrency: -2}, {KeyConcurrency: math.MaxInt64}},
		"KeyRate":         {{KeyRate: reeve.Rate{Tasks: 1, Per: 1}}},
		"Windows":         {{Windows: make([]reeve.Window, 17)}, {Windows: []reeve.Window{{From: -time.Minute}}}},

		"KeepResult":     {{KeepResult: -1}, {KeepResult: math.MaxInt64}},
		"MaxResultBytes": {{MaxResultBytes: -1}, {MaxResultBytes: 1}},

		"IdleTTL":    {{IdleTTL: -1}, {IdleTTL: time.Second - 1}},
		"Durability": {{Durability: -3}, {Durability: 1}},
	}
	fields := reflect.TypeFor[reeve.QueueConfig]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		configs, tested := bad[name]
		if !tested {
			t.Errorf("field %s is not tested", name)
		}
		for _, cfg := range configs {
			_, err := m.Queue("tasks", cfg)
			if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "QueueConfig."+name) {
				t.Errorf("%+v: %v", cfg, err)
			}
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 256), "a\nb", "a\x00", "a\xff"} {
		if _, err := m.Queue(name, reeve.QueueConfig{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("queue name %q: %v", name, err)
		}
	}
}

func TestServe_SaysWhyItCannot(t *testing.T) {
	t.Parallel()
	_, addr, _ := listenTCP(t, manager.Config{})
	m, err := manager.New(manager.Config{AuthKey: testKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ListenAndServe(t.Context(), addr); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("an address in use: %v", err)
	}
	m.Close()
	if err := m.ListenAndServe(t.Context(), "127.0.0.1:0"); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("a closed master: %v", err)
	}
	if _, err := m.Queue("tasks", reeve.QueueConfig{}); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("a queue of a closed master: %v", err)
	}
}

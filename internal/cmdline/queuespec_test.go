package cmdline_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones, whatever this machine has

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
)

// standard is what a queue is that waits a second after its first failure, as
// those of the programs do.
func standard(change func(*reeve.QueueConfig)) reeve.QueueConfig {
	c := reeve.QueueConfig{Backoff: reeve.Backoff{Base: time.Second}}
	if change != nil {
		change(&c)
	}
	return c
}

// options has each option once, or more often where forms differ, with what it
// does.
var options = map[string]func(*reeve.QueueConfig){
	"max-len=5":           func(c *reeve.QueueConfig) { c.MaxLen = 5 },
	"max-bytes=64MiB":     func(c *reeve.QueueConfig) { c.MaxBytes = 64 << 20 },
	"max-bytes=unlimited": func(c *reeve.QueueConfig) { c.MaxBytes = reeve.NoLimit },
	"full=refuse":         func(c *reeve.QueueConfig) { c.Refuse = true },
	"lease=10s":           func(c *reeve.QueueConfig) { c.Lease = 10 * time.Second },
	"timeout=1m":          func(c *reeve.QueueConfig) { c.Timeout = time.Minute },
	"attempts=2":          func(c *reeve.QueueConfig) { c.Attempts = 2 },
	"backoff=0":           func(c *reeve.QueueConfig) { c.Backoff = reeve.Backoff{} },
	"backoff=2s":          func(c *reeve.QueueConfig) { c.Backoff.Base = 2 * time.Second },
	"backoff=1s..10m":     func(c *reeve.QueueConfig) { c.Backoff.Max = 10 * time.Minute },
	"backoff=1sx1.5":      func(c *reeve.QueueConfig) { c.Backoff.Factor = 1.5 },
	"backoff=1s~0":        func(c *reeve.QueueConfig) { c.Backoff.Jitter = reeve.NoJitter },
	"backoff=500ms..1h30mx3~.5": func(c *reeve.QueueConfig) {
		c.Backoff = reeve.Backoff{Base: 500 * time.Millisecond, Max: 90 * time.Minute, Factor: 3, Jitter: 0.5}
	},
	"count-snoozed":  func(c *reeve.QueueConfig) { c.CountSnoozed = true },
	"history=100":    func(c *reeve.QueueConfig) { c.History = 100 },
	"dead-for=168h":  func(c *reeve.QueueConfig) { c.DeadFor = 7 * 24 * time.Hour },
	"max-dead=1000":  func(c *reeve.QueueConfig) { c.MaxDead = 1000 },
	"order=lifo":     func(c *reeve.QueueConfig) { c.LIFO = true },
	"ageing=30s":     func(c *reeve.QueueConfig) { c.Ageing = 30 * time.Second },
	"reserve=2@10":   func(c *reeve.QueueConfig) { c.Reserve = reeve.Reserve{Slots: 2, Priority: 10} },
	"reserve=1@-5":   func(c *reeve.QueueConfig) { c.Reserve = reeve.Reserve{Slots: 1, Priority: -5} },
	"concurrency=50": func(c *reeve.QueueConfig) { c.Concurrency = 50 },
	"concurrency.mail=4,concurrency.=1,concurrency.a.b=2": func(c *reeve.QueueConfig) {
		c.TypeConcurrency = map[string]int{"mail": 4, "": 1, "a.b": 2}
	},
	"rate=100/s+10":             func(c *reeve.QueueConfig) { c.Rate = reeve.Rate{Tasks: 100, Per: time.Second, Burst: 10} },
	"key-concurrency=3":         func(c *reeve.QueueConfig) { c.KeyConcurrency = 3 },
	"key-concurrency=unlimited": func(c *reeve.QueueConfig) { c.KeyConcurrency = reeve.NoLimit },
	"key-rate=30/5m":            func(c *reeve.QueueConfig) { c.KeyRate = reeve.Rate{Tasks: 30, Per: 5 * time.Minute, Burst: 1} },
	"window=23:00-02:00@Europe/Berlin,window=12:00-13:00": func(c *reeve.QueueConfig) {
		c.Windows = []reeve.Window{{From: 23 * time.Hour, To: 2 * time.Hour, Zone: "Europe/Berlin"}, {From: 12 * time.Hour, To: 13 * time.Hour}}
	},
	"durability=sync":           func(c *reeve.QueueConfig) { c.Durability = reeve.DurabilitySync },
	"durability=none":           func(c *reeve.QueueConfig) { c.Durability = reeve.DurabilityNone },
	"durability=interval=100ms": func(c *reeve.QueueConfig) { c.Durability = reeve.Durability(100 * time.Millisecond) },
	"keep-result=1h":            func(c *reeve.QueueConfig) { c.KeepResult = time.Hour },
	"idle-ttl=90m":              func(c *reeve.QueueConfig) { c.IdleTTL = 90 * time.Minute },
	"max-result-bytes=1MB":      func(c *reeve.QueueConfig) { c.MaxResultBytes = 1e6 },
}

func TestParseQueueSpec_ReadsEveryOption(t *testing.T) {
	t.Parallel()
	for option, change := range options {
		want := standard(change)
		spec, err := cmdline.ParseQueueSpec("jobs," + option)
		if err != nil || spec.Name != "jobs" || !reflect.DeepEqual(spec.Config, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", option, spec.Config, err, want)
			continue
		}
		back, err := cmdline.ParseQueueSpec(spec.String())
		if err != nil || !reflect.DeepEqual(back, spec) {
			t.Errorf("%s was written as %q, which is %+v, %v", option, spec, back, err)
		}
	}
}

func TestParseQueueSpec_EveryFieldHasAnOption(t *testing.T) {
	t.Parallel()
	var all reeve.QueueConfig
	for option, change := range options {
		if option != "backoff=0" {
			change(&all)
		}
	}
	for f, v := range reflect.ValueOf(all).Fields() {
		if v.IsZero() {
			t.Errorf("no option sets QueueConfig.%s", f.Name)
		}
	}
}

func TestParseQueueSpec_WithoutOptionsItWaitsAfterAFailure(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]reeve.QueueConfig{
		"a": standard(nil), "a,backoff=1s": standard(nil), "a,count-snoozed=false,full=block,order=fifo": standard(nil),
		"a,backoff=0": {},
	} {
		spec, err := cmdline.ParseQueueSpec(s)
		if err != nil || !reflect.DeepEqual(spec.Config, want) {
			t.Errorf("%s: %+v, %v", s, spec.Config, err)
		}
	}
	if s := (cmdline.QueueSpec{Name: "a", Config: standard(nil)}).String(); s != "a" {
		t.Errorf("%q", s)
	}
}

func TestParseQueueSpec_RefusesTheRestAndSaysWhatIsWanted(t *testing.T) {
	t.Parallel()
	const whole = "want a whole number from 1 to "
	for option, want := range map[string]string{
		"depth=3":                         `unknown option "depth"; there are: max-len, max-bytes, full, lease, timeout, attempts, backoff, count-snoozed, `,
		"":                                `unknown option ""`,
		"concurrencies.a=1":               "concurrency, concurrency.TYPE, rate",
		"max-len":                         "option max-len needs a value, as max-len=10000",
		"window":                          "option window needs a value, as window=23:00-02:00@Europe/Berlin",
		"lease=1s,lease=2s":               "option lease stands twice",
		"count-snoozed,count-snoozed":     "option count-snoozed stands twice",
		"concurrency.a=1,concurrency.a=2": "option concurrency.a stands twice",
		"max-len=0":                       "max-len=0: " + whole + "2147483647",
		"max-len=-1":                      whole,
		"max-len=99999999999":             whole,
		"max-bytes=255":                   "want at least 256, or unlimited",
		"max-bytes=NaN":                   "want a number of bytes",
		"full=maybe":                      "want block or refuse",
		"lease=99ms":                      "want 100ms to 24h",
		"lease=25h":                       "want 100ms to 24h",
		"timeout=0":                       "want 1ns to 876000h",
		"timeout=-1s":                     "want a time with its unit",
		"timeout=900000h":                 "want 1ns to 876000h",
		"attempts=1000001":                whole + "1000000",
		"backoff=":                        "want a time, or FIRST..MAX",
		"backoff=10m..1s":                 "want a time, or FIRST..MAX",
		"backoff=1s..":                    "want a time",
		"backoff=1sx0.5":                  "xFACTOR (1 to 100)",
		"backoff=1sx101":                  "xFACTOR (1 to 100)",
		"backoff=1sxNaN":                  "xFACTOR (1 to 100)",
		"backoff=1sx1e1":                  "xFACTOR (1 to 100)",
		"backoff=1s~1.1":                  "~JITTER (0 to 1)",
		"backoff=1s~-1":                   "~JITTER (0 to 1)",
		"backoff=1s~Inf":                  "~JITTER (0 to 1)",
		"backoff=-1s":                     "want a time",
		"backoff=0s~1":                    "want a time",
		"count-snoozed=":                  "option count-snoozed: want the name alone",
		"count-snoozed=maybe":             "want true or false, or the name alone",
		"history=0":                       whole + "100",
		"history=101":                     whole + "100",
		"dead-for=0s":                     "want 1ns to 876000h",
		"max-dead=0":                      whole,
		"order=random":                    "want fifo or lifo",
		"ageing=1us":                      "want 1ms to 24h",
		"reserve=2":                       "want SLOTS@PRIORITY, as 2@10; 1 to 65536 slots",
		"reserve=0@1":                     "want SLOTS@PRIORITY",
		"reserve=65537@1":                 "want SLOTS@PRIORITY",
		"reserve=1@3000000000":            "want SLOTS@PRIORITY",
		"concurrency=0":                   whole,
		"concurrency.a=0":                 "concurrency.a=0: " + whole,
		"concurrency." + strings.Repeat("x", 256) + "=1": "task type bytes 256, limit 255",
		"concurrency.\xff=1":                             "is not UTF-8",
		"rate=100":                                       `rate "100", want N/TIME or N/TIME+BURST, as 100/s or 30/5m+10`,
		"rate=0/s":                                       "a rate of 0 tasks, want at least 1",
		"rate=1/1us":                                     "want 1ms to 365 days",
		"rate=NaN/s":                                     "want N/TIME",
		"key-rate=1/s+0":                                 "want N/TIME",
		"key-concurrency=0":                              "2147483647, or unlimited",
		"window=23:00":                                   "want HH:MM-HH:MM",
		"window=23:00-25:00":                             "want HH:MM-HH:MM",
		"window=01:00-02:00@Mars":                        `time zone "Mars" of a window is not known`,
		strings.Repeat("window=01:00-02:00,", 16) + "window=01:00-02:00": "17 windows, want at most 16",
		"durability=":                `durability "", want sync, none or interval=TIME`,
		"durability=always":          "want sync, none or interval=TIME",
		"durability=interval=1h":     "want 1ms to 1m",
		"keep-result=0s":             "want 1ns to 876000h",
		"max-result-bytes=unlimited": "want a number of bytes",
		"max-result-bytes=1":         "want at least 256",
	} {
		spec, err := cmdline.ParseQueueSpec("jobs," + option)
		if err == nil {
			t.Errorf("%s was read as %+v", option, spec)
		} else if text := err.Error(); !strings.HasPrefix(text, `queue "jobs": `) || !strings.Contains(text, want) || strings.Contains(text, reeve.ErrInvalid.Error()) {
			t.Errorf("%s: %s\nwant %s", option, text, want)
		}
	}
	if _, err := cmdline.ParseQueueSpec(",max-len=3"); err == nil {
		t.Error("a queue without a name")
	}
}

func TestParseQueueSpec_RefusesOneBeyondEachLimitAndTakesTheLast(t *testing.T) {
	t.Parallel()
	for _, option := range []string{
		"lease=100ms", "lease=24h", "timeout=876000h", "attempts=1000000", "max-len=2147483647", "history=1", "max-bytes=256",
		"ageing=1ms", "ageing=24h", "reserve=65536@2147483647", "rate=1000000000/d+1000000000", "rate=1/8760h", "rate=1/1ms",
		"backoff=876000h", "backoff=1ns..876000hx100~1", "window=00:00-24:00", "key-concurrency=2147483647",
	} {
		if _, err := cmdline.ParseQueueSpec("a," + option); err != nil {
			t.Error(err)
		}
	}
}

func TestQueueOptionsHelp_HasAnExampleOfEachThatCanBeRead(t *testing.T) {
	t.Parallel()
	help := cmdline.QueueOptionsHelp()
	seen := 0
	for line := range strings.Lines(help) {
		example := strings.TrimSpace(line)
		if strings.HasPrefix(line, "   ") {
			continue
		}
		seen++
		if _, err := cmdline.ParseQueueSpec("a," + strings.Replace(example, ".TYPE", ".mail", 1)); err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
	names := strings.Split(cmdline.QueueOptions(), ", ")
	if seen != len(names) || seen < 20 {
		t.Errorf("%d examples of %d options", seen, len(names))
	}
	for _, name := range names {
		if !strings.Contains(help, "\n  "+name) && !strings.HasPrefix(help, "  "+name) {
			t.Errorf("no help for %s", name)
		}
	}
}

func TestQueueSpec_StringReadsBackAnyConfiguration(t *testing.T) {
	t.Parallel()
	c := standard(nil)
	for option, change := range options {
		if !strings.HasPrefix(option, "backoff=") {
			change(&c)
		}
	}
	for _, backoff := range []reeve.Backoff{{}, {Base: 1}, {Base: 1, Max: 1, Factor: math.Nextafter(1, 2), Jitter: math.SmallestNonzeroFloat64}} {
		c.Backoff = backoff
		spec := cmdline.QueueSpec{Name: "jobs", Config: c}
		back, err := cmdline.ParseQueueSpec(spec.String())
		if err != nil || !reflect.DeepEqual(back, spec) {
			t.Errorf("%s\nis %+v, %v", spec, back, err)
		}
	}
}

func FuzzParseQueueSpec(f *testing.F) {
	for option := range options {
		f.Add("tasks," + option)
	}
	f.Add("tasks,max-len=5,max-bytes=64MiB,lease=30s,timeout=1m,attempts=5,full=block")
	f.Add("a,b=")
	f.Fuzz(func(t *testing.T, s string) {
		spec, err := cmdline.ParseQueueSpec(s)
		if err != nil {
			return
		}
		full := spec.Config.WithDefaults()
		if err := full.Validate(); err != nil || spec.Name == "" {
			t.Fatalf("%q gave %+v: %v", s, spec, err)
		}
		back, err := cmdline.ParseQueueSpec(spec.String())
		if err != nil || !reflect.DeepEqual(back, spec) {
			t.Fatalf("%q was written as %q, which is %+v, %v", s, spec, back, err)
		}
	})
}

func FuzzParseBackoff(f *testing.F) {
	for _, s := range []string{"0", "1s", "1s..10m", "1s..10mx2~0.2", "500ms~0", "1h0m0.5sx1.25"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := cmdline.ParseBackoff(s)
		if err != nil {
			return
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("%q gave %+v: %v", s, b, err)
		}
		if back, err := cmdline.ParseBackoff(cmdline.FormatBackoff(b)); err != nil || back != b {
			t.Fatalf("%q: %+v was written as %q, read as %+v, %v", s, b, cmdline.FormatBackoff(b), back, err)
		}
	})
}

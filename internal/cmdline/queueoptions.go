package cmdline

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// queueOption is one option of a queue on the command line.
type queueOption struct {
	name    string // one that ends with a dot is followed by a task type
	example string // what is written after name=; empty: the name alone
	about   string
	many    bool // may stand more than once
	// set reads a value.
	set func(c *reeve.QueueConfig, typ, value string) error
	// show writes the values that set would read to make c of a configuration
	// without the option, each as what stands after the name; none if there is
	// nothing to say.
	show func(c *reeve.QueueConfig) []string
}

// unlimited is the word for [reeve.NoLimit].
const unlimited = "unlimited"

// queueOptions are all of them, in the order of the help.
var queueOptions = []queueOption{
	number("max-len", "10000", "tasks that may wait; without: any number",
		1, math.MaxInt32, func(c *reeve.QueueConfig) *int { return &c.MaxLen }),
	size("max-bytes", "64MiB", "memory of all its tasks, or "+unlimited+"; without: 1GiB", unlimited,
		func(c *reeve.QueueConfig) *int64 { return &c.MaxBytes }),
	choice("full", "block", "refuse", "what a put does when there is no room: block (wait, the default) or refuse",
		func(c *reeve.QueueConfig) *bool { return &c.Refuse }),
	duration("lease", "30s", "how long a silent worker keeps its tasks, 100ms to 24h",
		100*time.Millisecond, 24*time.Hour, func(c *reeve.QueueConfig) *time.Duration { return &c.Lease }),
	duration("timeout", "10m", "how long one attempt may run; without: as long as it takes",
		1, reeve.MaxTime, func(c *reeve.QueueConfig) *time.Duration { return &c.Timeout }),
	number("attempts", "5", "failed attempts after which a task is dead",
		1, reeve.MaxAttempts, func(c *reeve.QueueConfig) *int { return &c.Attempts }),
	{name: "backoff", example: "1s..10mx2~0.2", about: "wait after a failed attempt: the first and the longest, the factor from one\n" +
		"to the next, and how far each may be off at random. Without: 1s, which is all\nof this; 0: none", set: setBackoff, show: showBackoff},
	{name: "count-snoozed", about: "a task that asks to be called again later uses up an attempt", set: setCountSnoozed, show: showCountSnoozed},
	number("history", "10", "attempts without success that are kept with a task, 1 to 100",
		1, 100, func(c *reeve.QueueConfig) *int { return &c.History }),
	duration("dead-for", "168h", "dead tasks are purged after that time; without: kept",
		1, reeve.MaxTime, func(c *reeve.QueueConfig) *time.Duration { return &c.DeadFor }),
	number("max-dead", "1000", "of more dead tasks than that the oldest are purged",
		1, math.MaxInt32, func(c *reeve.QueueConfig) *int { return &c.MaxDead }),
	choice("order", "fifo", "lifo", "among tasks of one priority first comes the first (fifo) or the last (lifo)",
		func(c *reeve.QueueConfig) *bool { return &c.LIFO }),
	duration("ageing", "30s", "a task that waits gains one priority in each such time, 1ms to 24h",
		time.Millisecond, 24*time.Hour, func(c *reeve.QueueConfig) *time.Duration { return &c.Ageing }),
	{name: "reserve", example: "2@10", about: "keep 2 slots of the workers free for tasks of priority 10 and higher", set: setReserve, show: showReserve},
	number("concurrency", "50", "tasks that may run at a time",
		1, math.MaxInt32, func(c *reeve.QueueConfig) *int { return &c.Concurrency }),
	{name: "concurrency.", example: "4", about: "the same for tasks of one type: concurrency.mail=4", set: setTypeConcurrency, show: showTypeConcurrency},
	rate("rate", "100/s+10", "tasks that may begin in each s, m, h, d or time as 5m, and, with +10, so many\nat once after a pause",
		func(c *reeve.QueueConfig) *reeve.Rate { return &c.Rate }),
	{name: "key-concurrency", example: "1", about: "tasks of one key that may run at a time, or " + unlimited + "; without: 1, in their order",
		set: setKeyConcurrency, show: showKeyConcurrency},
	rate("key-rate", "1/s", "the rate of each key", func(c *reeve.QueueConfig) *reeve.Rate { return &c.KeyRate }),
	{name: "window", example: "23:00-02:00@Europe/Berlin", about: "tasks begin in these hours only; may stand more than once; without a zone: UTC",
		many: true, set: addWindow, show: showWindows},
	duration("keep-result", "1h", "how long what became of a task can be asked for by its id",
		1, reeve.MaxTime, func(c *reeve.QueueConfig) *time.Duration { return &c.KeepResult }),
	size("max-result-bytes", "64MiB", "memory for that", "",
		func(c *reeve.QueueConfig) *int64 { return &c.MaxResultBytes }),
	duration("idle-ttl", "1h", "the queue is deleted when it was empty and nobody used it for that time, 1s or\nmore; without: it stays",
		time.Second, reeve.MaxTime, func(c *reeve.QueueConfig) *time.Duration { return &c.IdleTTL }),
	{name: "durability", example: "interval=100ms", about: "what acknowledged changes survive, if the master keeps a journal: a power cut (sync),\n" +
		"one that comes TIME later (interval=TIME, 1ms to 1m), or the end of the master\nalone (none). Without: the master's -durability", set: setDurability, show: showDurability},
}

func (o *queueOption) title() string {
	if strings.HasSuffix(o.name, ".") {
		return o.name + "TYPE"
	}
	return o.name
}

// QueueOptions lists the options of a queue on the command line.
func QueueOptions() string {
	names := make([]string, len(queueOptions))
	for i, o := range queueOptions {
		names[i] = o.title()
	}
	return strings.Join(names, ", ")
}

// QueueOptionsHelp explains the options, each with an example.
func QueueOptionsHelp() string {
	var b strings.Builder
	for _, o := range queueOptions {
		head := o.title()
		if o.example != "" {
			head += "=" + o.example
		}
		fmt.Fprintf(&b, "  %s\n      %s\n", head, strings.ReplaceAll(o.about, "\n", "\n      "))
	}
	return b.String()
}

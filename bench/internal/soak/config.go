package soak

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Config says how long and how hard.
type Config struct {
	For       time.Duration // until the faults end; at least 3 s. 0: 10 minutes
	Seed      uint64        // of the faults. 0: one at random
	Workers   int           // processes. 0: 4
	Producers int           // 0: 3
	Rate      int           // tasks that are put a second, bursts apart. 0: 2,000
	Dir       string        // takes the journal and the processes' output, and is left as it is. Required
	Log       io.Writer     // takes a line every 10 s, and what goes wrong. nil: nothing
}

const (
	progressEvery = 10 * time.Second
	drainTimeout  = 3 * time.Minute // for everything to be done in the end
	stormShare    = 40              // percent of For in which the master is killed
	warmShare     = 25              // percent of the long part that are not measured
)

func (c Config) withDefaults() Config {
	c.For = cmp.Or(c.For, 10*time.Minute)
	c.Seed = cmp.Or(c.Seed, rand.Uint64())
	c.Workers = cmp.Or(c.Workers, 4)
	c.Producers = cmp.Or(c.Producers, 3)
	c.Rate = cmp.Or(c.Rate, 2000)
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

func (c *Config) validate() error {
	switch {
	case c.For < 3*time.Second:
		return fmt.Errorf("soak: Config.For must be at least 3s, not %v", c.For)
	case c.Workers < 1 || c.Producers < 1 || c.Rate < 1:
		return fmt.Errorf("soak: Config.Workers, Producers and Rate must be positive: %d, %d, %d", c.Workers, c.Producers, c.Rate)
	case c.Dir == "":
		return fmt.Errorf("soak: Config.Dir is required")
	}
	return nil
}

// storm is when the master is left alive, steady when what it takes is measured
// from, both after the start.
func (c *Config) storm() time.Duration { return c.For * stormShare / 100 }

func (c *Config) steady() time.Duration { return c.storm() + (c.For-c.storm())*warmShare/100 }

// sampleEvery is often enough for a slope, and seldom enough not to be a load:
// each sample collects the master's garbage.
func (c *Config) sampleEvery() time.Duration {
	return min(max(c.For/120, 500*time.Millisecond), 5*time.Second)
}

package cmdline

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/reeveq/reeve"
)

// The options that have a form of their own.

func setBackoff(c *reeve.QueueConfig, _, s string) (err error) {
	c.Backoff, err = ParseBackoff(s)
	return err
}

func showBackoff(c *reeve.QueueConfig) []string {
	if c.Backoff == defaultQueue.Backoff {
		return nil
	}
	return []string{FormatBackoff(c.Backoff)}
}

func setCountSnoozed(c *reeve.QueueConfig, _, s string) error {
	on, err := strconv.ParseBool(s)
	if s != "" && err != nil {
		return errors.New("want true or false, or the name alone")
	}
	c.CountSnoozed = on || s == ""
	return nil
}

func showCountSnoozed(c *reeve.QueueConfig) []string {
	return unlessZero(c.CountSnoozed, func(bool) string { return "" })
}

func setReserve(c *reeve.QueueConfig, _, s string) error {
	slots, priority, ok := strings.Cut(s, "@")
	n, err := strconv.Atoi(slots)
	p, err2 := strconv.ParseInt(priority, 10, 32)
	if !ok || err != nil || err2 != nil || n < 1 || n > reeve.MaxSlots {
		return fmt.Errorf("want SLOTS@PRIORITY, as 2@10; 1 to %d slots", reeve.MaxSlots)
	}
	c.Reserve = reeve.Reserve{Slots: n, Priority: int32(p)}
	return nil
}

func showReserve(c *reeve.QueueConfig) []string {
	return unlessZero(c.Reserve, func(r reeve.Reserve) string { return fmt.Sprintf("%d@%d", r.Slots, r.Priority) })
}

func setTypeConcurrency(c *reeve.QueueConfig, typ, s string) error {
	var n int
	if err := (&intValue{&n, 1, math.MaxInt32}).Set(s); err != nil {
		return err
	}
	if c.TypeConcurrency == nil {
		c.TypeConcurrency = map[string]int{}
	}
	c.TypeConcurrency[typ] = n
	return nil
}

func showTypeConcurrency(c *reeve.QueueConfig) []string {
	var values []string
	for _, typ := range slices.Sorted(maps.Keys(c.TypeConcurrency)) {
		values = append(values, fmt.Sprintf("%s=%d", typ, c.TypeConcurrency[typ]))
	}
	return values
}

func setKeyConcurrency(c *reeve.QueueConfig, _, s string) error {
	if s == unlimited {
		c.KeyConcurrency = reeve.NoLimit
		return nil
	}
	if err := (&intValue{&c.KeyConcurrency, 1, math.MaxInt32}).Set(s); err != nil {
		return fmt.Errorf("%w, or %s", err, unlimited)
	}
	return nil
}

func showKeyConcurrency(c *reeve.QueueConfig) []string {
	return unlessZero(c.KeyConcurrency, func(n int) string {
		if n == reeve.NoLimit {
			return unlimited
		}
		return strconv.Itoa(n)
	})
}

func setDurability(c *reeve.QueueConfig, _, s string) (err error) {
	c.Durability, err = reeve.ParseDurability(s)
	return Plain(err)
}

func showDurability(c *reeve.QueueConfig) []string {
	return unlessZero(c.Durability, reeve.Durability.String)
}

func addWindow(c *reeve.QueueConfig, _, s string) error {
	w, err := reeve.ParseWindow(s)
	if err == nil {
		c.Windows = append(c.Windows, w)
	}
	return Plain(err)
}

func showWindows(c *reeve.QueueConfig) []string {
	values := make([]string, len(c.Windows))
	for i, w := range c.Windows {
		values[i] = w.String()
	}
	return values
}

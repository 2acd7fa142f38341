package cmdline

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/reeveq/reeve"
)

// QueueSpec is one queue as the command line declares it.
type QueueSpec struct {
	Name   string
	Config reeve.QueueConfig
}

// ParseQueueSpec reads NAME[,option=value]…; the options are those of
// [QueueOptions].
func ParseQueueSpec(s string) (QueueSpec, error) {
	name, rest, more := strings.Cut(s, ",")
	spec := QueueSpec{Name: name}
	if name == "" {
		return spec, errors.New("want NAME[,option=value]")
	}
	seen := map[string]bool{}
	for more {
		var option string
		option, rest, more = strings.Cut(rest, ",")
		key, value, ok := strings.Cut(option, "=")
		set, known := queueOptions[key]
		switch {
		case !known:
			return spec, fmt.Errorf("queue %q: unknown option %q; there are: %s", name, key, QueueOptions)
		case !ok:
			return spec, fmt.Errorf("queue %q: option %s needs a value: %s=VALUE", name, key, key)
		case seen[key]:
			return spec, fmt.Errorf("queue %q: option %s stands twice", name, key)
		}
		seen[key] = true
		if err := set(&spec.Config, value); err != nil {
			return spec, fmt.Errorf("queue %q: %s=%s: %w", name, key, value, err)
		}
	}
	return spec, nil
}

// QueueOptions lists the options of a queue on the command line.
const QueueOptions = "max-len, max-bytes, lease, timeout, attempts, full"

var queueOptions = map[string]func(*reeve.QueueConfig, string) error{
	"max-len": func(c *reeve.QueueConfig, s string) error {
		return (&intValue{&c.MaxLen, 1, math.MaxInt32}).Set(s)
	},
	"max-bytes": func(c *reeve.QueueConfig, s string) error {
		if s == "unlimited" {
			c.MaxBytes = reeve.NoLimit
			return nil
		}
		return (&sizeValue{&c.MaxBytes, 1}).Set(s)
	},
	"lease":   func(c *reeve.QueueConfig, s string) error { return (&durationValue{&c.Lease, 1}).Set(s) },
	"timeout": func(c *reeve.QueueConfig, s string) error { return (&durationValue{&c.Timeout, 1}).Set(s) },
	"attempts": func(c *reeve.QueueConfig, s string) error {
		return (&intValue{&c.Attempts, 1, 1_000_000}).Set(s)
	},
	"full": func(c *reeve.QueueConfig, s string) error {
		switch s {
		case "block":
			c.Refuse = false
		case "refuse":
			c.Refuse = true
		default:
			return errors.New("want block or refuse")
		}
		return nil
	},
}

// QueueSpecs is the value of the repeatable -queue flag.
type QueueSpecs []QueueSpec

// Set adds the queue that s declares.
func (q *QueueSpecs) Set(s string) error {
	spec, err := ParseQueueSpec(s)
	if err != nil {
		return err
	}
	for _, other := range *q {
		if other.Name == spec.Name {
			return fmt.Errorf("queue %q is declared twice", spec.Name)
		}
	}
	*q = append(*q, spec)
	return nil
}

// Get returns the QueueSpecs.
func (q *QueueSpecs) Get() any { return *q }

func (q *QueueSpecs) String() string {
	names := make([]string, len(*q))
	for i, s := range *q {
		names[i] = strconv.Quote(s.Name)
	}
	return strings.Join(names, ", ")
}

var _ flag.Getter = (*QueueSpecs)(nil)

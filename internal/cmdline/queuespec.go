package cmdline

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// QueueSpec is one queue as the command line declares it.
type QueueSpec struct {
	Name   string
	Config reeve.QueueConfig
}

// defaultQueue is what a queue is without options. Unlike the library's, it
// waits between attempts: who starts a program has not thought of it.
var defaultQueue = reeve.QueueConfig{Backoff: reeve.Backoff{Base: time.Second}}

// ParseQueueSpec reads NAME[,option=value]…; the options are those of
// [QueueOptions]. What it accepts is a valid configuration.
func ParseQueueSpec(s string) (QueueSpec, error) {
	name, rest, more := strings.Cut(s, ",")
	spec := QueueSpec{Name: name, Config: defaultQueue}
	if name == "" {
		return spec, errors.New("want NAME[,option=value]")
	}
	seen := map[string]bool{}
	for more {
		var option string
		option, rest, more = strings.Cut(rest, ",")
		if err := spec.set(option, seen); err != nil {
			return spec, fmt.Errorf("queue %q: %w", name, err)
		}
	}
	c := spec.Config.WithDefaults()
	if err := c.Validate(); err != nil { // what no option can check alone
		return spec, fmt.Errorf("queue %q: %w", name, Plain(err))
	}
	return spec, nil
}

// set carries out one option; seen holds those before it.
func (q *QueueSpec) set(option string, seen map[string]bool) error {
	key, value, hasValue := strings.Cut(option, "=")
	o, typ := findOption(key)
	switch {
	case o == nil:
		return fmt.Errorf("unknown option %q; there are: %s", key, QueueOptions())
	case !hasValue && o.example != "":
		return fmt.Errorf("option %s needs a value, as %s=%s", key, key, o.example)
	case hasValue && value == "" && o.example == "":
		return fmt.Errorf("option %s: want the name alone, or =true or =false", key)
	case seen[key] && !o.many:
		return fmt.Errorf("option %s stands twice", key)
	}
	seen[key] = true
	if err := o.set(&q.Config, typ, value); err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	return nil
}

// findOption is the option that key names, and the task type in it.
func findOption(key string) (o *queueOption, typ string) {
	for i := range queueOptions {
		o := &queueOptions[i]
		if o.name == key {
			return o, ""
		}
		if typ, ok := strings.CutPrefix(key, o.name); ok && strings.HasSuffix(o.name, ".") {
			return o, typ
		}
	}
	return nil, ""
}

// String is the form that [ParseQueueSpec] reads. A name or a task type with a
// comma, and a type with an equals sign, cannot be told in it.
func (q QueueSpec) String() string {
	var b strings.Builder
	b.WriteString(q.Name)
	for _, o := range queueOptions {
		for _, value := range o.show(&q.Config) {
			b.WriteString("," + o.name)
			if o.example != "" && !strings.HasSuffix(o.name, ".") {
				b.WriteByte('=')
			}
			b.WriteString(value)
		}
	}
	return b.String()
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

package queue

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// declare makes a queue, which is recorded. Engine.mu is held.
func (e *Engine) declare(name string, cfg reeve.QueueConfig) *Queue {
	q := newQueue(e, name, cfg, e.newOrder())
	e.numbers++
	q.no = e.numbers
	e.add(q)
	q.mu.Lock()
	q.noteQueue()
	q.emit(reeve.EventDeclared, nil, "", "")
	q.unlock()
	return q
}

// add makes q known. Engine.mu is held.
func (e *Engine) add(q *Queue) {
	e.names[q.name], e.numbered[q.no] = q, q
	e.known = append(slices.Clone(e.known), q.name)
	e.queues = append(slices.Clone(e.queues), q)
}

// newOrder is the place of a new queue among those there ever were. Engine.mu is
// held, or nobody else has the engine yet.
func (e *Engine) newOrder() int {
	e.orders++
	return e.orders
}

// byNo returns the queue that a number stands for, or nil.
func (e *Engine) byNo(no uint32) *Queue {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.numbered[no]
}

// difference tells in which fields two configurations differ.
func difference(has, wanted *reeve.QueueConfig) string {
	var fields []string
	a, b := reflect.ValueOf(has).Elem(), reflect.ValueOf(wanted).Elem()
	for i := range a.NumField() {
		if x, y := shown(a.Field(i).Interface()), shown(b.Field(i).Interface()); x != y {
			fields = append(fields, fmt.Sprintf("%s %s, not %s", a.Type().Field(i).Name, x, y))
		}
	}
	return strings.Join(fields, "; ")
}

// shown is the value of a field, for people.
func shown(x any) string {
	switch s := fmt.Sprint(x); {
	case x == int64(noBytesLimit):
		return "unlimited"
	case s == "":
		return "unset"
	default:
		return s
	}
}

func encodeConfig(c *reeve.QueueConfig) []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("queue: a configuration that is no JSON: %v", err)) // it has numbers and texts only
	}
	return b
}

// decodeConfig reads the configuration of the queue name: what it does not say is
// as usual.
func decodeConfig(name string, b []byte) (c reeve.QueueConfig, err error) {
	if err = json.Unmarshal(b, &c); err == nil {
		c, err = checkConfig(name, c)
	}
	if err != nil {
		return c, fmt.Errorf("%w: configuration of queue %.300q: %w", journal.ErrCorrupt, name, err)
	}
	return c, nil
}

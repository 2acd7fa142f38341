package cpython_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"
)

// The scenarios as testdata/generate.py writes them, which says
// what they look like.

type scenario struct {
	Name string
	Type string
	invocation
	outcome // of making the object; zero: it can be made
	Steps   []step
}

type step struct {
	Actor  int
	Object int
	Call   string
	invocation
	outcome
	Blocks   bool
	Unblocks []end
}

// freed, as a step's actor, is the one whose call was unblocked last.
const freed = -1

// end is the outcome of a step that had blocked until now.
type end struct {
	Step  int
	OneOf []int `json:"one_of"` // instead of Step: any of these that is not over
	outcome
}

// steps are those of which one ends.
func (e *end) steps() []int {
	if len(e.OneOf) > 0 {
		return e.OneOf
	}
	return []int{e.Step}
}

// invocation is how something is called in Python.
type invocation struct {
	Args   []any
	Kwargs map[string]any
}

// arg is the argument with that name or, given without it, at that place.
func (c *invocation) arg(name string, at int) (any, bool) {
	if v, ok := c.Kwargs[name]; ok {
		return v, true
	}
	if at < len(c.Args) {
		return c.Args[at], true
	}
	return nil, false
}

// num is arg for a number that is given always or has a default.
func (c *invocation) num(name string, at int, byDefault int64) int64 {
	if v, ok := c.arg(name, at); ok && v != nil {
		return v.(int64)
	}
	return byDefault
}

// flag is arg for a truth.
func (c *invocation) flag(name string, at int, byDefault bool) bool {
	if v, ok := c.arg(name, at); ok {
		return v.(bool)
	}
	return byDefault
}

// timeout is arg for seconds; false: there is none.
func (c *invocation) timeout(name string, at int) (time.Duration, bool) {
	switch v, _ := c.arg(name, at); v := v.(type) {
	case int64:
		return time.Duration(v) * time.Second, true
	case float64:
		return time.Duration(v * float64(time.Second)), true
	}
	return 0, false
}

// within is ctx with that timeout; one of 0 or less is over already.
func (c *invocation) within(ctx context.Context, name string, at int) (context.Context, context.CancelFunc) {
	if d, ok := c.timeout(name, at); ok {
		return context.WithTimeout(ctx, d)
	}
	return context.WithCancel(ctx)
}

// outcome is what a call came to: a value, or an error.
type outcome struct {
	Value   any
	Self    bool // the value is the object
	Error   string
	Message string
}

func (o outcome) equal(p outcome) bool {
	return o.Error == p.Error && o.Self == p.Self && (o.Error != "" || reflect.DeepEqual(o.Value, p.Value))
}

func (o outcome) String() string {
	switch {
	case o.Error != "":
		return fmt.Sprintf("%s(%s)", o.Error, o.Message)
	case o.Self:
		return "itself"
	}
	return fmt.Sprintf("%#v", o.Value)
}

// plain makes the values plain that were decoded.
func (s *scenario) plain() {
	s.invocation.plain()
	for i := range s.Steps {
		step := &s.Steps[i]
		step.invocation.plain()
		step.Value = plain(step.Value)
		for j := range step.Unblocks {
			step.Unblocks[j].Value = plain(step.Unblocks[j].Value)
		}
	}
}

func (c *invocation) plain() {
	for i := range c.Args {
		c.Args[i] = plain(c.Args[i])
	}
	for k := range c.Kwargs {
		c.Kwargs[k] = plain(c.Kwargs[k])
	}
}

// plain is v with one Go type for what is one in Python: int64, float64, bool,
// string, []any, nil.
func plain(v any) any {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
		f, _ := n.Float64()
		return f
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(r.Uint())
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.Slice, reflect.Array:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = plain(r.Index(i).Interface())
		}
		return list
	case reflect.Map:
		if m, ok := v.(map[string]any); ok {
			for k := range m {
				m[k] = plain(m[k])
			}
		}
	}
	return v
}

// readScenarios reads what CPython was seen to do, and which one it was.
func readScenarios(t *testing.T) (version string, scenarios []*scenario) {
	t.Helper()
	var document struct {
		Generator, Implementation, Version string
		Scenarios                          []*scenario
	}
	read(t, "semantics.json", &document)
	if len(document.Scenarios) < 300 {
		t.Fatalf("semantics.json has %d scenarios only", len(document.Scenarios))
	}
	for _, s := range document.Scenarios {
		s.plain()
	}
	return document.Implementation + " " + document.Version, document.Scenarios
}

// read decodes a file of testdata.
func read(t *testing.T, name string, out any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

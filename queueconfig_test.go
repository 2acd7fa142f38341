package reeve_test

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

// otherwise changes the first value in v, which may be a struct, to another;
// n chooses which of a struct's fields that is. It reports the field's name;
// empty: there are not so many.
func otherwise(t *testing.T, v reflect.Value, n *int, name string) string {
	t.Helper()
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
		for f, field := range v.Fields() {
			if found := otherwise(t, field, n, name+"."+f.Name); found != "" {
				return found
			}
		}
		return ""
	}
	if *n--; *n >= 0 {
		return ""
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf(v.Len()+1))
		v.Set(m)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
	case reflect.Struct:
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Hour)))
	default:
		t.Fatalf("%s is a %v: say here how to change it", name, v.Kind())
	}
	return name
}

func TestQueueConfig_EqualSeesEveryField(t *testing.T) {
	t.Parallel()
	base := func() reeve.QueueConfig {
		return reeve.QueueConfig{TypeConcurrency: map[string]int{"a": 1}, Windows: []reeve.Window{{From: time.Hour, Zone: "UTC"}}}
	}
	a, b := base(), base()
	if !a.Equal(&b) || !b.Equal(&a) {
		t.Fatal("a copy is not equal")
	}
	seen := 0
	for ; ; seen++ {
		other, n := base(), seen
		name := otherwise(t, reflect.ValueOf(&other).Elem(), &n, "QueueConfig")
		if name == "" {
			break
		}
		if other.Equal(&a) || a.Equal(&other) {
			t.Errorf("Equal does not see %s", name)
		}
	}
	if seen < reflect.TypeFor[reeve.QueueConfig]().NumField() {
		t.Fatalf("%d fields only", seen)
	}
	for i, change := range []func(*reeve.QueueConfig){
		func(c *reeve.QueueConfig) { c.Windows[0].To = time.Hour },
		func(c *reeve.QueueConfig) { c.Windows[0].Zone = "" },
		func(c *reeve.QueueConfig) { c.TypeConcurrency["b"] = 1 },
		func(c *reeve.QueueConfig) { c.TypeConcurrency = nil },
	} {
		other := base()
		if change(&other); other.Equal(&a) {
			t.Errorf("change %d is not seen", i)
		}
	}
	empty := reeve.QueueConfig{TypeConcurrency: map[string]int{}, Windows: []reeve.Window{}}
	if !empty.Equal(&reeve.QueueConfig{}) {
		t.Error("nothing is not equal to nothing")
	}
}

func TestQueueConfig_DefaultsAreValidAndFilledInOnce(t *testing.T) {
	t.Parallel()
	for i, c := range []reeve.QueueConfig{
		{}, {Backoff: reeve.Backoff{Base: time.Second}}, {Backoff: reeve.Backoff{Base: time.Hour, Jitter: reeve.NoJitter}},
		{Rate: reeve.Rate{Tasks: 5}, KeyRate: reeve.Rate{Tasks: 1, Per: time.Hour}}, {MaxBytes: reeve.NoLimit, KeyConcurrency: reeve.NoLimit},
		{Attempts: 1, History: 1, Lease: time.Second, MaxResultBytes: 256, KeyConcurrency: 7, TypeConcurrency: map[string]int{"": 1}},
	} {
		once := c.WithDefaults()
		if err := once.Validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if twice := once.WithDefaults(); !twice.Equal(&once) || !reflect.DeepEqual(twice, once) {
			t.Errorf("%d: %+v\nthen %+v", i, once, twice)
		}
	}
	a := (reeve.QueueConfig{Rate: reeve.Rate{Tasks: 5}}).WithDefaults()
	b := (reeve.QueueConfig{Rate: reeve.Rate{Tasks: 5, Per: time.Second, Burst: 1}}).WithDefaults()
	if !a.Equal(&b) {
		t.Error("what is left out is not the same as the default")
	}
}

func TestQueueConfig_ValidateTakesEachLimit(t *testing.T) {
	t.Parallel()
	types := map[string]int{}
	for i := range reeve.MaxTypes {
		types[strconv.Itoa(i)] = 1
	}
	for i, c := range []reeve.QueueConfig{
		{MaxLen: math.MaxInt}, {MaxBytes: reeve.TaskOverhead}, {MaxBytes: reeve.NoLimit}, {MaxBytes: math.MaxInt64}, {Lease: 100 * time.Millisecond},
		{Lease: 24 * time.Hour}, {Timeout: 1}, {Timeout: reeve.MaxTime}, {Attempts: 1}, {Attempts: reeve.MaxAttempts}, {History: 1}, {History: 100},
		{DeadFor: reeve.MaxTime}, {MaxDead: math.MaxInt}, {Ageing: time.Millisecond}, {Ageing: 24 * time.Hour},
		{Reserve: reeve.Reserve{Slots: reeve.MaxSlots, Priority: math.MinInt32}}, {Concurrency: math.MaxInt}, {TypeConcurrency: types},
		{TypeConcurrency: map[string]int{strings.Repeat("x", 255): math.MaxInt, "": 1}}, {KeyConcurrency: math.MaxInt32}, {KeyConcurrency: reeve.NoLimit},
		{Windows: make([]reeve.Window, 16)}, {Windows: []reeve.Window{{From: 24 * time.Hour, To: 24 * time.Hour}}}, {KeepResult: reeve.MaxTime}, {MaxResultBytes: 256},
		{IdleTTL: time.Second}, {IdleTTL: reeve.MaxTime},
		{Durability: reeve.DurabilitySync}, {Durability: reeve.DurabilityNone}, {Durability: reeve.Durability(time.Millisecond)},
	} {
		full := c.WithDefaults()
		if err := full.Validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestQueueConfig_ValidateNamesTheFieldThatIsOutOfRange(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	types := map[string]int{}
	for i := range reeve.MaxTypes + 1 {
		types[strconv.Itoa(i)] = 1
	}
	seen := map[string]bool{}
	check := func(field string, change func(*reeve.QueueConfig)) {
		t.Helper()
		seen[strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' })[0]] = true
		c := (reeve.QueueConfig{}).WithDefaults()
		change(&c)
		if err := c.Validate(); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "QueueConfig."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, d := range []time.Duration{-1, math.MinInt64, reeve.MaxTime + 1, math.MaxInt64} {
		check("Lease", func(c *reeve.QueueConfig) { c.Lease = d })
		check("Timeout", func(c *reeve.QueueConfig) { c.Timeout = d })
		check("DeadFor", func(c *reeve.QueueConfig) { c.DeadFor = d })
		check("Ageing", func(c *reeve.QueueConfig) { c.Ageing = d })
		check("KeepResult", func(c *reeve.QueueConfig) { c.KeepResult = d })
		check("IdleTTL", func(c *reeve.QueueConfig) { c.IdleTTL = d })
		check("Windows[0]", func(c *reeve.QueueConfig) { c.Windows = []reeve.Window{{From: d}} })
		check("Windows[1]", func(c *reeve.QueueConfig) { c.Windows = []reeve.Window{{}, {To: d}} })
		check("Rate", func(c *reeve.QueueConfig) { c.Rate = reeve.Rate{Tasks: 1, Per: d} })
		check("KeyRate", func(c *reeve.QueueConfig) { c.KeyRate = reeve.Rate{Tasks: 1, Per: d} })
		check("Backoff", func(c *reeve.QueueConfig) { c.Backoff = reeve.Backoff{Base: d} })
		if d != -1 { // which is DurabilitySync
			check("Durability", func(c *reeve.QueueConfig) { c.Durability = reeve.Durability(d) })
		}
	}
	for _, n := range []int{-2, math.MinInt} { // -1 is NoLimit
		check("MaxLen", func(c *reeve.QueueConfig) { c.MaxLen = n })
		check("MaxBytes", func(c *reeve.QueueConfig) { c.MaxBytes = int64(n) })
		check("Attempts", func(c *reeve.QueueConfig) { c.Attempts = n })
		check("History", func(c *reeve.QueueConfig) { c.History = n })
		check("MaxDead", func(c *reeve.QueueConfig) { c.MaxDead = n })
		check("Reserve.Slots", func(c *reeve.QueueConfig) { c.Reserve.Slots = n })
		check("Concurrency", func(c *reeve.QueueConfig) { c.Concurrency = n })
		check("TypeConcurrency", func(c *reeve.QueueConfig) { c.TypeConcurrency = map[string]int{"a": 1, "b": n} })
		check("KeyConcurrency", func(c *reeve.QueueConfig) { c.KeyConcurrency = n })
		check("MaxResultBytes", func(c *reeve.QueueConfig) { c.MaxResultBytes = int64(n) })
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -7} {
		check("Backoff: Backoff.Factor", func(c *reeve.QueueConfig) { c.Backoff = reeve.Backoff{Base: hour, Factor: f} })
		check("Backoff: Backoff.Jitter", func(c *reeve.QueueConfig) { c.Backoff = reeve.Backoff{Base: hour, Jitter: f} })
	}
	check("Lease", func(c *reeve.QueueConfig) { c.Lease = 100*time.Millisecond - 1 })
	check("Lease", func(c *reeve.QueueConfig) { c.Lease = 24*hour + 1 })
	check("Ageing", func(c *reeve.QueueConfig) { c.Ageing = time.Millisecond - 1 })
	check("IdleTTL", func(c *reeve.QueueConfig) { c.IdleTTL = time.Second - 1 })
	check("MaxBytes", func(c *reeve.QueueConfig) { c.MaxBytes = reeve.TaskOverhead - 1 })
	check("MaxResultBytes", func(c *reeve.QueueConfig) { c.MaxResultBytes = reeve.NoLimit })
	check("Attempts", func(c *reeve.QueueConfig) { c.Attempts = reeve.MaxAttempts + 1 })
	check("History", func(c *reeve.QueueConfig) { c.History = reeve.NoLimit })
	check("History", func(c *reeve.QueueConfig) { c.History = 101 })
	check("Reserve.Slots", func(c *reeve.QueueConfig) { c.Reserve = reeve.Reserve{Slots: reeve.MaxSlots + 1} })
	check("Reserve.Slots", func(c *reeve.QueueConfig) { c.Reserve = reeve.Reserve{Priority: 1} })
	check("TypeConcurrency", func(c *reeve.QueueConfig) { c.TypeConcurrency = types })
	check("TypeConcurrency", func(c *reeve.QueueConfig) { c.TypeConcurrency = map[string]int{"a": 0} })
	check("KeyConcurrency", func(c *reeve.QueueConfig) { c.KeyConcurrency = math.MaxInt32 + 1 })
	check("Windows is 17 windows", func(c *reeve.QueueConfig) { c.Windows = make([]reeve.Window, 17) })
	check("Windows[0]", func(c *reeve.QueueConfig) { c.Windows = []reeve.Window{{From: time.Second}} })
	check("Windows[0]", func(c *reeve.QueueConfig) { c.Windows = []reeve.Window{{Zone: "Mars"}} })
	check("Backoff", func(c *reeve.QueueConfig) { c.Backoff = reeve.Backoff{Factor: 2} })
	free := map[string]bool{"Refuse": true, "CountSnoozed": true, "LIFO": true} // any value will do
	for f := range reflect.TypeFor[reeve.QueueConfig]().Fields() {
		if !seen[f.Name] && !free[f.Name] {
			t.Errorf("nothing refuses a QueueConfig.%s", f.Name)
		}
	}
	c := (reeve.QueueConfig{TypeConcurrency: map[string]int{strings.Repeat("x", 256): 1}}).WithDefaults()
	if err := c.Validate(); !errors.Is(err, reeve.ErrTooLarge) {
		t.Errorf("a long type: %v", err)
	}
}

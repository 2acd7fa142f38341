package reeve_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

func TestRules_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	at := func(year int) time.Time { return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC) }
	labels := func(n int, l string) []string {
		return strings.Split(strings.TrimSuffix(strings.Repeat(l+",", n), ","), ",")
	}
	key := strings.Repeat("k", reeve.MaxKey)
	for i, r := range []reeve.Rules{
		{}, {At: time.Unix(0, 1)}, {At: at(2200)}, {Expiry: 1}, {Expiry: reeve.MaxTime}, {ExpireAt: at(1970)}, {Attempts: reeve.MaxAttempts},
		{Backoff: reeve.Backoff{Base: reeve.MaxTime}}, {Key: key}, {Unique: key}, {Unique: "a", UniqueMode: reeve.UniqueForTime, UniqueFor: reeve.MaxTime},
		{Unique: "a", UniqueMode: reeve.UniqueUntilStart}, {Unique: "a", UniqueMode: reeve.UniqueForTime}, {Labels: labels(reeve.MaxLabels, "é")},
		{Labels: []string{strings.Repeat("l", 255)}}, {KeepResult: reeve.MaxTime}, {KeepResult: math.MinInt64}, {Key: "a\x00b\n"},
	} {
		if err := r.Validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, r := range []reeve.Rules{
		{At: time.Unix(0, 0)}, {At: time.Unix(-1, 0)}, {At: at(2201)}, {At: at(math.MaxInt32)}, {At: time.Unix(math.MaxInt64, 0)}, {At: time.Unix(0, 0).In(time.FixedZone("", 12*3600))},
		{ExpireAt: time.Unix(0, 0)}, {ExpireAt: at(1969)}, {ExpireAt: at(2201)}, {Expiry: -1}, {Expiry: math.MinInt64}, {Expiry: reeve.MaxTime + 1}, {Expiry: math.MaxInt64},
		{Expiry: 1, ExpireAt: at(2030)}, {Attempts: -1}, {Attempts: reeve.NoLimit}, {Attempts: reeve.MaxAttempts + 1}, {Attempts: math.MaxInt},
		{Backoff: reeve.Backoff{Base: -1}}, {Backoff: reeve.Backoff{Base: 1, Factor: math.NaN()}}, {Backoff: reeve.Backoff{Jitter: math.Inf(1)}},
		{Key: "\xff"}, {Unique: "\xff"}, {UniqueMode: reeve.UniqueUntilStart}, {UniqueFor: 1}, {Unique: "a", UniqueFor: 1},
		{Unique: "a", UniqueMode: reeve.UniqueForTime, UniqueFor: -1}, {Unique: "a", UniqueMode: reeve.UniqueForTime, UniqueFor: reeve.MaxTime + 1},
		{Unique: "a", UniqueMode: 3}, {Unique: "a", UniqueMode: 255}, {Labels: []string{""}}, {Labels: []string{strings.Repeat("l", 256)}}, {Labels: []string{"\xff"}},
		{KeepResult: reeve.MaxTime + 1}, {KeepResult: math.MaxInt64},
	} {
		if err := r.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, r := range []reeve.Rules{{Key: key + "k"}, {Unique: strings.Repeat("u", 64<<10)}, {Labels: labels(reeve.MaxLabels+1, "l")}} {
		var limit *reeve.LimitError
		if err := r.Validate(); !errors.Is(err, reeve.ErrTooLarge) || !errors.As(err, &limit) || limit.Value <= limit.Max {
			t.Errorf("%v", err)
		}
	}
}

func TestTask_ValidateTakesEachLimitAndNothingBeyond(t *testing.T) {
	t.Parallel()
	at := time.Now()
	for i, task := range []reeve.Task{
		{}, {Delay: reeve.MaxTime, Timeout: reeve.MaxTime}, {Type: strings.Repeat("t", 255)}, {Priority: math.MinInt32}, {Priority: math.MaxInt32},
		{Rules: &reeve.Rules{}}, {Rules: &reeve.Rules{At: at}},
	} {
		if err := task.Validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, task := range []reeve.Task{
		{Delay: -1}, {Delay: math.MinInt64}, {Delay: reeve.MaxTime + 1}, {Timeout: -1}, {Timeout: math.MaxInt64}, {Type: "\xff"},
		{Delay: 1, Rules: &reeve.Rules{At: at}}, {Rules: &reeve.Rules{Attempts: -1}},
	} {
		if err := task.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := (&reeve.Task{Type: strings.Repeat("t", 256)}).Validate(); !errors.Is(err, reeve.ErrTooLarge) {
		t.Errorf("a long type: %v", err)
	}
}

// full has a value in every field, each other than that of full with another n.
func full(n int) reeve.Rules {
	d := time.Duration(n) * time.Second
	return reeve.Rules{
		At: time.Unix(int64(n), 0), Expiry: d, ExpireAt: time.Unix(int64(n), 5), Attempts: n, Backoff: reeve.Backoff{Base: d}, Key: "k" + d.String(),
		Unique: "u" + d.String(), UniqueMode: reeve.UniqueMode(n), UniqueFor: d, Labels: []string{d.String()}, KeepResult: d,
		Blobs: []reeve.BlobRef{{Size: int64(n)}},
	}
}

func TestPutOptions_EveryRuleIsTakenOverAndGivesWayToTheTasks(t *testing.T) {
	t.Parallel()
	options, own := full(1), full(2)
	for f, v := range reflect.ValueOf(options).Fields() {
		if v.IsZero() || reflect.DeepEqual(v.Interface(), reflect.ValueOf(own).FieldByIndex(f.Index).Interface()) {
			t.Fatalf("full does not tell %s apart", f.Name)
		}
		// One rule alone.
		var one reeve.Rules
		reflect.ValueOf(&one).Elem().FieldByIndex(f.Index).Set(v)
		var task reeve.Task
		put := reeve.NewPutOptions(reeve.WithRules(one))
		put.Apply(&task)
		if task.Rules == nil || !reflect.DeepEqual(*task.Rules, one) {
			t.Errorf("%s is not taken over: %+v", f.Name, task.Rules)
		}
	}
	put := reeve.NewPutOptions(reeve.WithRules(options))
	task := reeve.Task{Rules: &own}
	put.Apply(&task)
	if !reflect.DeepEqual(*task.Rules, full(2)) || !reflect.DeepEqual(own, full(2)) {
		t.Errorf("the options took the place of a task's own rules: %+v", task.Rules)
	}
	if !reflect.DeepEqual(put.Rules, full(1)) {
		t.Errorf("the options were changed: %+v", put.Rules)
	}
}

func TestPutOptions_WhatExcludesEachOtherIsNotMixed(t *testing.T) {
	t.Parallel()
	at, other := time.Unix(1e9, 0), time.Unix(2e9, 0)
	for name, c := range map[string]struct {
		own  reeve.Task
		opts []reeve.PutOption
		want reeve.Task
	}{
		"no options":               {reeve.Task{Type: "a"}, nil, reeve.Task{Type: "a"}},
		"options that say nothing": {reeve.Task{}, []reeve.PutOption{reeve.WithKey(""), reeve.WithType(""), reeve.WithLabels()}, reeve.Task{}},
		"fields":                   {reeve.Task{}, []reeve.PutOption{reeve.WithType("b"), reeve.WithDelay(2), reeve.WithTimeout(3), reeve.WithPriority(-4)}, reeve.Task{Type: "b", Delay: 2, Timeout: 3, Priority: -4}},
		"own fields":               {reeve.Task{Type: "a", Delay: 1, Timeout: 1, Priority: 1}, []reeve.PutOption{reeve.WithType("b"), reeve.WithDelay(2), reeve.WithTimeout(3), reeve.WithPriority(-4)}, reeve.Task{Type: "a", Delay: 1, Timeout: 1, Priority: 1}},
		"own Delay, At":            {reeve.Task{Delay: 1}, []reeve.PutOption{reeve.At(at), reeve.WithKey("k")}, reeve.Task{Delay: 1, Rules: &reeve.Rules{Key: "k"}}},
		"own At, Delay":            {reeve.Task{Rules: &reeve.Rules{At: at}}, []reeve.PutOption{reeve.WithDelay(5)}, reeve.Task{Rules: &reeve.Rules{At: at}}},
		"own At, At":               {reeve.Task{Rules: &reeve.Rules{At: at}}, []reeve.PutOption{reeve.At(other)}, reeve.Task{Rules: &reeve.Rules{At: at}}},
		"own Expiry, ExpireAt":     {reeve.Task{Rules: &reeve.Rules{Expiry: 7}}, []reeve.PutOption{reeve.ExpireAt(at)}, reeve.Task{Rules: &reeve.Rules{Expiry: 7}}},
		"own ExpireAt, Expiry":     {reeve.Task{Rules: &reeve.Rules{ExpireAt: at}}, []reeve.PutOption{reeve.WithExpiry(7)}, reeve.Task{Rules: &reeve.Rules{ExpireAt: at}}},
		"own Unique, UniqueFor":    {reeve.Task{Rules: &reeve.Rules{Unique: "a"}}, []reeve.PutOption{reeve.UniqueFor("b", 9)}, reeve.Task{Rules: &reeve.Rules{Unique: "a"}}},
		"a later unique option":    {reeve.Task{}, []reeve.PutOption{reeve.UniqueFor("b", 9), reeve.WithUnique("c", reeve.UniqueUntilStart)}, reeve.Task{Rules: &reeve.Rules{Unique: "c", UniqueMode: reeve.UniqueUntilStart}}},
		"UniqueFor":                {reeve.Task{}, []reeve.PutOption{reeve.UniqueFor("b", 9)}, reeve.Task{Rules: &reeve.Rules{Unique: "b", UniqueMode: reeve.UniqueForTime, UniqueFor: 9}}},
		"no labels, labels":        {reeve.Task{Rules: &reeve.Rules{Labels: []string{}}}, []reeve.PutOption{reeve.WithLabels("gpu")}, reeve.Task{Rules: &reeve.Rules{Labels: []string{}}}},
		"the others":               {reeve.Task{}, []reeve.PutOption{reeve.WithAttempts(3), reeve.WithBackoff(reeve.Backoff{Base: 1}), reeve.WithLabels("x"), reeve.KeepResult(-1), reeve.WithExpiry(4)}, reeve.Task{Rules: &reeve.Rules{Attempts: 3, Backoff: reeve.Backoff{Base: 1}, Labels: []string{"x"}, KeepResult: -1, Expiry: 4}}},
	} {
		put := reeve.NewPutOptions(c.opts...)
		got := c.own
		put.Apply(&got)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v %+v\nwant %+v %+v", name, got, got.Rules, c.want, c.want.Rules)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if o := reeve.NewPutOptions(reeve.NoWait(), reeve.IgnoreDuplicates()); !o.NoWait || !o.IgnoreDuplicates {
		t.Errorf("%+v", o)
	}
}

func TestPutOptions_ThatContradictEachOtherAreRefusedByThePut(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]reeve.PutOption{
		{reeve.WithDelay(1), reeve.At(time.Now())}, {reeve.WithExpiry(1), reeve.ExpireAt(time.Now())}, {reeve.WithDelay(-1)}, {reeve.WithUnique("", reeve.UniqueUntilStart)},
	} {
		put := reeve.NewPutOptions(opts...)
		var task reeve.Task
		put.Apply(&task)
		if err := task.Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%+v: %v", task, err)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/cmdline"
)

// lineJSON is a task as a line of the input with -jsonl has it. What is not
// there is as the flags say.
type lineJSON struct {
	Payload *string         `json:"payload"`
	Base64  *[]byte         `json:"payload_base64"`
	JSON    json.RawMessage `json:"payload_json"`
	CBOR    json.RawMessage `json:"payload_cbor"`

	Type       *string           `json:"type"`
	Priority   *int32            `json:"priority"`
	Delay      *durationText     `json:"delay"`
	At         *momentText       `json:"at"`
	Expires    *durationText     `json:"expires"`
	ExpireAt   *momentText       `json:"expire_at"`
	Timeout    *durationText     `json:"timeout"`
	Attempts   *int              `json:"attempts"`
	Backoff    *waitsText        `json:"backoff"`
	Key        *string           `json:"key"`
	Unique     *string           `json:"unique"`
	UniqueMode *reeve.UniqueMode `json:"unique_mode"`
	UniqueFor  *durationText     `json:"unique_for"`
	Labels     *[]string         `json:"labels"`
	KeepResult *keepText         `json:"keep_result"`
	Blobs      *[]reeve.BlobRef  `json:"blobs"`

	// What "reeve get -json" writes besides, and the master says: left alone.
	ID      json.RawMessage `json:"id"`
	Attempt json.RawMessage `json:"attempt"`
	Source  json.RawMessage `json:"source"`
	PutAt   json.RawMessage `json:"put_at"`
}

const lineFields = `payload, payload_base64, payload_json, payload_cbor, type, priority, delay, at, expires, expire_at,
timeout, attempts, backoff, key, unique, unique_mode, unique_for, labels, keep_result, blobs`

// parseLine makes the task that a line of JSON describes; spec has what the
// flags say.
func parseLine(line []byte, spec taskSpec) (reeve.Task, error) {
	var l lineJSON
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return reeve.Task{}, jsonError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return reeve.Task{}, errors.New("want one JSON object in a line")
	}
	payload, err := l.payload()
	if err != nil {
		return reeve.Task{}, err
	}
	l.apply(&spec)
	return spec.task(payload), nil
}

func jsonError(err error) error {
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("unknown field %s; there are: %s", field, strings.ReplaceAll(lineFields, "\n", " "))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("not a whole JSON object")
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return fmt.Errorf("%s: want %s, not the %s", e.Field, jsonKind(e.Type), e.Value)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("want a JSON object with the fields of a task: %w", err)
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errors.New("want a JSON object with the fields of a task")
	}
	return cmdline.Plain(errors.New(strings.TrimPrefix(err.Error(), "json: ")))
}

// jsonKind is what a field of type t is in JSON.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int32:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Slice:
		return "an array of texts"
	}
	return "a text in quotes"
}

// payload is the one of the forms that is there; of those that "reeve get
// -json" writes side by side, the exact one.
func (l *lineJSON) payload() ([]byte, error) {
	switch {
	case count(l.Payload != nil, l.Base64 != nil || l.CBOR != nil, l.JSON != nil) != 1:
		return nil, errors.New("want one of payload, payload_base64, payload_json and payload_cbor")
	case l.Payload != nil:
		return []byte(*l.Payload), nil
	case l.Base64 != nil:
		return *l.Base64, nil
	case l.JSON != nil:
		var b bytes.Buffer
		err := json.Compact(&b, l.JSON)
		return b.Bytes(), err
	}
	d := json.NewDecoder(bytes.NewReader(l.CBOR))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	v, err := exactNumbers(v)
	if err != nil {
		return nil, err
	}
	return codec.CBOR.Marshal(v)
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// exactNumbers makes integers of the numbers that are some.
func exactNumbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		var i int64
		var u uint64
		if err := json.Unmarshal([]byte(v), &i); err == nil {
			return i, nil
		}
		if err := json.Unmarshal([]byte(v), &u); err == nil {
			return u, nil
		}
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = exactNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = exactNumbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// apply puts what the line says in the place of what the flags say.
func (l *lineJSON) apply(s *taskSpec) {
	r := &s.rules
	set(&s.typ, l.Type)
	if l.Priority != nil {
		s.priority = int(*l.Priority)
	}
	if l.Delay != nil || l.At != nil {
		s.delay, r.At = 0, time.Time{}
		set(&s.delay, (*time.Duration)(l.Delay))
		set(&r.At, (*time.Time)(l.At))
	}
	if l.Expires != nil || l.ExpireAt != nil {
		r.Expiry, r.ExpireAt = 0, time.Time{}
		set(&r.Expiry, (*time.Duration)(l.Expires))
		set(&r.ExpireAt, (*time.Time)(l.ExpireAt))
	}
	set(&s.timeout, (*time.Duration)(l.Timeout))
	set(&r.Attempts, l.Attempts)
	set(&r.Backoff, (*reeve.Backoff)(l.Backoff))
	if l.Key != nil {
		s.key, r.Key = "", *l.Key
	}
	if l.Unique != nil {
		s.unique, r.Unique = "", *l.Unique
		if r.Unique == "" {
			r.UniqueMode, r.UniqueFor = 0, 0
		}
	}
	if l.UniqueMode != nil {
		r.UniqueMode, r.UniqueFor = *l.UniqueMode, 0
	}
	if l.UniqueFor != nil {
		r.UniqueFor = time.Duration(*l.UniqueFor)
		if l.UniqueMode == nil {
			r.UniqueMode = reeve.UniqueForTime
		}
	}
	set(&r.Labels, l.Labels)
	set(&r.KeepResult, (*time.Duration)(l.KeepResult))
	set(&r.Blobs, l.Blobs)
}

// set gives dest the value of a field that is there.
func set[T any](dest, v *T) {
	if v != nil {
		*dest = *v
	}
}

// The texts of fields are those of the flags.
type (
	durationText time.Duration
	momentText   time.Time
	waitsText    reeve.Backoff
	keepText     time.Duration
)

func (t *durationText) UnmarshalText(b []byte) error {
	d, err := cmdline.ParseDuration(string(b))
	*t = durationText(d)
	return quoted(b, err)
}

func (t *momentText) UnmarshalText(b []byte) error {
	v, err := parseTime(string(b), time.Now())
	*t = momentText(v)
	return quoted(b, err)
}

func (t *waitsText) UnmarshalText(b []byte) error {
	v, err := parseBackoff(string(b))
	*t = waitsText(v)
	return quoted(b, err)
}

func (t *keepText) UnmarshalText(b []byte) error {
	return quoted(b, keepValue{(*time.Duration)(t)}.Set(string(b)))
}

func quoted(b []byte, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%.100q: %w", b, err)
}

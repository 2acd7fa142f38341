package wire_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// randomly fills every field of a message.
func (r random) randomly(v reflect.Value) {
	if id, ok := v.Addr().Interface().(*wire.ClientID); ok {
		copy(id[:], r.bytes(len(id)))
		return
	}
	if rules, ok := v.Addr().Interface().(*wire.Rules); ok {
		*rules = wire.Rules(*r.rules())
		if f := &rules.Backoff; f.Factor != f.Factor || f.Jitter != f.Jitter {
			*f = reeve.Backoff{} // NaN is not equal to itself
		}
		return
	}
	if rules, ok := v.Addr().Interface().(*reeve.Rules); ok {
		r.randomly(reflect.ValueOf((*wire.Rules)(rules)).Elem())
		return
	}
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = unix(r.duration())
		return
	}
	if source, ok := v.Addr().Interface().(*wire.Source); ok {
		*source = wire.Source{Queue: r.name(), Weight: r.IntN(1 << 31)}
		return
	}
	if source, ok := v.Addr().Interface().(*reeve.Source); ok {
		*source = reeve.Source{Queue: r.name(), Weight: r.IntN(1 << 31)}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.String:
		v.SetString(r.name())
	case reflect.Int, reflect.Int64:
		v.SetInt(r.duration())
	case reflect.Int32:
		v.SetInt(int64(int32(r.number())))
	case reflect.Uint8:
		v.SetUint(r.number() % 256)
	case reflect.Uint32:
		v.SetUint(uint64(uint32(r.number())))
	case reflect.Float64:
		v.SetFloat(r.Float64())
	case reflect.Uint64:
		v.SetUint(r.number())
	case reflect.Struct:
		for i := range v.NumField() {
			r.randomly(v.Field(i))
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			r.randomly(v.Elem())
		}
	case reflect.Slice:
		n := 1 + r.IntN(3)
		if v.Type().Elem().Kind() != reflect.Uint8 && v.Type() != reflect.TypeFor[wire.Pairs]() && r.IntN(3) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				v.Index(i).SetUint(uint64(byte(r.Uint32())))
				continue
			}
			r.randomly(v.Index(i))
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func (r random) cold(m wire.Message) wire.Message {
	v := reflect.ValueOf(m).Elem()
	r.randomly(v)
	if req := v.FieldByName("Req"); req.IsValid() {
		req.SetUint(r.request())
		if low := v.FieldByName("Low"); low.IsValid() {
			low.SetUint(r.Uint64N(req.Uint() + 1))
		}
	}
	return m
}

func TestCold_DecodeIntoAnyStructGivesWhatWasSent(t *testing.T) {
	t.Parallel()
	r := newRandom(30)
	for _, dirty := range coldMessages() {
		typ := typeOf(t, fill(dirty))
		for range 100 {
			sent := r.cold(reflect.New(reflect.TypeOf(dirty).Elem()).Interface().(wire.Message))
			frame, err := wire.Append(nil, sent)
			if err != nil {
				t.Fatal(err)
			}
			if err := wire.Decode(typ, r.widen(bodyOf(t, frame[wire.HeaderLen:])), dirty); err != nil {
				t.Fatalf("%v: %v", typ, err)
			}
			if !reflect.DeepEqual(dirty, sent) {
				t.Fatalf("sent\n%+v, got\n%+v", sent, dirty)
			}
		}
	}
}

// A struct of an older and of a newer version, as they may be one day.
type (
	oldNack struct {
		Req uint64   `cbor:"1,keyasint"`
		ID  reeve.ID `cbor:"4,keyasint,omitempty"`
	}
	newNack struct {
		wire.Nack
		Later map[string]any `cbor:"40,keyasint"`
	}
)

func TestCold_VersionsReadEachOther(t *testing.T) {
	t.Parallel()
	full := wire.Nack{Req: 5, Low: 4, Queue: "q", ID: 7, Attempt: 2, Delay: time.Second, Error: "e"}
	var got wire.Nack
	newer := must(libraryEnc.Marshal(newNack{full, map[string]any{"x": []int{1, 2}}}))
	if err := wire.Decode(wire.TypeNack, newer, &got); err != nil || got != full {
		t.Errorf("from a newer program: %v, %+v", err, got)
	}
	older := must(libraryEnc.Marshal(oldNack{Req: 5, ID: 7}))
	if err := wire.Decode(wire.TypeNack, older, &got); err != nil || got != (wire.Nack{Req: 5, ID: 7}) {
		t.Errorf("from an older program: %v, %+v", err, got)
	}
	frame, err := wire.Append(nil, full)
	if err != nil {
		t.Fatal(err)
	}
	var old oldNack
	if err := oracleMode.Unmarshal(bodyOf(t, frame[wire.HeaderLen:]), &old); err != nil || old != (oldNack{Req: 5, ID: 7}) {
		t.Errorf("at an older program: %v, %+v", err, old)
	}
}

func TestRequestID_OfUnknownTypes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body string
		req  uint64
		ok   bool
		bad  bool
	}{
		{"a10107", 7, true, false},
		{"a2 05f6 0107", 7, true, false},
		{"a2 0107 18638101", 7, true, false},
		{"a0", 0, false, false},
		{"a10100", 0, false, false},
		{"a10126", 0, false, false},
		{"a1016137", 0, false, false},
		{"a1", 0, false, true},
		{"a20107 0107", 0, false, true},
		{"a10107 00", 0, false, true},
		{"8107", 0, false, true},
		{"a10107c1", 0, false, true},
	} {
		req, ok, err := wire.RequestID(unhex(t, c.body))
		if req != c.req || ok != c.ok || (err != nil) != c.bad || err != nil && !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%s: %d %v %v", c.body, req, ok, err)
		}
	}
	typ, body, err := wire.ParseType(unhex(t, "1b00000001000000 00a0"))
	if err != nil || typ.Known() || len(body) != 1 || typ.String() != "message type 4294967296" {
		t.Errorf("%v, %d bytes, %v", typ, len(body), err)
	}
}

func TestCold_DecodeIntoTheWrongStructIsRefused(t *testing.T) {
	t.Parallel()
	var nothing *wire.Join
	for _, m := range []any{&wire.Get{}, wire.Join{}, nothing, "x", nil} {
		if err := wire.Decode(wire.TypeJoin, []byte{0xa0}, m); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%T: %v", m, err)
		}
	}
}

func TestCold_MalformedIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		m    wire.Message
	}{
		"no request":           {"a10204", &wire.Join{}},
		"low above request":    {"a201030204", &wire.Join{}},
		"claim of nothing":     {"a201030480", &wire.Claim{}},
		"odd claim":            {"a20103048101", &wire.Claim{}},
		"claim of a map":       {"a2010304a0", &wire.Claim{}},
		"client of 15 bytes":   {"a103 4f000000000000000000000000000000", &wire.Hello{}},
		"text as client":       {"a103 70 61616161616161616161616161616161", &wire.Hello{}},
		"text key":             {"a2 0103 617801", &wire.Join{}},
		"duplicate":            {"a201030103", &wire.Join{}},
		"duplicate unknown":    {"a3010318630118 6301", &wire.Join{}},
		"trailing":             {"a1010300", &wire.Join{}},
		"float":                {"a101f94500", &wire.Join{}},
		"queue not UTF-8":      {"a2 0103 0361ff", &wire.Join{}},
		"queue as bytes":       {"a2 0103 034171", &wire.Join{}},
		"duplicate in a map":   {"a2 0103 0581a2 0201 0202", &wire.Answer{}},
		"tag":                  {"a101c103", &wire.Join{}},
		"attempt of 33 bits":   {"a20103 051b0000000100000000", &wire.Nack{}},
		"delay beyond int64":   {"a20103 061bffffffffffffffff", &wire.Nack{}},
		"indefinite":           {"bf0103ff", &wire.Join{}},
		"array":                {"83010203", &wire.Join{}},
		"nothing":              {"", &wire.Join{}},
		"claim too huge to be": {"a20103 049bffffffffffffffff", &wire.Claim{}},
	} {
		m := reflect.New(reflect.TypeOf(c.m).Elem()).Interface()
		if err := wire.Decode(typeOf(t, fill(c.m)), unhex(t, c.body), m); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

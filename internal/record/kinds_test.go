package record_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/reeveq/reeve/internal/record"
)

type decoder interface{ Decode(body []byte) error }

// codec is how one kind of record is written and read.
type codec struct {
	kind   record.Kind
	fresh  func() decoder
	append func(b []byte, r decoder) []byte
}

func codecFor[T any, P interface {
	*T
	decoder
}](kind record.Kind, add func([]byte, P) []byte) codec {
	return codec{kind, func() decoder { return P(new(T)) }, func(b []byte, r decoder) []byte { return add(b, r.(P)) }}
}

var codecs = []codec{
	codecFor(record.KindMaster, record.AppendMaster),
	codecFor(record.KindQueue, record.AppendQueue),
	codecFor(record.KindPause, record.AppendPause),
	codecFor(record.KindClient, record.AppendClient),
	codecFor(record.KindGone, record.AppendGone),
	codecFor(record.KindRequest, record.AppendRequest),
	codecFor(record.KindPut, record.AppendPut),
	codecFor(record.KindTask, record.AppendTask),
	codecFor(record.KindLease, record.AppendLease),
	codecFor(record.KindExtend, record.AppendExtend),
	codecFor(record.KindState, record.AppendStand),
	codecFor(record.KindMove, record.AppendMove),
	codecFor(record.KindEnd, record.AppendEnd),
	codecFor(record.KindResult, record.AppendResult),
	codecFor(record.KindUnique, record.AppendUnique),
	codecFor(record.KindDelete, record.AppendDelete),
	codecFor(record.KindObject, record.AppendObject),
	codecFor(record.KindDrop, record.AppendDrop),
	codecFor(record.KindEntry, record.AppendEntry),
	codecFor(record.KindRemove, record.AppendRemove),
	codecFor(record.KindAnswer, record.AppendAnswer),
}

func codecOf(t testing.TB, kind record.Kind) codec {
	t.Helper()
	for _, c := range codecs {
		if c.kind == kind {
			return c
		}
	}
	t.Fatalf("no codec of %v", kind)
	return codec{}
}

// write encodes r by the kind of its struct.
func write(t testing.TB, r decoder) []byte {
	t.Helper()
	for _, c := range codecs {
		if reflect.TypeOf(c.fresh()) == reflect.TypeOf(r) {
			return c.append(nil, r)
		}
	}
	t.Fatalf("no codec of %T", r)
	return nil
}

// only splits bytes that are one record.
func only(t testing.TB, b []byte) (record.Kind, []byte) {
	t.Helper()
	kind, body, rest, err := record.Next(b)
	if err != nil || len(rest) != 0 {
		t.Fatalf("one record of %x: %v, %d bytes left", b, err, len(rest))
	}
	return kind, body
}

// read decodes what is one record into a fresh struct.
func read(t testing.TB, b []byte) decoder {
	t.Helper()
	kind, body := only(t, b)
	r := codecOf(t, kind).fresh()
	if err := r.Decode(body); err != nil {
		t.Fatal(err)
	}
	return r
}

func same(t testing.TB, got, want decoder) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("read\n%s, want\n%s", shown(got), shown(want))
	}
}

func shown(r decoder) string {
	s := fmt.Sprintf("%T%+v", r, r)
	v := reflect.ValueOf(r).Elem()
	if f := v.FieldByName("Body"); f.IsValid() && !f.FieldByName("Extra").IsNil() {
		s += fmt.Sprintf(" Extra%+v", f.FieldByName("Extra").Elem())
	}
	return s
}

func TestKinds_AllHaveACodecAndAName(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for k := record.Kind(1); k < 255; k++ {
		if !k.Known() {
			continue
		}
		codecOf(t, k)
		if k.String() == "" || names[k.String()] {
			t.Errorf("kind %d is named %q", k, k)
		}
		names[k.String()] = true
	}
	if len(names) != len(codecs) {
		t.Errorf("%d kinds are known, %d have a codec", len(names), len(codecs))
	}
	if s := record.Kind(200).String(); s != "kind 200" || record.Kind(0).Known() {
		t.Errorf("an unknown kind is %q", s)
	}
}

package record_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/reeveq/reeve/internal/record"
)

// FuzzNext walks any bytes: what comes out is within them, and written again
// it is the same.
func FuzzNext(f *testing.F) {
	var whole []byte
	for _, g := range golden {
		b := write(f, g.r)
		f.Add(b)
		whole = append(whole, b...)
	}
	f.Add(whole)
	f.Add(make([]byte, 10))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			kind, body, behind, err := record.Next(rest)
			if err != nil {
				if !errors.Is(err, record.ErrMalformed) {
					t.Fatal(err)
				}
				return
			}
			if len(behind) >= len(rest) || len(body) >= len(rest) || kind == 0 {
				t.Fatalf("%v: %d bytes, then %d, of %d", kind, len(body), len(behind), len(rest))
			}
			again, same, none, err := record.Next(record.Append(nil, kind, body))
			if err != nil || again != kind || !bytes.Equal(same, body) || len(none) != 0 {
				t.Fatalf("%v, %x, %x, %v", again, same, none, err)
			}
			rest = behind
		}
	})
}

// FuzzDecode reads any body as every kind, into a struct that was used before:
// what decodes encodes to something that decodes to the same, and is whole in
// a line.
func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		_, body := only(f, write(f, g.r))
		f.Add(body)
	}
	for _, r := range filled(1, some) {
		_, body := only(f, write(f, r))
		f.Add(body)
	}
	var before [][]byte
	for _, r := range filled(1, readable) {
		_, body := only(f, write(f, r))
		before = append(before, body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, c := range codecs {
			r := c.fresh()
			if err := r.Decode(body); err != nil {
				if !errors.Is(err, record.ErrMalformed) {
					t.Fatal(err)
				}
				continue
			}
			b := c.append(nil, r)
			if again := c.append(nil, read(t, b)); !bytes.Equal(again, b) { // bytes: no number is not itself
				t.Fatalf("%v: %s is\n%x, and then\n%x", c.kind, shown(r), b, again)
			}
			used := c.fresh()
			if err := errors.Join(used.Decode(before[i]), used.Decode(body)); err != nil || !bytes.Equal(c.append(nil, used), b) {
				t.Fatalf("%v: %v\n%s, in a struct that was used\n%s", c.kind, err, shown(r), shown(used))
			}
			lineOf(t, 1, 2, c.kind, body)
		}
	})
}

// FuzzParseLine reads any line: what is accepted is a whole record, and its
// line is accepted, too, and means the same.
func FuzzParseLine(f *testing.F) {
	for i, g := range golden {
		kind, body := only(f, write(f, g.r))
		f.Add([]byte(lineOf(f, uint64(i), goldenAt, kind, body)))
	}
	f.Add([]byte(`{"record":"unknown","kind":99,"body_base64":"YWJj"}`))
	f.Add([]byte(`{"record":"end","id":"2","body_base64":"AQAAAAAAAAAABw=="}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		frame, at, b, err := record.ParseLine(line)
		if err != nil {
			if !errors.Is(err, record.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		kind, body := only(t, b)
		if kind.Known() {
			read(t, b)
		}
		lineOf(t, frame, at, kind, body)
	})
}

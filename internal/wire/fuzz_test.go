package wire_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// fuzzHot holds a hand-written decoder against the oracle: one accepts what
// the other accepts and reads the same from it, and what was accepted can be
// written and read again.
func fuzzHot(f *testing.F, h *hot) {
	r := newRandom(11)
	for range 20 {
		canonical := must(libraryEnc.Marshal(withoutZero(generic(r.message(h.typ)))))
		f.Add(canonical)
		f.Add(r.widen(canonical))
	}
	f.Add([]byte{0xa0})
	f.Add([]byte{0xa1, 0x18, 0x63, 0x9f, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		d := h.fresh()
		err := d.Decode(body)
		want, oracleErr := h.oracle(body)
		if (err == nil) != (oracleErr == nil) {
			t.Fatalf("by hand: %v, the oracle: %v", err, oracleErr)
		}
		if err != nil {
			if !errors.Is(err, reeve.ErrProtocol) {
				t.Fatalf("error without ErrProtocol: %v", err)
			}
			return
		}
		if content(d) != content(want) {
			t.Fatalf("by hand\n%s, the oracle\n%s", content(d), content(want))
		}
	})
}

func FuzzPut(f *testing.F)      { fuzzHot(f, hotOf(wire.TypePut)) }
func FuzzComplete(f *testing.F) { fuzzHot(f, hotOf(wire.TypeComplete)) }
func FuzzAck(f *testing.F)      { fuzzHot(f, hotOf(wire.TypeAck)) }
func FuzzConfirm(f *testing.F)  { fuzzHot(f, hotOf(wire.TypeConfirm)) }
func FuzzDeliver(f *testing.F)  { fuzzHot(f, hotOf(wire.TypeDeliver)) }
func FuzzCall(f *testing.F)     { fuzzHot(f, hotOf(wire.TypeCall)) }
func FuzzReturn(f *testing.F)   { fuzzHot(f, hotOf(wire.TypeReturn)) }

// FuzzDecode reads any body as every other message; what is accepted means the
// same when it is written and read again.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		for _, frame := range frames(s.frames()) {
			_, body, _ := wire.ParseType(frame)
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, m := range coldMessages() {
			typ := typeOf(t, m)
			err := wire.Decode(typ, body, m)
			if err != nil {
				if !errors.Is(err, reeve.ErrProtocol) {
					t.Fatalf("%v: error without ErrProtocol: %v", typ, err)
				}
				continue
			}
			frame, err := wire.Append(nil, m)
			if err != nil {
				t.Fatalf("%v: accepted and cannot be sent: %v", typ, err)
			}
			again := reflect.New(reflect.TypeOf(m).Elem()).Interface()
			if err := wire.Decode(typ, bodyOf(t, frame[wire.HeaderLen:]), again); err != nil {
				t.Fatalf("%v: %v", typ, err)
			}
			second, err := wire.Append(nil, again.(wire.Message))
			if err != nil || !bytes.Equal(frame, second) {
				t.Fatalf("%v: %x became %x, %v", typ, frame, second, err)
			}
		}
	})
}

// FuzzFrame takes a frame apart as a session does.
func FuzzFrame(f *testing.F) {
	for _, s := range samples() {
		for _, frame := range frames(s.frames()) {
			f.Add(frame)
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		typ, body, err := wire.ParseType(frame)
		if err != nil {
			if !errors.Is(err, reeve.ErrProtocol) {
				t.Fatal(err)
			}
			return
		}
		if len(body) >= len(frame) || typ.String() == "" {
			t.Fatalf("%v with a body of %d of %d bytes", typ, len(body), len(frame))
		}
		req, ok, err := wire.RequestID(body)
		if h := hotOf(typ); h != nil && err != nil && h.fresh().Decode(body) == nil {
			t.Fatalf("%v is accepted without being well-formed: %v", typ, err)
		}
		if ok != (req != 0) || err != nil && !errors.Is(err, reeve.ErrProtocol) {
			t.Fatalf("request %d %v, %v", req, ok, err)
		}
	})
}

// FuzzReader cuts any bytes, arriving in any pieces, and compares with how
// they would be cut in one piece.
func FuzzReader(f *testing.F) {
	var all []byte
	for _, s := range samples() {
		all = append(all, s.frames()...)
	}
	f.Add(all, uint8(1))
	f.Add(all, uint8(200))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3}, uint8(2))
	f.Add([]byte{0, 0, 0, 2, 1, 0xa0, 0, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		const limit = 100 << 10
		r := wire.NewReader(&pieces{b: stream, n: int(piece) + 1}, limit)
		rest := stream
		for {
			want, wantErr := cut(&rest, limit)
			got, err := r.Next()
			if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) || wantErr != nil && !errors.Is(err, wantErr) {
				t.Fatalf("%x %v, want %x %v", got, err, want, wantErr)
			}
			if err != nil {
				return
			}
		}
	})
}

// cut is the specification of Reader.
func cut(rest *[]byte, limit int) ([]byte, error) {
	b := *rest
	switch {
	case len(b) == 0:
		return nil, io.EOF
	case len(b) < 4:
		return nil, io.ErrUnexpectedEOF
	}
	n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	switch {
	case n < 2 || n > limit:
		return nil, reeve.ErrProtocol
	case len(b) < 4+n:
		return nil, io.ErrUnexpectedEOF
	}
	*rest = b[4+n:]
	return b[4 : 4+n], nil
}

// pieces gives at most n bytes at a time.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.b)
	p.b = p.b[n:]
	return n, nil
}

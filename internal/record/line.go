package record

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// unknown is in a line instead of the name of a kind that is not known.
const unknown = "unknown"

// lineHead is what every line has.
type lineHead struct {
	Frame  uint64 `json:"frame"`
	Time   stamp  `json:"time,omitempty"` // of the frame
	Record string `json:"record"`
	Kind   Kind   `json:"kind,omitempty"` // of an unknown record

	// Body is the record as it is, if nothing else says it exactly: what a later
	// version has written, a text that is not UTF-8. Then only it counts, and
	// the other fields are to be read.
	Body *[]byte `json:"body_base64,omitempty"`
}

func (h *lineHead) head() *lineHead { return h }

// line is the fields of one kind of record as a line has them.
type line interface {
	head() *lineHead
	decode(body []byte) error
	append(b []byte) []byte
}

func newLine(k Kind) line {
	switch k {
	case KindMaster:
		return &masterLine{}
	case KindQueue:
		return &queueLine{}
	case KindPause:
		return &pauseLine{}
	case KindClient:
		return &clientLine{}
	case KindGone:
		return &goneLine{}
	case KindRequest:
		return &requestLine{}
	case KindPut:
		return &putLine{}
	case KindTask:
		return &taskLine{}
	case KindLease:
		return &leaseLine{}
	case KindExtend:
		return &extendLine{}
	case KindState:
		return &standLine{}
	case KindMove:
		return &moveLine{}
	case KindEnd:
		return &endLine{}
	case KindResult:
		return &resultLine{}
	case KindUnique:
		return &uniqueLine{}
	case KindDelete:
		return &deleteLine{}
	case KindObject:
		return &objectLine{}
	case KindDrop:
		return &dropLine{}
	case KindEntry:
		return &entryLine{}
	case KindRemove:
		return &removeLine{}
	case KindAnswer:
		return &answerLine{}
	}
	return &unknownLine{}
}

// unknownLine is a record of which only the body is known.
type unknownLine struct{ lineHead }

func (l *unknownLine) decode([]byte) error    { return nil }
func (l *unknownLine) append(b []byte) []byte { return b }

// MarshalLine is a record of a frame as a line of JSON, without a line break,
// that [ParseLine] makes the same record of: kind and body as [Next] returned
// them, the frame's number and the time of its [Head]. A kind that is not known
// gives a line, too. The error matches [ErrMalformed].
func MarshalLine(frame uint64, time int64, kind Kind, body []byte) ([]byte, error) {
	l := newLine(kind)
	if err := l.decode(body); err != nil {
		return nil, err
	}
	h := l.head()
	*h = lineHead{Frame: frame, Time: stamp(time), Record: kind.String()}
	if kind.Known() {
		text, err := marshal(l)
		if err != nil {
			return nil, err
		}
		_, _, back, err := ParseLine(text)
		if err == nil && bytes.Equal(back, Append(nil, kind, body)) {
			return text, nil
		}
	} else {
		if kind == 0 {
			return nil, fmt.Errorf("%w: a record of no kind", ErrMalformed)
		}
		h.Record, h.Kind = unknown, kind
	}
	exact := append([]byte{}, body...)
	h.Body = &exact
	return marshal(l)
}

func marshal(l line) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("record: line of a %s: %w", l.head().Record, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ParseLine is the inverse of [MarshalLine]: the record is whole, as [Next]
// reads it. Lines may be written by hand, too; fields that are left out are
// zero. The error matches [ErrMalformed].
func ParseLine(text []byte) (frame uint64, time int64, record []byte, err error) {
	var h lineHead
	if err := json.Unmarshal(text, &h); err != nil {
		return 0, 0, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	kind := kindOf(h.Record)
	if h.Record == unknown {
		kind = h.Kind
	}
	switch {
	case kind == 0:
		return 0, 0, nil, fmt.Errorf("%w: no kind of record is named %.100q", ErrMalformed, h.Record)
	case h.Body != nil:
		if err := newLine(kind).decode(*h.Body); err != nil {
			return 0, 0, nil, err
		}
		return h.Frame, int64(h.Time), Append(nil, kind, *h.Body), nil
	case h.Record == unknown:
		return 0, 0, nil, fmt.Errorf("%w: an unknown record without body_base64", ErrMalformed)
	}
	l := newLine(kind)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return 0, 0, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return h.Frame, int64(h.Time), l.append(nil), nil
}

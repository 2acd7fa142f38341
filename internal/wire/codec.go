package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"github.com/reeveq/reeve"
)

var encMode, decMode = modes()

func modes() (cbor.UserBufferEncMode, cbor.DecMode) {
	o := cbor.CoreDetEncOptions()
	o.TagsMd = cbor.TagsForbidden
	o.BinaryMarshaler = cbor.BinaryMarshalerNone
	enc, err := o.UserBufferEncMode()
	if err != nil {
		panic(err) // constant options
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  maxArray,
		MaxMapPairs:       maxPairs,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		BignumTag:         cbor.BignumTagForbidden,
		BinaryUnmarshaler: cbor.BinaryUnmarshalerNone,
		UTF8:              cbor.UTF8RejectInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic(err) // constant options
	}
	return enc, dec
}

// Append appends m as a whole frame, header included, to dst. Free texts
// (errors, stacks, what programs are called) are made valid UTF-8 and cut to
// [reeve.MaxErrorText] bytes; a name that is not UTF-8 is [reeve.ErrInvalid],
// and a message beyond the limits that receivers hold is a
// [reeve.LimitError]. On an error dst is returned as it was.
func Append(dst []byte, m Message) ([]byte, error) {
	if t, ok := m.(interface{ tidy() Message }); ok {
		m = t.tidy()
	}
	if n := nameLen(m); n > MaxName {
		return dst, tooLarge("name bytes", n, MaxName)
	}
	start := len(dst)
	out := bytes.NewBuffer(appendUint(append(dst, 0, 0, 0, 0), uint64(m.wireType())))
	body := out.Len()
	if err := encMode.MarshalToBuffer(m, out); err != nil {
		return dst[:start], fmt.Errorf("%w: %v: %w", reeve.ErrInvalid, m.wireType(), err)
	}
	b := out.Bytes()
	if err := checkOwn(m.wireType(), b[body:]); err != nil {
		return dst[:start], err
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-HeaderLen))
	return b, nil
}

// checkOwn refuses what a receiver would refuse.
func checkOwn(t Type, body []byte) error {
	if uint64(len(body)) > maxLength-9 {
		return tooLarge("frame bytes", len(body), maxLength)
	}
	c := cursor{b: body, strict: true}
	c.skip(0)
	switch {
	case c.limit != nil:
		c.limit.Kind = reeve.ErrTooLarge
		return c.limit
	case c.bad():
		return fmt.Errorf("%w: %v: %s", reeve.ErrInvalid, t, c.what)
	}
	return nil
}

// Decode reads the body of a message of type t into m, a pointer to its
// struct, which is set to its zero value first. Unknown keys are ignored;
// everything else that is not as the specification says is an error that
// matches [reeve.ErrProtocol] and leaves m without a meaning. Nothing in m
// aliases body.
func Decode(t Type, body []byte, m any) error {
	msg, ok := m.(Message)
	v := reflect.ValueOf(m)
	if !ok || v.Kind() != reflect.Pointer || v.IsNil() || msg.wireType() != t {
		return fmt.Errorf("%w: decode of %v into %T", reeve.ErrInvalid, t, m)
	}
	v.Elem().SetZero()
	if err := checkBody(t, body); err != nil {
		return err
	}
	if err := decMode.Unmarshal(body, m); err != nil {
		return &violation{in: t.String(), what: strings.TrimPrefix(err.Error(), "cbor: ")}
	}
	if n := nameLen(msg); n > MaxName {
		return &violation{in: t.String(), what: wrongLimit, limit: &reeve.LimitError{
			Kind: reeve.ErrLimit, Limit: "name bytes", Value: int64(n), Max: MaxName,
		}}
	}
	if c, ok := m.(interface{ check() string }); ok {
		if what := c.check(); what != "" {
			return &violation{in: t.String(), what: what}
		}
	}
	return nil
}

// checkBody is what the hand-written decoders check on their way: one map,
// with unsigned integer keys, well-formed to the last byte and within limits.
func checkBody(t Type, body []byte) error {
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		c.key(&seen)
		c.skip(1)
	}
	return c.end(t.String())
}

func checkRequest(req, low uint64) string {
	switch {
	case req == 0:
		return wrongNoRequest
	case low > req:
		return wrongLow
	}
	return ""
}

func (m *Nack) check() string            { return checkRequest(m.Req, m.Low) }
func (m *Bury) check() string            { return checkRequest(m.Req, m.Low) }
func (m *Extend) check() string          { return checkRequest(m.Req, m.Low) }
func (m *Claimed) check() string         { return checkRequest(m.Req, m.Low) }
func (m *Get) check() string             { return checkRequest(m.Req, m.Low) }
func (m *Consume) check() string         { return checkRequest(m.Req, m.Low) }
func (m *Unconsume) check() string       { return checkRequest(m.Req, m.Low) }
func (m *Cancel) check() string          { return checkRequest(m.Req, 0) }
func (m *StatsRequest) check() string    { return checkRequest(m.Req, m.Low) }
func (m *Join) check() string            { return checkRequest(m.Req, m.Low) }
func (m *ShutdownRequest) check() string { return checkRequest(m.Req, m.Low) }
func (m *DeadRequest) check() string     { return checkRequest(m.Req, m.Low) }
func (m *Answer) check() string          { return checkRequest(m.Req, 0) }
func (m *Error) check() string           { return checkRequest(m.Req, 0) }

// longer is the longest of names.
func longer(names ...string) (longest string) {
	for _, name := range names {
		if len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}

// nameLen is the length of the longest queue name in m.
func nameLen(m Message) int {
	if q, ok := m.(interface{ queue() string }); ok {
		return len(q.queue())
	}
	return 0
}

func (m Lost) queue() string            { return m.Queue }
func (m Nack) queue() string            { return m.Queue }
func (m Bury) queue() string            { return m.Queue }
func (m Extend) queue() string          { return m.Queue }
func (m Claim) queue() string           { return m.Queue }
func (m Get) queue() string             { return longest(m.Queue, m.Sources) }
func (m Consume) queue() string         { return longest(m.Queue, m.Sources) }
func (m StatsRequest) queue() string    { return m.Queue }
func (m Join) queue() string            { return m.Queue }
func (m ShutdownRequest) queue() string { return m.Queue }
func (m DeadRequest) queue() string     { return m.Queue }
func (m End) queue() string             { return m.Queue }

func longest(name string, sources []Source) string {
	for i := range sources {
		name = longer(name, sources[i].Queue)
	}
	return name
}

func (m *Claim) check() string {
	if len(m.Entries) == 0 {
		return wrongNoEntries
	}
	return checkRequest(m.Req, m.Low)
}

func (m Hello) tidy() Message {
	m.Impl, m.Host, m.Name = cleanText(m.Impl), cleanText(m.Host), cleanText(m.Name)
	return m
}

func (m Welcome) tidy() Message { m.Impl = cleanText(m.Impl); return m }
func (m Lost) tidy() Message    { m.Text = cleanText(m.Text); return m }
func (m Goodbye) tidy() Message { m.Text = cleanText(m.Text); return m }
func (m Nack) tidy() Message    { m.Error, m.Stack = cleanText(m.Error), cleanText(m.Stack); return m }
func (m Bury) tidy() Message    { m.Error, m.Stack = cleanText(m.Error), cleanText(m.Stack); return m }
func (m End) tidy() Message     { m.Text = cleanText(m.Text); return m }
func (m Error) tidy() Message   { m.Text, m.Stack = cleanText(m.Text), cleanText(m.Stack); return m }

func (m Answer) tidy() Message {
	m.Dead = slices.Clone(m.Dead)
	for i := range m.Dead {
		d := &m.Dead[i]
		d.Reason, d.Error, d.Stack = cleanText(d.Reason), cleanText(d.Error), cleanText(d.Stack)
	}
	return m
}

// cleanText makes s what a receiver accepts as a text for people.
func cleanText(s string) string {
	if len(s) > reeve.MaxErrorText {
		n := reeve.MaxErrorText
		for n > reeve.MaxErrorText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "?")
}

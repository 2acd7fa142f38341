package record

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// stamp is a time in Unix nanoseconds, in lines by RFC 3339 in UTC.
type stamp int64

func (s stamp) MarshalText() ([]byte, error) {
	return time.Unix(0, int64(s)).UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

func (s *stamp) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return err
	}
	if t.Before(firstTime) || t.After(lastTime) {
		return fmt.Errorf("time %s, want the years 1678 to 2261", b)
	}
	*s = stamp(t.UnixNano())
	return nil
}

// stampOf tells the zero time, which is nil, from the year 1970.
func stampOf(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(nanos(t))
	return &s
}

func (s *stamp) time() time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Unix(0, int64(*s))
}

// payloadLine is a payload: as text if it is one, otherwise in base64, which
// counts if both are there.
type payloadLine struct {
	Payload *string `json:"payload,omitempty"`
	Base64  *[]byte `json:"payload_base64,omitempty"`
}

func payloadOf(b []byte) payloadLine {
	if utf8.Valid(b) {
		s := string(b)
		return payloadLine{Payload: &s}
	}
	return payloadLine{Base64: &b}
}

func (p *payloadLine) bytes() []byte {
	switch {
	case p.Base64 != nil:
		return *p.Base64
	case p.Payload != nil:
		return []byte(*p.Payload)
	}
	return nil
}

// configLine is the configuration of a queue: JSON, or whatever else there is.
type configLine struct {
	Config json.RawMessage `json:"config,omitempty"`
	Base64 *[]byte         `json:"config_base64,omitempty"`
}

func configOf(b []byte) configLine {
	switch {
	case len(b) == 0:
		return configLine{}
	case json.Valid(b) && utf8.Valid(b): // the one does not imply the other
		return configLine{Config: b}
	}
	return configLine{Base64: &b}
}

func (c *configLine) bytes() []byte {
	if c.Base64 != nil {
		return *c.Base64
	}
	return c.Config
}

// process is the number of a process, in lines in hexadecimal digits.
type process [16]byte

func (p process) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, p[:]), nil }

func (p *process) UnmarshalText(b []byte) error {
	v, err := hex.DecodeString(string(b))
	if err != nil || len(v) != len(p) {
		return fmt.Errorf("process %.100q, want %d hexadecimal digits", b, 2*len(p))
	}
	*p = process(v)
	return nil
}

// finite is v if JSON has such a number.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// Package dump is a journal as lines of JSON, for people and their programs: a
// line for each record, and a journal is made of them again. The first line says
// what it is, the last one how many records there are, so that a dump that was
// cut off is known as one.
//
//	{"reeve_journal":1}
//	{"frame":1,"time":"2026-01-31T18:30:00Z","record":"queue","queue_no":1,"name":"tasks","config":{}}
//	…
//	{"end":true,"records":4711}
//
// Lines with the same frame number, one after another, are one frame: its
// records count together or not at all. It knows neither directories nor what
// follows from a record.
package dump

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Version is the format that this package writes.
const Version = 1

// Magic is how every dump begins, whatever its version.
const Magic = `{"reeve_journal":`

// header is the first line.
type header struct {
	Version int    `json:"reeve_journal"`
	Queue   string `json:"queue,omitempty"` // it has the records of one queue only
}

// end is the last line.
type end struct {
	End     bool  `json:"end"`
	Records int64 `json:"records"`
}

const endMagic = `{"end":`

// The errors of a [Reader], besides journal.ErrNewer.
var (
	// ErrFormat: it is no dump, or one of its lines is none.
	ErrFormat = errors.New("dump: not a dump of a journal")
	// ErrIncomplete: the dump was cut off, and is not to be used.
	ErrIncomplete = errors.New("dump: incomplete")
	// ErrPart: the dump has one queue only, of which no journal can be made.
	ErrPart = errors.New("dump: records of one queue only")
)

// marshal is v in a line.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // header and end
	return b.Bytes()
}

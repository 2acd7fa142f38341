package wire

import "github.com/reeveq/reeve"

// Command has a client do something; it answers with a [Report]. The master
// sends it on control.
type Command struct {
	Seq         uint64 `cbor:"1,keyasint,omitempty"`
	Kind        string `cbor:"2,keyasint,omitempty"`
	Concurrency uint64 `cbor:"3,keyasint,omitempty"`
}

// Report is a client's answer to the [Command] with its Seq, on control.
type Report struct {
	Seq    uint64        `cbor:"1,keyasint,omitempty"`
	Error  string        `cbor:"2,keyasint,omitempty"` // empty: it was carried out
	Status *WorkerStatus `cbor:"3,keyasint,omitempty"`
}

// Progress notes how far the work of a lease is. It is not a request: it has
// no id and no answer.
type Progress struct {
	Queue   string   `cbor:"3,keyasint,omitempty"`
	ID      reeve.ID `cbor:"4,keyasint,omitempty"`
	Attempt uint32   `cbor:"5,keyasint,omitempty"`
	Percent float64  `cbor:"6,keyasint,omitempty"`
	Text    string   `cbor:"7,keyasint,omitempty"`
}

// Event brings what happened in the queues of a subscription. The master sends
// it where it sends its answers.
type Event struct {
	Sub    uint64        `cbor:"1,keyasint,omitempty"`
	Events []EventRecord `cbor:"2,keyasint,omitempty"`
}

func (Command) wireType() Type  { return TypeCommand }
func (Report) wireType() Type   { return TypeReport }
func (Progress) wireType() Type { return TypeProgress }
func (Event) wireType() Type    { return TypeEvent }

func (m Progress) queue() string { return m.Queue }

func (m Report) tidy() Message   { m.Error = cleanText(m.Error); return m }
func (m Progress) tidy() Message { m.Text = cleanText(m.Text); return m }

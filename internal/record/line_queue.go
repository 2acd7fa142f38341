package record

import "github.com/reeveq/reeve"

// A line has the number of a queue as queue_no and that of a client as
// client_no: the lines of the kinds queue and client have their names.

type masterLine struct {
	lineHead
	Epoch uint64   `json:"epoch"`
	Start stamp    `json:"start,omitempty"`
	Last  reeve.ID `json:"last_id,omitempty"`
}

func (l *masterLine) decode(body []byte) error {
	var r Master
	err := r.Decode(body)
	l.Epoch, l.Start, l.Last = r.Epoch, stamp(r.Start), r.Last
	return err
}

func (l *masterLine) append(b []byte) []byte {
	return AppendMaster(b, &Master{Epoch: l.Epoch, Start: int64(l.Start), Last: l.Last})
}

type queueLine struct {
	lineHead
	No   uint32 `json:"queue_no"`
	Name string `json:"name"`
	configLine
}

func (l *queueLine) decode(body []byte) error {
	var r Queue
	err := r.Decode(body)
	l.No, l.Name, l.configLine = r.No, r.Name, configOf(r.Config)
	return err
}

func (l *queueLine) append(b []byte) []byte {
	return AppendQueue(b, &Queue{No: l.No, Name: l.Name, Config: l.bytes()})
}

type pauseLine struct {
	lineHead
	Queue  uint32 `json:"queue_no"`
	Paused bool   `json:"paused"`
	Reason string `json:"reason,omitempty"`
}

func (l *pauseLine) decode(body []byte) error {
	var r Pause
	err := r.Decode(body)
	l.Queue, l.Paused, l.Reason = r.Queue, r.Paused, r.Reason
	return err
}

func (l *pauseLine) append(b []byte) []byte {
	return AppendPause(b, &Pause{Queue: l.Queue, Paused: l.Paused, Reason: l.Reason})
}

type deleteLine struct {
	lineHead
	Queue uint32 `json:"queue_no"`
}

func (l *deleteLine) decode(body []byte) error {
	var r Delete
	err := r.Decode(body)
	l.Queue = r.Queue
	return err
}

func (l *deleteLine) append(b []byte) []byte { return AppendDelete(b, &Delete{Queue: l.Queue}) }

type clientLine struct {
	lineHead
	No      uint32  `json:"client_no"`
	Key     string  `json:"key"`
	Process process `json:"process"`
}

func (l *clientLine) decode(body []byte) error {
	var r Client
	err := r.Decode(body)
	l.No, l.Key, l.Process = r.No, r.Key, r.Process
	return err
}

func (l *clientLine) append(b []byte) []byte {
	return AppendClient(b, &Client{No: l.No, Key: l.Key, Process: l.Process})
}

type goneLine struct {
	lineHead
	Client uint32 `json:"client_no"`
}

func (l *goneLine) decode(body []byte) error {
	var r Gone
	err := r.Decode(body)
	l.Client = r.Client
	return err
}

func (l *goneLine) append(b []byte) []byte { return AppendGone(b, &Gone{Client: l.Client}) }

type requestLine struct {
	lineHead
	Client uint32   `json:"client_no"`
	Req    uint64   `json:"request"`
	Count  uint32   `json:"count"`
	First  reeve.ID `json:"first_id,omitempty"`
	Low    uint64   `json:"low,omitempty"`
}

func (l *requestLine) decode(body []byte) error {
	var r Request
	err := r.Decode(body)
	l.Client, l.Req, l.Count, l.First, l.Low = r.Client, r.Req, r.Count, r.First, r.Low
	return err
}

func (l *requestLine) append(b []byte) []byte {
	return AppendRequest(b, &Request{Client: l.Client, Req: l.Req, Count: l.Count, First: l.First, Low: l.Low})
}

type uniqueLine struct {
	lineHead
	taskName
	Key   string           `json:"unique"`
	Mode  reeve.UniqueMode `json:"unique_mode"`
	Until stamp            `json:"until,omitempty"`
}

func (l *uniqueLine) decode(body []byte) error {
	var r Unique
	err := r.Decode(body)
	l.taskName, l.Key, l.Mode, l.Until = taskName{r.Queue, r.ID}, r.Key, r.Mode, stamp(r.Until)
	return err
}

func (l *uniqueLine) append(b []byte) []byte {
	return AppendUnique(b, &Unique{Queue: l.Queue, ID: l.ID, Key: l.Key, Mode: l.Mode, Until: int64(l.Until)})
}

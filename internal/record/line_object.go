package record

type objectLine struct {
	lineHead
	No   uint32 `json:"object_no"`
	Type string `json:"type"`
	Name string `json:"name"`
	configLine
}

func (l *objectLine) decode(body []byte) error {
	var r Object
	err := r.Decode(body)
	l.No, l.Type, l.Name, l.configLine = r.No, r.Type, r.Name, configOf(r.Config)
	return err
}

func (l *objectLine) append(b []byte) []byte {
	return AppendObject(b, &Object{No: l.No, Type: l.Type, Name: l.Name, Config: l.bytes()})
}

type dropLine struct {
	lineHead
	Object uint32 `json:"object_no"`
}

func (l *dropLine) decode(body []byte) error {
	var r Drop
	err := r.Decode(body)
	l.Object = r.Object
	return err
}

func (l *dropLine) append(b []byte) []byte { return AppendDrop(b, &Drop{Object: l.Object}) }

// Keys and values are CBOR, which is seldom a text.
type entryLine struct {
	lineHead
	Object  uint32 `json:"object_no"`
	Key     []byte `json:"key_base64"`
	Value   []byte `json:"value_base64,omitempty"`
	Expires stamp  `json:"expires_at,omitempty"`
	Seq     uint64 `json:"seq"`
}

func (l *entryLine) decode(body []byte) error {
	var r Entry
	err := r.Decode(body)
	l.Object, l.Key, l.Value, l.Expires, l.Seq = r.Object, r.Key, r.Value, stamp(r.Expires), r.Seq
	return err
}

func (l *entryLine) append(b []byte) []byte {
	return AppendEntry(b, &Entry{Object: l.Object, Key: l.Key, Value: l.Value, Expires: int64(l.Expires), Seq: l.Seq})
}

type removeLine struct {
	lineHead
	Object uint32 `json:"object_no"`
	Key    []byte `json:"key_base64"`
}

func (l *removeLine) decode(body []byte) error {
	var r Remove
	err := r.Decode(body)
	l.Object, l.Key = r.Object, r.Key
	return err
}

func (l *removeLine) append(b []byte) []byte {
	return AppendRemove(b, &Remove{Object: l.Object, Key: l.Key})
}

type answerLine struct {
	lineHead
	Client uint32 `json:"client_no"`
	Req    uint64 `json:"request"`
	Waits  bool   `json:"waits,omitempty"`
	Value  []byte `json:"value_base64,omitempty"`
}

func (l *answerLine) decode(body []byte) error {
	var r Answer
	err := r.Decode(body)
	l.Client, l.Req, l.Waits, l.Value = r.Client, r.Req, r.Waits, r.Value
	return err
}

func (l *answerLine) append(b []byte) []byte {
	return AppendAnswer(b, &Answer{Client: l.Client, Req: l.Req, Waits: l.Waits, Value: l.Value})
}

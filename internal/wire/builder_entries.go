package wire

import "github.com/reeveq/reeve"

// deliverSize is more than a delivered task without its payload and type.
const deliverSize = 1 + 9 + 5 + 5 + 1 + 6 + 10 + 10 + 10

// putSize is at least the size of a task that is put and has so many extras.
func putSize(t *reeve.Task, extras byte) int {
	size := 6 + len(t.Payload)
	if extras > 0 {
		size += 27 + len(t.Type) + ruledSize(t)
	}
	return size
}

// ruledSize is at least what the priority and the rules of a task take.
func ruledSize(t *reeve.Task) int {
	size := 0
	if t.Priority != 0 {
		size = 6
	}
	if t.Rules != nil {
		size += 1 + rulesSize(t.Rules)
	}
	return size
}

// PutSize is at least what a task takes in a [PutFrame] or, but for 16 bytes,
// in a [CompleteFrame].
func PutSize(t *reeve.Task) int { return putSize(t, putExtras(t)) }

// DeliverSize is at least what a task takes in a [DeliverFrame].
func DeliverSize(t *reeve.Task) int { return len(t.Payload) + len(t.Type) + deliverSize + ruledSize(t) }

// putExtras is how many pairs the map after the payload has.
func putExtras(t *reeve.Task) byte {
	var n byte
	if t.Type != "" {
		n++
	}
	if t.Delay != 0 {
		n++
	}
	if t.Timeout != 0 {
		n++
	}
	if t.Priority != 0 {
		n++
	}
	if t.Rules != nil {
		n++
	}
	return n
}

func (b *Builder) addPut(t *reeve.Task, extras byte) {
	if extras == 0 {
		b.buf = append(b.buf, majorArray<<5|1)
		b.addPayload(t.Payload)
		return
	}
	b.buf = append(b.buf, majorArray<<5|2)
	b.addPayload(t.Payload)
	b.buf = appendPutExtras(b.buf, extras, t)
}

func appendPutExtras(b []byte, n byte, t *reeve.Task) []byte {
	b = append(b, majorMap<<5|n)
	if t.Type != "" {
		b = appendText(append(b, 1), t.Type)
	}
	if t.Delay != 0 {
		b = appendInt(append(b, 2), int64(t.Delay))
	}
	if t.Timeout != 0 {
		b = appendInt(append(b, 3), int64(t.Timeout))
	}
	if t.Priority != 0 {
		b = appendInt(append(b, 4), int64(t.Priority))
	}
	if t.Rules != nil {
		b = appendRules(append(b, 5), t.Rules)
	}
	return b
}

func (b *Builder) addDeliver(t *reeve.Task) {
	putAt := unixNano(t.PutAt)
	var extras byte
	if t.Type != "" {
		extras++
	}
	if putAt != 0 {
		extras++
	}
	if t.Timeout != 0 {
		extras++
	}
	if t.Source != 0 {
		extras++
	}
	if t.Priority != 0 {
		extras++
	}
	if t.Rules != nil {
		extras++
	}
	entry := byte(majorArray<<5 | 3)
	if extras > 0 {
		entry++
	}
	b.buf = appendUint(append(b.buf, entry), uint64(t.ID))
	b.buf = appendUint(b.buf, uint64(t.Attempt))
	b.addPayload(t.Payload)
	if extras > 0 {
		b.buf = appendDeliverExtras(append(b.buf, majorMap<<5|extras), putAt, t)
	}
}

func appendDeliverExtras(b []byte, putAt int64, t *reeve.Task) []byte {
	if t.Type != "" {
		b = appendText(append(b, 1), t.Type)
	}
	if putAt != 0 {
		b = appendInt(append(b, 2), putAt)
	}
	if t.Timeout != 0 {
		b = appendInt(append(b, 3), int64(t.Timeout))
	}
	if t.Source != 0 {
		b = appendUint(append(b, 4), uint64(t.Source))
	}
	if t.Priority != 0 {
		b = appendInt(append(b, 5), int64(t.Priority))
	}
	if t.Rules != nil {
		b = appendRules(append(b, 6), t.Rules)
	}
	return b
}

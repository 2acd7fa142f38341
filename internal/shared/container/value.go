package container

import (
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// valueObject is one value.
type valueObject struct {
	base
	value string
}

var valueMethods = []method[*valueObject]{
	reading("get", "() [value, version]", (*valueObject).get),
	changing("set", "(value) version", (*valueObject).set),
	changing("add", "(number, type) value", (*valueObject).add),
	changing("compareandswap", "(old, new) bool", (*valueObject).compareAndSwap),
	changing("cas", "(version, value) [done, version, value]", (*valueObject).cas),
	reading("changes", "(since, max) [version, value]", (*valueObject).changesCall),
}

// valueSpec is the configuration of a value.
type valueSpec struct {
	limits
	Initial []byte `cbor:"3,keyasint,omitempty"` // one item; none: nil
}

// valueKey is under which the value is kept.
const valueKey = ""

func (v *valueObject) init(spec []byte) error {
	var s valueSpec
	if err := v.configure(spec, &s, &s.limits); err != nil {
		return err
	}
	item, err := oneItem(s.Initial)
	if err != nil {
		return err
	}
	if err := v.room(0, 1, int64(len(item))); err != nil {
		return err
	}
	for _, e := range v.env.Entries {
		a := newArgs(e.Value)
		version := a.uint()
		item = string(a.item())
		if a.err != nil || e.Key != valueKey {
			return fmt.Errorf("an entry of the value %v cannot be read", v.env.Ref)
		}
		v.version = max(v.version, version)
	}
	v.value, v.bytes = item, int64(len(item))+overhead
	return nil
}

// oneItem is the only item of b, or nil if that is empty.
func oneItem(b []byte) (string, error) {
	if len(b) == 0 {
		return string([]byte{cborNil}), nil
	}
	rest, err := skip(b, maxDepth)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows it")
	}
	if err != nil {
		return "", fmt.Errorf("%w: a value that is not one item: %w", reeve.ErrInvalid, err)
	}
	return string(b), nil
}

func (v *valueObject) describe() string { return fmt.Sprintf("%d bytes", len(v.value)) }

// state is [version, value].
func (v *valueObject) state() []byte {
	return append(appendUint(appendArray(nil, 2), v.version), v.value...)
}

// put sets the value.
func (v *valueObject) put(ch *shared.Change, value string) {
	v.bytes += int64(len(value) - len(v.value))
	v.value = value
	v.next()
	if v.durable() {
		ch.Put(valueKey, v.state(), noExpiry)
	}
}

func (v *valueObject) get(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	b := append(appendArray(nil, 2), v.value...)
	return v.answer(c, appendUint(b, v.version))
}

// change sets the value and answers.
func (v *valueObject) change(c *shared.Call, value []byte, answer func() []byte) error {
	if err := v.room(1, 0, int64(len(value)-len(v.value))); err != nil {
		return err
	}
	var ch shared.Change
	v.put(&ch, string(value))
	return v.changed(c, &ch, answer())
}

func (v *valueObject) set(c *shared.Call, a *args) error {
	value := a.item()
	if err := a.done(c); err != nil {
		return err
	}
	return v.change(c, value, func() []byte { return uintAnswer(v.version) })
}

// add adds a number, as numbers of a type: "int64", "uint8", "float64".
func (v *valueObject) add(c *shared.Call, a *args) error {
	by, typ := a.item(), a.text()
	if err := a.done(c); err != nil {
		return err
	}
	sum, err := add([]byte(v.value), by, string(typ))
	if err != nil {
		return err
	}
	return v.change(c, sum, func() []byte { return sum })
}

func (v *valueObject) compareAndSwap(c *shared.Call, a *args) error {
	old, value := a.item(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	if v.value != string(old) {
		return v.answer(c, boolAnswer(false))
	}
	return v.change(c, value, func() []byte { return boolAnswer(true) })
}

// cas sets the value if it has that version.
func (v *valueObject) cas(c *shared.Call, a *args) error {
	version, value := a.uint(), a.item()
	if err := a.done(c); err != nil {
		return err
	}
	answer := func(done bool) []byte {
		b := appendUint(appendBool(appendArray(nil, 3), done), v.version)
		return append(b, v.value...)
	}
	if version != v.version {
		return v.answer(c, answer(false))
	}
	return v.change(c, value, func() []byte { return answer(true) })
}

func (v *valueObject) changesCall(c *shared.Call, a *args) error {
	return v.changesOfState(c, a, v.state)
}

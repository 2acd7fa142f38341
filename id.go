package reeve

import (
	"fmt"
	"strconv"
)

// ID names a task. A master never gives one out twice, restarts included; ids
// grow in the order of the puts. Zero names no task.
type ID uint64

// String returns the id as 16 hexadecimal digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// MarshalText writes the form of [ID.String].
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the form of [ID.String].
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	if err == nil {
		*id = v
	}
	return err
}

// ParseID reads the form of [ID.String]; leading zeros may be left out.
func ParseID(s string) (ID, error) {
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil || v == 0 {
		return 0, fmt.Errorf("reeve: %q is not a task id (up to 16 hexadecimal digits, not zero)", s)
	}
	return ID(v), nil
}

// Token is the right to end one lease: the task and the attempt that holds it.
type Token struct {
	Queue   string
	ID      ID
	Attempt uint32
}

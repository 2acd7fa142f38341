package shared

import (
	"time"
)

// Entry is one key of a durable object.
type Entry struct {
	Key     string
	Value   []byte
	Expires time.Time // zero: never
}

// Change is what one call does to the entries of a durable object. It takes
// effect as a whole.
type Change struct {
	entries []Entry
	deleted []bool
}

// Put notes that key has value from now on. Both are kept.
func (ch *Change) Put(key string, value []byte, expires time.Time) {
	ch.entries = append(ch.entries, Entry{key, value, expires})
	ch.deleted = append(ch.deleted, false)
}

// Delete notes that there is no key any more.
func (ch *Change) Delete(key string) {
	ch.entries = append(ch.entries, Entry{Key: key})
	ch.deleted = append(ch.deleted, true)
}

// Store keeps the entries of one durable object. All methods of a nil Store work
// as if there were nothing to be kept. Changes are recorded in the order of the
// calls, which the object's mutex decides.
type Store struct{}

// Room is nil when a change can be recorded, or [reeve.ErrJournalFull].
func (s *Store) Room() error { return nil }

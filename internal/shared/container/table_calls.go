package container

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// The methods that maps and sets share.

// ttlArg is the next argument: for how long a key is to be there; 0: as the
// configuration says, negative: for ever.
func (t *table) ttlArg(a *args) time.Time {
	d := a.duration()
	switch {
	case d > maxTTL:
		a.fail(fmt.Errorf("a time to live of %v, longer than %v", d, maxTTL))
		return time.Time{}
	case d == 0:
		return t.expiry()
	case d < 0:
		return time.Time{}
	}
	return time.Now().Add(d)
}

// expiry is when a key expires for which nothing else is said.
func (t *table) expiry() time.Time {
	if t.ttl == 0 {
		return time.Time{}
	}
	return time.Now().Add(t.ttl)
}

// lenCall answers with the number of keys.
func (t *table) lenCall(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	return t.answer(c, uintAnswer(t.order.len()))
}

func (t *table) hasCall(c *shared.Call, a *args) error {
	key := a.key()
	if err := a.done(c); err != nil {
		return err
	}
	return t.answer(c, boolAnswer(t.byKey[string(key)] != nil))
}

func (t *table) clearCall(c *shared.Call, a *args) error {
	if err := a.done(c); err != nil {
		return err
	}
	var ch shared.Change
	return t.changed(c, &ch, uintAnswer(t.clear(&ch)))
}

// expireCall says when a key expires.
func (t *table) expireCall(c *shared.Call, a *args) error {
	key, expires := a.key(), t.ttlArg(a)
	if err := a.done(c); err != nil {
		return err
	}
	old := t.byKey[string(key)]
	if old == nil {
		return reeve.ErrNoSuchKey
	}
	var ch shared.Change
	t.put(&ch, old.key, old.value, expires)
	return t.changed(c, &ch, nil)
}

// ttlCall answers with how long a key will be there; 0: for ever.
func (t *table) ttlCall(c *shared.Call, a *args) error {
	key := a.key()
	if err := a.done(c); err != nil {
		return err
	}
	e := t.byKey[string(key)]
	if e == nil {
		return reeve.ErrNoSuchKey
	}
	return t.answer(c, appendInt(nil, int64(left(e.expires, time.Now()))))
}

package auth

import "fmt"

// Keyring is where a [Server] finds the key for the id that a client names.
// Lookup must be safe for concurrent use and must not block; it is called once
// per connection, before anything is proved. Passwords in it should have been
// through [Key.Prepare], or the first client to name one waits for it.
type Keyring interface {
	Lookup(kid string) (Key, bool)
}

type fixedKeys map[string]Key

func (f fixedKeys) Lookup(kid string) (Key, bool) {
	k, ok := f[kid]
	return k, ok
}

// Keys is a fixed Keyring of the given keys, all stretched before it returns
// (about 20 ms for each password), so that no client sees that time. No key, a
// zero key and two keys with one id are a [*KeyError].
func Keys(keys ...Key) (Keyring, error) {
	if len(keys) == 0 {
		return nil, &KeyError{Problem: "there is none"}
	}
	ring := make(fixedKeys, len(keys))
	for _, k := range keys {
		if k.IsZero() {
			return nil, &KeyError{Problem: "it is empty"}
		}
		if _, twice := ring[k.ID()]; twice {
			return nil, &KeyError{Problem: fmt.Sprintf("two keys have the id %q", k.ID())}
		}
		k.Prepare()
		ring[k.ID()] = k
	}
	return ring, nil
}

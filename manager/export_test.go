package manager

import "github.com/reeveq/reeve/internal/wire"

// Spy has f called before each request of a client is carried out, as part of
// it: what f panics with, the request panics with.
func (m *Master) Spy(f func(wire.Type)) { m.spy.Store(&f) }

package limit

// lease is a delivery that is not ended.
type lease struct {
	consumer *consumer // nil once it is ended
	payload  []byte
}

// leases are a client's deliveries, in a ring by their ids. The server's mu
// guards it.
type leases struct {
	ring       []lease // its length is a power of two
	base, next uint64  // the ids that it holds
	bytes      int     // of payloads that are not ended
}

func (l *leases) add(c *consumer, payload []byte) uint64 {
	if int(l.next-l.base) == len(l.ring) {
		grown := make([]lease, max(16, 2*len(l.ring)))
		for id := l.base; id < l.next; id++ {
			grown[id&uint64(len(grown)-1)] = l.ring[id&uint64(len(l.ring)-1)]
		}
		l.ring = grown
	}
	l.ring[l.next&uint64(len(l.ring)-1)] = lease{c, payload}
	l.bytes += len(payload)
	l.next++
	return l.next - 1
}

// end ends the n deliveries from id on, and calls ended with each. It returns false when one of them is not leased.
func (l *leases) end(id, n uint64, ended func(lease)) bool {
	if id < l.base || id > l.next || n > l.next-id {
		return false
	}
	mask := uint64(len(l.ring) - 1)
	for ; n > 0; id, n = id+1, n-1 {
		e := &l.ring[id&mask]
		if e.consumer == nil {
			return false
		}
		ended(*e)
		l.bytes -= len(e.payload)
		*e = lease{}
	}
	for l.base < l.next && l.ring[l.base&mask].consumer == nil {
		l.base++
	}
	return true
}

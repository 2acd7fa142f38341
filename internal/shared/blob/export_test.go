package blob

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// Check reports what does not add up, when nobody calls. What calls have left
// behind is waited for.
func (s *Store) Check() error {
	s.workers.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, idle, there, idleBytes := int64(0), 0, 0, int64(0)
	for hash, b := range s.blobs {
		rests := b.there && b.tasks == 0 && b.clients == 0 && b.pins == 0
		switch {
		case hash != b.hash, b.tasks < 0, b.clients < 0, b.pins != 0, b.checking, len(b.waiting) > 0:
			return fmt.Errorf("blob %v: %+v", hash, b)
		case b.in != rests:
			return fmt.Errorf("blob %v is in the idle list: %v: %+v", hash, b.in, b)
		case !b.there && !b.leaving && b.tasks == 0 && b.clients == 0:
			return fmt.Errorf("blob %v is not there, and nobody refers to it", hash)
		}
		if b.there {
			sum += b.size
			there++
		}
		if b.in {
			idle++
			idleBytes += b.size
		}
	}
	for b := s.idle.head; b != nil; b = b.next {
		idle--
	}
	if there != s.there || idleBytes != s.idle.bytes {
		return fmt.Errorf("%d blobs, counted %d; %d bytes rest, counted %d", there, s.there, idleBytes, s.idle.bytes)
	}
	if idle != 0 {
		return fmt.Errorf("%d blobs more rest than are in the list", idle)
	}
	clients := map[*blob]int{}
	for cl, p := range s.parties {
		if p.client != cl || len(p.holds)+len(p.uploads) == 0 {
			return fmt.Errorf("party %+v", p)
		}
		pending := int64(0)
		for u := range p.uploads {
			if u.party != p || s.uploads[u.id] != u {
				return fmt.Errorf("upload %+v of %+v", u, p)
			}
			for _, c := range u.chunks {
				pending += pendingCost(int64(len(c.data)))
			}
		}
		if pending != p.pending || p.reading != 0 {
			return fmt.Errorf("%d bytes wait, %d counted", pending, p.pending)
		}
		for b, n := range p.holds {
			if n <= 0 {
				return fmt.Errorf("held %d times", n)
			}
			clients[b]++
		}
	}
	for _, b := range s.blobs {
		if clients[b] != b.clients {
			return fmt.Errorf("blob %v: %d clients, counted %d", b.hash, clients[b], b.clients)
		}
	}
	for _, u := range s.uploads {
		sum += u.offset
		for _, c := range u.chunks {
			sum += int64(len(c.data))
		}
	}
	if sum != s.bytes {
		return fmt.Errorf("%d bytes, counted %d", sum, s.bytes)
	}
	return nil
}

// Parts is in how many pieces a [NewMemory] keeps a blob.
func Parts(b Backend, hash reeve.BlobHash) int { return len(b.(*memory).blobs[hash].parts) }

// MaxAllUploads bounds the uploads of all clients.
const MaxAllUploads = maxAllUploads

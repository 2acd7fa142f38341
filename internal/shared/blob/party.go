package blob

import (
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// partyLocked is what is known of a client, which is noted if it was not.
func (s *Store) partyLocked(cl *shared.Client) *party {
	p := s.parties[cl]
	if p == nil {
		p = &party{client: cl, holds: map[*blob]int{}, uploads: map[*upload]struct{}{}}
		s.parties[cl] = p
		cl.Mind(s)
	}
	return p
}

// pendingCost is what a chunk of n bytes counts for while it is under way.
func pendingCost(n int64) int64 { return max(n, minPending) }

// pendingError tells when a chunk of n bytes more would be too much under way.
func (p *party) pendingError(n int64) error {
	if sum := p.pending + p.reading + pendingCost(n); sum > maxPending {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: pendingLimit, Value: sum, Max: maxPending}
	}
	return nil
}

// leaveLocked forgets a client that has nothing to do with blobs any more.
func (s *Store) leaveLocked(p *party) {
	if len(p.holds) == 0 && len(p.uploads) == 0 && p.reading == 0 && s.parties[p.client] == p {
		delete(s.parties, p.client)
		p.client.Forget(s)
	}
}

// holdLocked notes that a client has b open, once more.
func (s *Store) holdLocked(cl *shared.Client, b *blob) {
	p := s.partyLocked(cl)
	if p.holds[b]++; p.holds[b] == 1 {
		b.clients++
		s.idle.remove(b)
	}
}

// releaseLocked takes one holdLocked back, if there is one.
func (s *Store) releaseLocked(cl *shared.Client, b *blob) {
	p := s.parties[cl]
	if p == nil || p.holds[b] == 0 {
		return
	}
	if p.holds[b]--; p.holds[b] == 0 {
		delete(p.holds, b)
		b.clients--
		s.restLocked(b)
	}
	s.leaveLocked(p)
}

// Lost does nothing: the client may come back.
func (s *Store) Lost(*shared.Client) {}

// Gone releases what a client has open. Of its uploads those stay for a while that
// can be found by their content.
func (s *Store) Gone(cl *shared.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parties[cl]
	if p == nil {
		return
	}
	delete(s.parties, cl)
	for b := range p.holds {
		b.clients--
		s.restLocked(b)
	}
	for u := range p.uploads {
		if u.named {
			u.party = nil
		} else {
			s.endUploadLocked(u, noSuchUpload(u.id, "its client is gone"))
		}
	}
}

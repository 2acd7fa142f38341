package shared

// Open is how many holds a handle of a semaphore keeps, or knows to have ended
// before they came.
func Open(s *Semaphore) int {
	s.open.mu.Lock()
	defer s.open.mu.Unlock()
	return len(s.open.byToken) + len(s.open.early)
}

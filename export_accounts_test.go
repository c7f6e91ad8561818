package awsauth

// Children is how many sessions s remembers to have made.
func Children(s *Session) int {
	s.children.mu.Lock()
	defer s.children.mu.Unlock()
	return len(s.children.byID)
}

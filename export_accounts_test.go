package awsauth

// Children is how many sessions s remembers to have made.
func Children(s *Session) int {
	s.children.mu.Lock()
	defer s.children.mu.Unlock()
	return len(s.children.byID)
}

// AddChild makes s remember child, all under the same key.
func AddChild(s, child *Session) *Session { return s.children.add(roleKey{}, child) }

// ForgetChild is what happens after a session with that key was collected.
func ForgetChild(s *Session) { s.children.forget(roleKey{}) }

// Package weakmap remembers values by key for as long as somebody else holds
// them: a thousand values that were dropped leave nothing behind.
package weakmap

import (
	"runtime"
	"sync"
	"weak"
)

// Map is a map whose values may be collected. The zero value is ready to use,
// and safe for concurrent use. A Map must not be copied.
type Map[K comparable, V any] struct {
	mu    sync.Mutex
	byKey map[K]weak.Pointer[V]
}

// Find returns the value for key, or nil if there is none or it was dropped.
func (m *Map[K, V]) Find(key K) *V {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byKey[key].Value()
}

// Add remembers v under key and returns it. If another value is there and in
// use, Add leaves that one and returns it: of two callers who make a value at
// the same time, both get the first.
func (m *Map[K, V]) Add(key K, v *V) *V {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first := m.byKey[key].Value(); first != nil {
		return first
	}
	if m.byKey == nil {
		m.byKey = map[K]weak.Pointer[V]{}
	}
	m.byKey[key] = weak.Make(v)
	runtime.AddCleanup(v, m.forget, key)
	return v
}

// forget drops the entry of a value that was collected, unless it has a
// successor by then.
func (m *Map[K, V]) forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.byKey[key]; ok && p.Value() == nil {
		delete(m.byKey, key)
	}
}

// Len is how many keys are remembered. A dropped value counts until the garbage
// collector has seen to it.
func (m *Map[K, V]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byKey)
}

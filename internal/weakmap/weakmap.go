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

// FindOrAdd returns the value for key that is in use. If there is none, it makes
// one and remembers it. build runs under the map's lock, so that two callers at
// the same time get the same value; it must be short, and not use the map.
func (m *Map[K, V]) FindOrAdd(key K, build func() *V) *V {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first := m.byKey[key].Value(); first != nil {
		return first
	}
	v := build()
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

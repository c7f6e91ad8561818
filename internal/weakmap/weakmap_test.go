package weakmap_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/weakmap"
)

type thing [64]byte

func TestAddKeepsTheFirst(t *testing.T) {
	var m weakmap.Map[string, thing]
	assert.Nil(t, m.Find("a"))
	first, second := &thing{}, &thing{}
	assert.Same(t, first, m.Add("a", first))
	assert.Same(t, first, m.Add("a", second), "the first is in use")
	assert.Same(t, second, m.Add("b", second))
	assert.Same(t, first, m.Find("a"))
	assert.Equal(t, 2, m.Len())
	runtime.KeepAlive(first)
	runtime.KeepAlive(second)
}

func TestDroppedValuesGo(t *testing.T) {
	var m weakmap.Map[int, thing]
	kept := m.Add(0, &thing{})
	for i := range 1000 {
		m.Add(1+i, &thing{})
	}
	require.Eventually(t, func() bool { runtime.GC(); return m.Len() == 1 }, 10*time.Second, time.Millisecond)
	assert.Same(t, kept, m.Find(0))
	runtime.KeepAlive(kept)
}

func TestASuccessorStays(t *testing.T) {
	var m weakmap.Map[string, thing]
	m.Add("a", &thing{})
	require.Eventually(t, func() bool { runtime.GC(); return m.Find("a") == nil }, 10*time.Second, time.Millisecond)
	successor := m.Add("a", &thing{})
	for range 10 {
		runtime.GC() // the first value's clean-up may run now, or has run
	}
	assert.Same(t, successor, m.Find("a"))
	runtime.KeepAlive(successor)
}

func TestManyAddTheSame(t *testing.T) {
	var m weakmap.Map[string, thing]
	got := make([]*thing, 100)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i] = m.Add("a", &thing{}) })
	}
	group.Wait()
	for _, other := range got {
		assert.Same(t, got[0], other)
	}
}

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

func add[K comparable](m *weakmap.Map[K, thing], key K, v *thing) *thing {
	return m.FindOrAdd(key, func() *thing { return v })
}

func TestAddKeepsTheFirst(t *testing.T) {
	var m weakmap.Map[string, thing]
	first, second := &thing{}, &thing{}
	assert.Same(t, first, add(&m, "a", first))
	assert.Same(t, first, m.FindOrAdd("a", func() *thing { t.Error("the first is in use"); return second }))
	assert.Same(t, second, add(&m, "b", second))
	assert.Same(t, first, add(&m, "a", second))
	assert.Equal(t, 2, m.Len())
	runtime.KeepAlive(first)
	runtime.KeepAlive(second)
}

func TestDroppedValuesGo(t *testing.T) {
	var m weakmap.Map[int, thing]
	kept := add(&m, 0, &thing{})
	for i := range 1000 {
		add(&m, 1+i, &thing{})
	}
	require.Eventually(t, func() bool { runtime.GC(); return m.Len() == 1 }, 10*time.Second, time.Millisecond)
	assert.Same(t, kept, add(&m, 0, &thing{}))
	runtime.KeepAlive(kept)
}

func TestASuccessorStays(t *testing.T) {
	var m weakmap.Map[string, thing]
	add(&m, "a", &thing{})
	require.Eventually(t, func() bool { runtime.GC(); return m.Len() == 0 }, 10*time.Second, time.Millisecond)
	successor := add(&m, "a", &thing{})
	for range 10 {
		runtime.GC() // the first value's clean-up may run now, or has run
	}
	assert.Same(t, successor, add(&m, "a", &thing{}))
	runtime.KeepAlive(successor)
}

func TestManyAddTheSame(t *testing.T) {
	var m weakmap.Map[string, thing]
	got := make([]*thing, 100)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i] = add(&m, "a", &thing{}) })
	}
	group.Wait()
	for _, other := range got {
		assert.Same(t, got[0], other)
	}
}

package diskcache

import (
	"context"
	"sync"
	"sync/atomic"
)

// trouble is a kind of what keeps the store from working, in words that follow "disk cache: ".
type trouble string

const (
	troubleDir   trouble = "its directory cannot be used, and credentials are fetched without it"
	troubleKey   trouble = "its encryption key cannot be had, and credentials are fetched without it"
	troubleLock  trouble = "its lock cannot be had, and several processes may fetch the same credentials"
	troubleEntry trouble = "an entry cannot be used, and counts as absent"
	troubleWrite trouble = "credentials cannot be written, and the next process fetches them again"
)

// warner tells of each kind of trouble once, so that a full disk does not fill the
// log as well.
type warner struct {
	tell func(ctx context.Context, msg string, err error)
	told sync.Map // of trouble
}

func (w *warner) say(ctx context.Context, t trouble, err error) {
	if w.tell == nil {
		return
	}
	if _, told := w.told.LoadOrStore(t, true); !told {
		w.tell(ctx, string(t), err)
	}
}

// once lets the first caller do what is done once. Unlike with [sync.Once], the
// others go on at once: nobody waits behind the first one's I/O.
type once struct{ done atomic.Bool }

func (o *once) first() bool { return o.done.CompareAndSwap(false, true) }

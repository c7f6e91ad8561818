package diskcache

import (
	"context"
	"sync"
	"sync/atomic"
)

// trouble is a kind of what keeps the store from working, in words.
type trouble string

const (
	troubleDir   trouble = "the disk cache's directory cannot be used: credentials are fetched without the cache"
	troubleKey   trouble = "the disk cache's encryption key cannot be had: credentials are fetched without the cache"
	troubleLock  trouble = "the disk cache's lock cannot be had: credentials are fetched without it, perhaps by several processes at once"
	troubleEntry trouble = "an entry of the disk cache cannot be used: it counts as absent"
	troubleWrite trouble = "credentials cannot be written to the disk cache: the next process fetches them again"
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

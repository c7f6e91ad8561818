package terminal

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

// fake is a terminal with a keyboard and a screen.
type fake struct {
	stubborn bool          // reads cannot be interrupted
	onPress  func(event)   // nil: a signal has no effect
	prepared func()        // called at the end of prepare
	held     chan struct{} // a read that has a byte waits for it; nil: it does not
	failure  error         // of prepare
	deaf     error         // of read; nil: it reads
	blind    error         // of write; nil: it writes
	resumed  chan os.Signal
	ended    chan os.Signal

	mu      sync.Mutex
	queue   chan byte
	screen  strings.Builder
	quiet   bool // no echo
	open    int  // devices
	watched int  // devices whose signals are heard
	readers int
	most    int // readers at the same time
	events  []string
}

func newFake() (*fake, *Terminal) {
	f := &fake{queue: make(chan byte, 1000), resumed: make(chan os.Signal, 1), ended: make(chan os.Signal, 1)}
	return f, newTerminal(func() (device, error) {
		f.change(func() { f.open++ })
		return &fakeDevice{fake: f, cut: make(chan struct{})}, nil
	})
}

func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// press types s at once, when all that the test started is waiting.
func (f *fake) press(s string) {
	synctest.Wait()
	f.change(func() { // flush waits for the whole of it
		for _, b := range []byte(s) {
			f.queue <- b
		}
	})
	synctest.Wait()
}

// shows is the screen, when all that the test started is waiting.
func (f *fake) shows() (s string) {
	synctest.Wait()
	f.change(func() { s = f.screen.String() })
	return s
}

// assertLeft asks that the terminal is as it was found.
func (f *fake) assertLeft(t *testing.T) {
	t.Helper()
	synctest.Wait()
	f.change(func() {
		assert.False(t, f.quiet, "the echo is off")
		assert.Zero(t, f.open, "devices are open")
		assert.Zero(t, f.watched, "signals are heard")
		assert.Zero(t, f.readers, "somebody reads")
		assert.LessOrEqual(t, f.most, 1, "readers at the same time")
	})
}

// fakeDevice is a fake that was opened.
type fakeDevice struct {
	*fake
	cut    chan struct{}
	wasCut bool
}

var errCut = errors.New("cut")

func (d *fakeDevice) prepare() (keys, error) {
	if d.failure != nil {
		return keys{}, d.failure
	}
	d.change(func() { d.quiet = true })
	if d.wasCut {
		d.cut, d.wasCut = make(chan struct{}), false
	}
	d.flush()
	if d.prepared != nil {
		d.prepared()
	}
	return usual, nil
}

func (d *fakeDevice) restore() { d.change(func() { d.quiet = false }) }

func (d *fakeDevice) flush() {
	d.change(func() {
		for len(d.queue) > 0 {
			select {
			case <-d.queue:
			default: // a reader was faster
			}
		}
	})
}

func (d *fakeDevice) write(_ context.Context, s string) error {
	d.change(func() { d.screen.WriteString(s) })
	return d.blind
}

func (d *fakeDevice) read() (byte, error) {
	d.change(func() {
		d.readers++
		d.most = max(d.most, d.readers)
	})
	defer d.change(func() { d.readers-- })
	if d.deaf != nil {
		return 0, d.deaf
	}
	select {
	case b := <-d.queue:
		if d.held != nil {
			<-d.held
		}
		return b, nil
	case <-d.cut:
		return 0, errCut
	}
}

func (d *fakeDevice) interrupt() bool {
	if !d.stubborn && !d.wasCut {
		close(d.cut)
		d.wasCut = true
	}
	return !d.stubborn
}

func (d *fakeDevice) press(e event) {
	d.change(func() {
		d.events = append(d.events, map[event]string{interrupted: "INT", quit: "QUIT", suspended: "TSTP"}[e])
	})
	if d.onPress != nil {
		d.onPress(e)
	}
}

func (d *fakeDevice) again(s os.Signal) {
	d.change(func() { d.events = append(d.events, "again "+s.String()) })
}

func (d *fakeDevice) watch() signals {
	d.change(func() { d.watched++ })
	return signals{resumed: d.resumed, ended: d.ended, stop: sync.OnceFunc(func() { d.change(func() { d.watched-- }) })}
}

func (d *fakeDevice) close() { d.change(func() { d.open-- }) }

// usual are the keys of most terminals.
var usual = keys{interrupt: 3, quit: 28, suspend: 26, end: 4, erase: 127, word: 23, kill: 21}

package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type answer struct {
	line string
	err  error
}

// ask asks in a goroutine.
func ask(ctx context.Context, t *Terminal, text string) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		s, err := t.Ask(ctx, text)
		c <- answer{s, err}
	}()
	return c
}

func TestAskAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		typed, line string
		err         error
	}{
		"a code":                  {"123456\n", "123456", nil},
		"carriage return":         {"123456\r", "123456", nil},
		"spaces stay":             {" 12 \n", " 12 ", nil},
		"an empty line":           {"\n", "", nil},
		"Ctrl-D":                  {"\x04", "", ErrNothing},
		"Ctrl-D behind text":      {"123\x04", "123", nil},
		"Ctrl-D after all erased": {"1\x7f\x04", "", ErrNothing},
		"256 bytes":               {strings.Repeat("x", 256) + "\n", strings.Repeat("x", 256), nil},
		"257 bytes":               {strings.Repeat("x", 257), "", ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, terminal := newFake()
				got := ask(t.Context(), terminal, "Code:")
				f.press(test.typed)
				assert.Equal(t, answer{test.line, test.err}, <-got)
				f.assertLeft(t)
				assert.Equal(t, "Code: \n", f.shows())
			})
		})
	}
}

func TestAskCleansText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		got := ask(t.Context(), terminal, "Code of \x1b[2Jana\r\nnow:\u202e ")
		f.press("1\n")
		assert.Equal(t, answer{"1", nil}, <-got)
		assert.Equal(t, "Code of \ufffd[2Jana now:\ufffd \n", f.shows())
	})
}

func TestAskQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		first := ask(t.Context(), terminal, "first:")
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		second := ask(ctx, terminal, "second:")
		synctest.Wait()
		third := ask(t.Context(), terminal, "third:")
		assert.Equal(t, "first: ", f.shows())

		gone := errors.New("gone")
		cancel(gone)
		assert.Equal(t, answer{"", gone}, <-second, "in the line")
		f.press("1\n")
		assert.Equal(t, answer{"1", nil}, <-first)
		f.press("3\n")
		assert.Equal(t, answer{"3", nil}, <-third)
		assert.Equal(t, "first: \nthird: \n", f.shows())
		f.assertLeft(t)
	})
}

func TestAskContextEnds(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, terminal := newFake()
			f.stubborn = stubborn
			gone := errors.New("gone")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, gone)
			defer cancel()
			start := time.Now()
			_, err := terminal.Ask(ctx, "Code:")
			assert.Equal(t, gone, err)
			assert.Equal(t, time.Minute, time.Since(start))
			assert.Equal(t, "Code: \n", f.shows())
			f.change(func() { assert.False(t, f.quiet) })
			if stubborn {
				f.press("x") // the pending read ends, and closes what it was left with
			}
			f.assertLeft(t)

			_, err = terminal.Ask(ctx, "again:")
			assert.Equal(t, gone, err)
			assert.Equal(t, "Code: \n", f.shows(), "nothing is asked for a caller who has gone")
		})
	}
}

// A read that is left pending goes to the next question, and there is never a
// second one.
func TestAskTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		f.stubborn = true
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := terminal.Ask(ctx, "lost:")
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		f.change(func() {
			assert.Equal(t, 1, f.open)
			assert.Equal(t, 1, f.readers)
		})
		got := ask(t.Context(), terminal, "Code:")
		f.press("123456\n")
		assert.Equal(t, answer{"123456", nil}, <-got)
		f.assertLeft(t)
	})
}

// What is typed before the question is shown is no part of the answer, also
// where a pending read gets it.
func TestAskTypedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		f.queue <- '7'
		got := ask(t.Context(), terminal, "Code:")
		f.press("1\n")
		assert.Equal(t, answer{"1", nil}, <-got)

		f.stubborn = true
		ctx, cancel := context.WithCancel(t.Context())
		lost := ask(ctx, terminal, "lost:")
		synctest.Wait()
		cancel()
		<-lost
		f.prepared = func() { // the pending read has been taken over, but nothing was shown
			f.queue <- '7'
			time.Sleep(time.Second)
		}
		got = ask(t.Context(), terminal, "Code:")
		time.Sleep(2 * time.Second)
		f.press("2\n")
		assert.Equal(t, answer{"2", nil}, <-got)
		f.assertLeft(t)
	})
}

func TestAskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		f.failure = ErrBackground
		f.queue <- 'l'
		_, err := terminal.Ask(t.Context(), "Code:")
		assert.Equal(t, ErrBackground, err)
		assert.Empty(t, f.shows(), "another job has the terminal")
		assert.Len(t, f.queue, 1, "and what is typed there is that job's")
		f.assertLeft(t)

		terminal.open = func() (device, error) { return nil, ErrNone }
		_, err = terminal.Ask(t.Context(), "Code:")
		assert.Equal(t, ErrNone, err)
	})
}

// A terminal that is gone says so, once the text is shown or while it is.
func TestAskGone(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		reads, writes error
		want          string
		is            error
	}{
		"the end":       {io.EOF, nil, ErrNothing.Error(), ErrNothing},
		"reads nothing": {broken, nil, "reading from the terminal: broken", broken},
		"shows nothing": {nil, broken, "writing to the terminal: broken", broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, terminal := newFake()
				f.deaf, f.blind = test.reads, test.writes
				_, err := terminal.Ask(t.Context(), "Code:")
				assert.EqualError(t, err, test.want)
				assert.ErrorIs(t, err, test.is)
				f.assertLeft(t)
			})
		})
	}
}

// A caller who goes while the text is written hears of that, and not of the write.
func TestAskGoneWhileShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		f.prepared, f.blind = func() { cancel(gone) }, context.Canceled
		_, err := terminal.Ask(ctx, "Code:")
		assert.Equal(t, gone, err)
		f.assertLeft(t)
	})
}

// What is typed behind an answer is for who reads next.
func TestAskLeavesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		got := ask(t.Context(), terminal, "Code:")
		f.press("1\nls\n")
		assert.Equal(t, answer{"1", nil}, <-got)
		assert.Len(t, f.queue, 3)
		f.assertLeft(t)
	})
}

// A key that sends a signal does so when the terminal is restored.
func TestAskInterrupted(t *testing.T) {
	for _, test := range []struct{ key, event string }{{"\x03", "INT"}, {"\x1c", "QUIT"}} {
		synctest.Test(t, func(t *testing.T) {
			f, terminal := newFake()
			f.onPress = func(event) {
				f.change(func() { assert.False(t, f.quiet) })
				assert.Equal(t, "Code: \n", f.screen.String())
			}
			start := time.Now()
			got := ask(t.Context(), terminal, "Code:")
			f.press("12" + test.key + "rm -r")
			assert.Equal(t, answer{"", ErrInterrupted}, <-got)
			assert.Equal(t, signalTime, time.Since(start))
			assert.Equal(t, []string{test.event}, f.events)
			assert.Empty(t, f.queue, "the rest of the line reaches nobody")
			f.assertLeft(t)
		})
	}
}

// A handler that ends the context decides what the error is.
func TestAskInterruptEndsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := errors.New("ended by the program")
		f.onPress = func(event) { cancel(ended) }
		got := ask(ctx, terminal, "Code:")
		f.press("\x03")
		assert.Equal(t, answer{"", ended}, <-got)
		f.assertLeft(t)
	})
}

func TestAskSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		got := ask(t.Context(), terminal, "Code:")
		f.press("12")
		f.ended <- syscall.SIGTERM
		assert.Equal(t, answer{"", ErrInterrupted}, <-got)
		assert.Equal(t, []string{"again terminated"}, f.events)
		f.assertLeft(t)
	})
}

// The question is shown again, once, and begins anew.
func TestAskStopped(t *testing.T) {
	for name, stop := range map[string]func(f *fake) time.Duration{
		"Ctrl-Z": func(f *fake) time.Duration {
			f.onPress = func(event) { f.resumed <- os.Signal(syscall.SIGTERM) }
			f.press("12\x1a")
			return 0
		},
		"Ctrl-Z without an effect": func(f *fake) time.Duration {
			f.press("12\x1a")
			time.Sleep(stopTime + signalTime)
			return stopTime + signalTime
		},
		"Ctrl-Z, the news comes late": func(f *fake) time.Duration {
			f.press("12\x1a")
			time.Sleep(stopTime + signalTime/2)
			f.resumed <- os.Signal(syscall.SIGTERM)
			return stopTime + signalTime/2
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, terminal := newFake()
				got := ask(t.Context(), terminal, "Code:")
				start := time.Now()
				want := stop(f)
				assert.Equal(t, "Code: \nCode: ", f.shows())
				assert.Equal(t, want, time.Since(start))
				f.press("345\n")
				assert.Equal(t, answer{"345", nil}, <-got)
				assert.Equal(t, []string{"TSTP"}, f.events)
				f.assertLeft(t)
			})
		})
	}
}

// While it waits to be stopped, a question ends as at any other time.
func TestAskEndsBeforeTheStop(t *testing.T) {
	gone := errors.New("gone")
	for name, test := range map[string]struct {
		end    func(*fake, context.CancelCauseFunc)
		want   error
		events []string
	}{
		"ctx":    {func(_ *fake, cancel context.CancelCauseFunc) { cancel(gone) }, gone, []string{"TSTP"}},
		"signal": {func(f *fake, _ context.CancelCauseFunc) { f.ended <- syscall.SIGTERM }, ErrInterrupted, []string{"TSTP", "again terminated"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, terminal := newFake()
				ctx, cancel := context.WithCancelCause(t.Context())
				got := ask(ctx, terminal, "Code:")
				f.press("12\x1a")
				test.end(f, cancel)
				assert.Equal(t, answer{"", test.want}, <-got)
				assert.Equal(t, test.events, f.events)
				f.assertLeft(t)
			})
		})
	}
}

// A byte that a read has taken when the process continues is none of the answer.
func TestAskStoppedWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		f.held = make(chan struct{})
		got := ask(t.Context(), terminal, "Code:")
		f.press("1")
		f.resumed <- syscall.SIGTERM
		synctest.Wait()
		close(f.held)
		assert.Equal(t, "Code: Code: ", f.shows())
		f.press("345\n")
		assert.Equal(t, answer{"345", nil}, <-got)
		f.assertLeft(t)
	})
}

// A process that continues in the background does not touch the terminal.
func TestAskContinuesInBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, terminal := newFake()
		got := ask(t.Context(), terminal, "Code:")
		synctest.Wait()
		f.failure = ErrBackground
		f.quiet = false // the shell has it now
		f.resumed <- syscall.SIGTERM
		assert.Equal(t, answer{"", ErrBackground}, <-got)
		assert.Equal(t, "Code: ", f.shows())
		f.assertLeft(t)
	})
}

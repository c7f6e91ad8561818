package main

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWarningLines(t *testing.T) {
	var told []string
	log := slog.New(warningLines{tell: func(text string) { told = append(told, text) }})
	log = log.With("source", "environment").WithGroup("none")
	log.Debug("no")
	log.Info("no")
	log.Error("no: its caller says so")
	log.Warn("awsauth: refresh failed", "err", errors.New("two\nlines, lower WithDuration"))
	assert.Equal(t, []string{"awsauth: refresh failed source=environment: two lines, lower --duration"}, told)
}

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"unicode/utf16"
)

// readText reads all of r, whose name is for errors, as text. What is longer than most
// bytes is refused.
func readText(r io.Reader, name string, most int64) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return "", fileError(err)
	}
	if int64(len(data)) > most {
		return "", fmt.Errorf("%q has more than %d KiB, which is too long", name, most>>10)
	}
	text, err := plainText(data)
	if err != nil {
		return "", fmt.Errorf("read %q: %w", name, err)
	}
	return text, nil
}

// readTextFile is readText for the file of that name.
func readTextFile(name string, most int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fileError(err)
	}
	defer f.Close()
	return readText(f, name, most)
}

// fileError is an error about a file with the name in quotes: it may hold anything.
func fileError(err error) error {
	var about *fs.PathError
	if errors.As(err, &about) {
		return fmt.Errorf("%s %q: %w", about.Op, about.Path, about.Err)
	}
	return err
}

// programError is an error of a program that cannot be run, with its name in quotes.
func programError(err error) error {
	var about *exec.Error
	if !errors.As(err, &about) {
		return fileError(err)
	}
	var file *fs.PathError
	if errors.As(about.Err, &file) {
		return fmt.Errorf("%q: %w", about.Name, file.Err)
	}
	return fmt.Errorf("%q: %w", about.Name, about.Err)
}

// plainText is data as UTF-8 without a byte order mark. Windows PowerShell writes UTF-16
// with >, which begins with such a mark.
func plainText(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return fromUTF16(data[2:], binary.BigEndian)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errNoText
	}
	return string(data), nil
}

func fromUTF16(data []byte, order binary.ByteOrder) (string, error) {
	if len(data)%2 != 0 {
		return "", errNoText
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	if text := string(utf16.Decode(units)); !bytes.ContainsRune([]byte(text), 0) {
		return text, nil
	}
	return "", errNoText // UTF-32 also begins so
}

var errNoText = errors.New("it is not text; write it in UTF-8")

package diskcache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// Key names an entry. It stands for everything that decides what a fetch returns,
// who asks included.
type Key [sha256.Size]byte

// String is the key as it stands in file names: 64 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// KeyBuilder adds up the fields of a [Key].
type KeyBuilder struct{ h hash.Hash }

// NewKey starts a key without fields.
func NewKey() *KeyBuilder {
	b := &KeyBuilder{sha256.New()}
	// A later version that reads entries otherwise changes this text. Then the
	// two versions have files of their own.
	b.text("awsauth disk cache entry 1")
	return b
}

// Add adds a named field with its values, and returns b. The name, the number of
// values, each value and their order all count: two lists of fields that differ
// in any way give two keys. No value and one empty value differ too.
func (b *KeyBuilder) Add(name string, values ...string) *KeyBuilder {
	b.text(name)
	b.number(len(values))
	for _, v := range values {
		b.text(v)
	}
	return b
}

// Sum returns the key of the fields so far. More can be added after it.
func (b *KeyBuilder) Sum() Key { return Key(b.h.Sum(nil)) }

// text adds a string behind its length. Without the length, "ab" and "c" would
// read as "a" and "bc".
func (b *KeyBuilder) text(s string) {
	b.number(len(s))
	_, _ = b.h.Write([]byte(s)) // a hash never fails
}

func (b *KeyBuilder) number(n int) {
	_, _ = b.h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

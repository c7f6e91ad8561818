package diskcache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

const (
	// secretSize is the length of the caller's key.
	secretSize = 32

	// sealInfo binds the derived key to this use, so that the caller's key can
	// serve elsewhere too.
	sealInfo = "awsauth disk cache 1: AES-256-GCM"

	// sealMagic opens every encrypted file and names its format.
	sealMagic = "awsauth-sealed-1\n"
)

// errSealed does not say which it is: the cipher cannot tell.
var errSealed = errors.New("the entry cannot be decrypted: it is damaged, or was written with another key")

// box encrypts entries. A file is the magic, a random nonce of 12 bytes, and the
// sealed JSON with its tag of 16 bytes.
type box struct{ aead cipher.AEAD }

// newBox derives the encryption key from the caller's.
func newBox(secret []byte) (*box, error) {
	if len(secret) != secretSize {
		return nil, fmt.Errorf("the key has %d bytes; give %d", len(secret), secretSize)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, sealInfo, secretSize)
	if err != nil {
		return nil, errors.New("the key cannot be derived")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.New("the cipher cannot be made")
	}
	aead, err := cipher.NewGCMWithRandomNonce(block) // it puts the nonce in front
	if err != nil {
		return nil, errors.New("the cipher cannot be made")
	}
	return &box{aead}, nil
}

// seal encrypts what the file of k holds. The file's name is additional data: a
// file that was renamed cannot be opened.
func (b *box) seal(plain []byte, k Key) []byte {
	return b.aead.Seal([]byte(sealMagic), nil, plain, additional(k))
}

func (b *box) open(sealed []byte, k Key) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(sealed, []byte(sealMagic))
	if !ok {
		return nil, errSealed
	}
	plain, err := b.aead.Open(nil, nil, sealed, additional(k))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

func additional(k Key) []byte { return []byte(sealMagic + k.String() + sealedSuffix) }

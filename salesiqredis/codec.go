package salesiqredis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// Codec keeps secrets unreadable where they are stored. It must be safe for
// concurrent use.
type Codec interface {
	Seal(plain []byte) ([]byte, error)
	// Open returns what Seal was given, or an error if that cannot be told.
	Open(sealed []byte) ([]byte, error)
}

const (
	keySize   = 32 // Of AES-256.
	gcmFormat = "salesiq aes-gcm 1\n"
)

var errNotSealed = errors.New("salesiqredis: this was not sealed with any of the keys, or is damaged")

// AESGCM returns a codec that encrypts with AES-256-GCM, under a key of 32 random
// bytes. What was sealed under one of the older keys can still be opened, so that
// a key can be replaced while processes run: give them the new key as an older
// one first.
func AESGCM(key []byte, older ...[]byte) (Codec, error) {
	codec := &aesGCM{}
	for _, key := range append([][]byte{key}, older...) {
		if len(key) != keySize {
			return nil, fmt.Errorf("salesiqredis: a key must be %d bytes, not %d", keySize, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		codec.aeads = append(codec.aeads, aead)
	}
	return codec, nil
}

type aesGCM struct{ aeads []cipher.AEAD }

// Format shows nothing of the keys.
func (*aesGCM) Format(f fmt.State, _ rune) { fmt.Fprint(f, "salesiqredis.AESGCM") }

func (c *aesGCM) Seal(plain []byte) ([]byte, error) {
	return c.aeads[0].Seal([]byte(gcmFormat), nil, plain, []byte(gcmFormat)), nil //nolint:gosec // The AEAD makes a random nonce itself.
}

func (c *aesGCM) Open(sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(gcmFormat))
	if !ok {
		return nil, errNotSealed
	}
	for _, aead := range c.aeads {
		if plain, err := aead.Open(nil, nil, rest, []byte(gcmFormat)); err == nil {
			return plain, nil
		}
	}
	return nil, errNotSealed
}

// Package seal encrypts what is kept outside of the process. What it seals is
// text, so that any store can keep it: a file, a column of a database, a value
// in Redis.
//
//	salesiq sealed 1:<base64 of nonce and ciphertext>
//
// The cipher is AES-256-GCM with a random nonce, which is made by the cipher itself:
// FIPS 140-3 allows no other way. The words before the colon are authenticated with
// the rest, so that another format cannot be taken for this one.
//
// Token files of the first version are opened as well:
//
//	salesiq token file 1
//	<nonce and ciphertext, as bytes>
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

// format begins what is sealed. Another format gets another number.
const format = "salesiq sealed 1:"

// firstFormat is what token files began with once. It was authenticated, too.
const firstFormat = "salesiq token file 1\n"

var (
	// ErrFormat means that something else was kept in the place of what was sealed.
	ErrFormat = errors.New("is not sealed in this version's format")
	// ErrKey means that none of the keys opens what is sealed.
	ErrKey = errors.New("does not open with this key: it was sealed with another one, or is damaged; it is left as it is")
)

// Codec seals with one key, and opens what was sealed with it or with an older
// one. It is safe for concurrent use.
type Codec struct{ ciphers []cipher.AEAD }

// New returns a codec. Each key must have [KeySize] bytes.
func New(key []byte, older ...[]byte) (*Codec, error) {
	codec := &Codec{}
	for _, key := range append([][]byte{key}, older...) {
		if len(key) != KeySize {
			return nil, fmt.Errorf("must be %d bytes, not %d", KeySize, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		codec.ciphers = append(codec.ciphers, gcm)
	}
	return codec, nil
}

// Seal returns what Open gives back.
func (c *Codec) Seal(plain []byte) []byte {
	sealed := c.ciphers[0].Seal(nil, nil, plain, []byte(format)) //nolint:gosec // The cipher makes a random nonce.
	return base64.StdEncoding.AppendEncode([]byte(format), sealed)
}

// Open returns what was sealed.
//
// Errors: [ErrFormat], [ErrKey].
func (c *Codec) Open(sealed []byte) ([]byte, error) {
	ciphertext, began, err := split(sealed)
	if err != nil {
		return nil, err
	}
	for _, gcm := range c.ciphers {
		if plain, err := gcm.Open(nil, nil, ciphertext, []byte(began)); err == nil {
			return plain, nil
		}
	}
	return nil, ErrKey
}

// split returns the nonce with the ciphertext, and the format that was before them.
func split(sealed []byte) (ciphertext []byte, began string, err error) {
	if ciphertext, ok := bytes.CutPrefix(sealed, []byte(firstFormat)); ok {
		return ciphertext, firstFormat, nil
	}
	text, ok := bytes.CutPrefix(bytes.TrimSpace(sealed), []byte(format))
	if !ok {
		return nil, "", ErrFormat
	}
	if ciphertext, err = base64.StdEncoding.Strict().AppendDecode(nil, text); err != nil {
		return nil, "", ErrKey
	}
	return ciphertext, format, nil
}

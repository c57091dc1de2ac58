package wire

import (
	"encoding/binary"
	"math/bits"
)

// maxShared is the length of the longest string that is shared.
const maxShared = 24

// sharedStrings holds strings that were seen before, one for each of its places.
type sharedStrings [256]string

// string returns a string of its own, or one that was made before.
func (d *decoding) string(text []byte) string {
	if !d.sharing || len(text) == 0 || len(text) > maxShared {
		return string(text)
	}
	place := &d.shared[placeOf(text)]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}

// placeOf returns a place for a text, by its length and its first and last bytes.
func placeOf(text []byte) uint8 {
	const golden = 0x9e3779b97f4a7c15
	hash := uint64(len(text))
	switch n := len(text); {
	case n >= 8:
		hash ^= binary.LittleEndian.Uint64(text) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(text[n-8:]), 29)
	case n >= 4:
		hash ^= uint64(binary.LittleEndian.Uint32(text)) ^ uint64(binary.LittleEndian.Uint32(text[n-4:]))<<31
	default:
		for _, c := range text {
			hash = hash<<8 ^ uint64(c)
		}
	}
	return uint8(hash * golden >> 56)
}

package wire

import (
	stdjson "encoding/json"
	"errors"
	"strconv"
	"strings"
)

// decodeAny decodes a number of no particular type: into a float64, as encoding/json
// does, unless that would lose digits.
func decodeAny(d *jsonDecoder, v *any) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	value, err := d.ReadValue()
	if err == nil {
		*v = numberOf(string(value))
	}
	return err
}

// numberOf returns a float64 that is written with the digits of literal, or a
// json.Number that has them.
func numberOf(literal string) any {
	f, err := strconv.ParseFloat(literal, 64)
	if err == nil && significant(literal) == significant(strconv.FormatFloat(f, 'e', -1, 64)) {
		return f
	}
	return stdjson.Number(literal)
}

// decimal is a number by its digits: without zeros at either end, and the power of
// ten of the last one.
type decimal struct {
	digits string
	power  int
}

func significant(literal string) decimal {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(literal, "-")), "e")
	power, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if err != nil && exponent != "" {
		return decimal{literal, 0} // No float64 is written so.
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := strings.TrimLeft(whole+fraction, "0")
	digits := strings.TrimRight(all, "0")
	if digits == "" {
		return decimal{}
	}
	return decimal{digits, power - len(fraction) + len(all) - len(digits)}
}

// manyDigits is the length of a number that may not fit into a float64, which holds
// any of 15 digits.
const manyDigits = 16

// hasLongNumber reports whether a number of many digits may be in data. It looks at
// one byte in as many.
func hasLongNumber(data []byte) bool {
	for i := manyDigits - 1; i < len(data); i += manyDigits {
		start, end := i, i
		for end < len(data) && isOfNumber(data[end]) {
			end++
		}
		for end > i && start > 0 && isOfNumber(data[start-1]) {
			start--
		}
		if end-start >= manyDigits && (start == 0 || data[start-1] != '"') {
			return true
		}
		i = max(i, end-1)
	}
	return false
}

func isOfNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

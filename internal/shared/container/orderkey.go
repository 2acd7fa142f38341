package container

import "strings"

// The elements of a durable list are kept under keys whose order is that of the
// list: a label, which is a number of labelDigits digits, and where there was no
// number left between two of them a fraction. What comes between two elements
// gets a key between theirs, so that no other has to be written again.

const (
	digits      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	labelDigits = 10
	labels      = 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62
	labelStep   = 1 << 10 // between elements that are appended
	maxOrderKey = 64      // bytes; when a key would be longer, those around it are made anew
)

// label is the key of a number below labels.
func label(n uint64) string {
	var b [labelDigits]byte
	for i := labelDigits - 1; i >= 0; i-- {
		b[i] = digits[n%62]
		n /= 62
	}
	return string(b[:])
}

// cutKey takes a key apart. ok is false for what is none.
func cutKey(key string) (n uint64, fraction string, ok bool) {
	if len(key) < labelDigits || len(key) > maxOrderKey || len(key) > labelDigits && key[len(key)-1] == '0' {
		return 0, "", false
	}
	for i := range len(key) {
		d := strings.IndexByte(digits, key[i])
		if d < 0 {
			return 0, "", false
		}
		if i < labelDigits {
			n = n*62 + uint64(d)
		}
	}
	return n, key[labelDigits:], true
}

// keyBetween is a key after a and before b; empty: there is no such bound. It is
// empty if there is no good one.
func keyBetween(a, b string) string {
	na, fa, _ := cutKey(a)
	nb, fb, _ := cutKey(b)
	switch {
	case a == "" && b == "":
		return label(labels / 2)
	case b == "":
		if na+labelStep >= labels {
			return ""
		}
		return label(na + labelStep)
	case a == "":
		if nb < labelStep {
			return ""
		}
		return label(nb - labelStep)
	case nb-na >= 2:
		return label(na + (nb-na)/2)
	case nb == na:
		a = label(na) + fractionBetween(fa, fb)
	case fb != "":
		return label(nb)
	default:
		a = label(na) + fractionBetween(fa, "")
	}
	if len(a) > maxOrderKey {
		return ""
	}
	return a
}

// fractionBetween is a fraction after a and before b, an empty b being 1. None of
// them ends with 0.
func fractionBetween(a, b string) string {
	n := 0
	for n < len(b) && (n < len(a) && a[n] == b[n] || n >= len(a) && b[n] == '0') {
		n++
	}
	if n > 0 {
		return b[:n] + fractionBetween(a[min(n, len(a)):], b[n:])
	}
	da, db := 0, len(digits)
	if a != "" {
		da = strings.IndexByte(digits, a[0])
	}
	if b != "" {
		db = strings.IndexByte(digits, b[0])
	}
	switch {
	case db-da > 1:
		return digits[(da+db+1)/2 : (da+db+1)/2+1]
	case len(b) > 1:
		return b[:1]
	case a == "":
		return digits[:1] + fractionBetween("", "")
	}
	return a[:1] + fractionBetween(a[1:], "")
}

// keysBetween fills keys with keys after a and before b, in ascending order. false:
// there are not that many good ones.
func keysBetween(a, b string, keys []string) bool {
	if len(keys) == 0 {
		return true
	}
	mid := len(keys) / 2
	switch {
	case b == "":
		mid = 0
	case a == "":
		mid = len(keys) - 1
	}
	if keys[mid] = keyBetween(a, b); keys[mid] == "" {
		return false
	}
	if b == "" { // one after the other, not to recurse so deep
		for i := 1; i < len(keys); i++ {
			if keys[i] = keyBetween(keys[i-1], ""); keys[i] == "" {
				return false
			}
		}
		return true
	}
	if a == "" {
		for i := len(keys) - 2; i >= 0; i-- {
			if keys[i] = keyBetween("", keys[i+1]); keys[i] == "" {
				return false
			}
		}
		return true
	}
	return keysBetween(a, keys[mid], keys[:mid]) && keysBetween(keys[mid], b, keys[mid+1:])
}

package canonical

import "strings"

const upperHex = "0123456789ABCDEF"

// Where a character may stand as it is: a path, or a query or fragment. The
// unreserved ones, which may be anywhere, are in all sets (RFC 3986, 2.3).
var (
	unreserved = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
	inPath     = unreserved.and("!$&'()*+,;=:@/")  // 3.3
	inQuery    = unreserved.and("!$&'()*+,;=:@/?") // 3.4, 3.5
)

// charset is a set of bytes.
type charset [256]bool

func set(chars string) *charset { return new(charset).and(chars) }

func (s *charset) and(chars string) *charset {
	t := *s
	for i := range len(chars) {
		t[chars[i]] = true
	}
	return &t
}

// escaped is the one form of s: escapes in capitals, and none for what is
// unreserved; escapes for everything that is not in allowed.
func escaped(s string, allowed *charset) string {
	for i := range len(s) {
		if !allowed[s[i]] { // an escape, too
			var b strings.Builder
			b.WriteString(s[:i])
			escapeRest(&b, s[i:], allowed)
			return b.String()
		}
	}
	return s
}

func escapeRest(b *strings.Builder, s string, allowed *charset) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if allowed[c] {
			b.WriteByte(c)
			continue
		}
		if code, ok := escapeAt(s, i); ok {
			i += 2
			if unreserved[code] {
				b.WriteByte(code)
				continue
			}
			c = code
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
}

// unescaped undoes all escapes. It is false if there is a % without one.
func unescaped(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			code, ok := escapeAt(s, i)
			if !ok {
				return "", false
			}
			c = code
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// escapeAt reads the escape at s[i:], if there is one.
func escapeAt(s string, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	high, ok1 := hexDigit(s[i+1])
	low, ok2 := hexDigit(s[i+2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

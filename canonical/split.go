package canonical

import "strings"

// parts are the components of an address or of a reference to one (RFC 3986,
// appendix B), as they were written.
type parts struct {
	scheme, authority, path, query, fragment string
	hasScheme, hasAuthority, hasQuery        bool
}

// split takes an address or a reference apart.
func split(raw string) (parts, error) {
	if len(raw) > MaxLength {
		return parts{}, tooLong(len(raw))
	}
	var p parts
	rest := tidy(raw)
	rest, p.fragment, _ = strings.Cut(rest, "#")
	rest, p.query, p.hasQuery = strings.Cut(rest, "?")
	if i := strings.IndexAny(rest, ":/"); i > 0 && rest[i] == ':' && isScheme(rest[:i]) {
		p.scheme, rest, p.hasScheme = rest[:i], rest[i+1:], true
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		p.hasAuthority = true
		end := strings.IndexByte(after, '/')
		if end < 0 {
			end = len(after)
		}
		p.authority, rest = after[:end], after[end:]
	}
	p.path = rest
	return p, nil
}

// tidy drops what is around an address in a text, and the line ends in it.
func tidy(raw string) string {
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(raw, "\t\r\n") {
		return raw
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, raw)
}

// isScheme reports whether s has the form of a scheme (RFC 3986, 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// with is what the reference r, which has no scheme, means at b, whose path
// begins with a slash (RFC 3986, 5.2.2).
func (b parts) with(r parts) parts {
	switch {
	case r.hasAuthority:
		b.authority, b.hasAuthority, b.path, b.query, b.hasQuery = r.authority, true, r.path, r.query, r.hasQuery
	case r.path != "":
		if !strings.HasPrefix(r.path, "/") { // it stands in the place of the last segment (5.2.3)
			r.path = b.path[:strings.LastIndexByte(b.path, '/')+1] + r.path
		}
		b.path, b.query, b.hasQuery = r.path, r.query, r.hasQuery
	case r.hasQuery:
		b.query, b.hasQuery = r.query, true
	}
	b.fragment = r.fragment
	return b
}

package canonical

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// domains is how browsers read names: mapped to lower case, not transitional,
// and with no rule about hyphens and underscores, which names on the web break.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
	idna.CheckHyphens(false), idna.StrictDomainName(false))

// authority takes host and port from an authority, each in its one form. The
// port is empty if there is none.
func authority(s string) (host, port string, err error) {
	s = s[strings.LastIndexByte(s, '@')+1:]
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", invalid("there is no ] after [ in the host")
		}
		if host, err = ipv6(s[1:end]); err != nil {
			return "", "", err
		}
		if s = s[end+1:]; s != "" && s[0] != ':' {
			return "", "", invalid("after the ] is no colon and port")
		}
		port = strings.TrimPrefix(s, ":")
	} else {
		s, port, _ = strings.Cut(s, ":")
		if host, err = named(s); err != nil {
			return "", "", err
		}
	}
	if port == "" {
		return host, "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", invalid("its port is no number from 0 to 65535") // it may be a password
	}
	return host, strconv.FormatUint(n, 10), nil
}

// ipv6 is the one form of an address between brackets (RFC 5952).
func ipv6(s string) (string, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return "", invalid("its host is %.60q, want an IPv6 address between the brackets", s)
	}
	return "[" + a.String() + "]", nil
}

// The longest names of the DNS (RFC 1035, 2.3.4), as text.
const (
	maxName  = 253
	maxLabel = 63
)

// named is the one form of a name or an IPv4 address.
func named(s string) (string, error) {
	bad := func(why string) (string, error) { return "", invalid("its host is %.100q: %s", s, why) }
	host, ok := unescaped(s)
	if !ok || !utf8.ValidString(host) {
		return bad("it is not in UTF-8, or an escape in it is not complete")
	}
	host, err := domains.ToASCII(host)
	if err == nil && strings.Contains(host, "xn--") {
		// Some rules are not held against what letters are mapped to.
		_, err = domains.ToASCII(host)
	}
	if err != nil {
		return bad("it is no name of a host")
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" {
		return "", invalid("it has no host")
	}
	if len(host) > maxName {
		return bad("it is too long")
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > maxLabel {
			return bad("a part of it is empty or too long")
		}
		for i := range len(label) {
			if c := label[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return bad("it has characters that no name of a host has")
			}
		}
		last = label
	}
	if !isNumber(last) {
		return host, nil
	}
	if host, ok = ipv4(host); !ok {
		return bad("it is neither a name nor an IPv4 address")
	}
	return host, nil
}

// isNumber reports whether the last part of a host makes it an IPv4 address:
// there is no such top-level domain.
func isNumber(label string) bool {
	if _, ok := ipv4Number(label); ok {
		return true
	}
	return strings.Trim(label, "0123456789") == ""
}

// ipv4 reads the forms of an address of which inet_aton(3) knows: one to four
// numbers, the last of which fills the bytes that are left.
func ipv4(s string) (string, bool) {
	numbers := strings.Split(s, ".")
	if len(numbers) > 4 {
		return "", false
	}
	var addr uint64
	for i, text := range numbers {
		n, ok := ipv4Number(text)
		most := uint64(math.MaxUint8)
		if i == len(numbers)-1 {
			most = 1<<(8*(5-len(numbers))) - 1
		}
		if !ok || n > most {
			return "", false
		}
		if i < len(numbers)-1 {
			n <<= 8 * (3 - i)
		}
		addr |= n
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}).String(), true
}

// ipv4Number reads a decimal, octal (0...) or hexadecimal (0x...) number.
func ipv4Number(s string) (uint64, bool) {
	base := 10
	switch {
	case s == "0x":
		return 0, true
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

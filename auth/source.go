package auth

import (
	"net"
	"net/netip"
)

// sourceOf names who is counted together: an IPv4 address, an IPv6 /64 (what
// one customer gets), or, for a connection that is not IP, the address's text.
func sourceOf(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	text := addr.String()
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return text
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// remoteText is an address for logs and errors.
func remoteText(conn net.Conn) string {
	if addr := conn.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return "unknown"
}

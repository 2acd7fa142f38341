package program

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// CheckAddr refuses what is not HOST:PORT. HOST may be empty.
func CheckAddr(flag, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		if n, notNumber := strconv.Atoi(port); port != "" && (notNumber != nil || n >= 0 && n <= 65535) {
			return nil // the name of a port is looked up
		}
	}
	return fmt.Errorf("%s %q: want HOST:PORT, as 127.0.0.1:5000 or [::1]:5000", flag, addr)
}

// CheckAddrs refuses what is not a list of HOST:PORT with commas between them.
func CheckAddrs(flag, addrs string) error {
	for addr := range strings.SplitSeq(addrs, ",") {
		if err := CheckAddr(flag, strings.TrimSpace(addr)); err != nil {
			return err
		}
	}
	return nil
}

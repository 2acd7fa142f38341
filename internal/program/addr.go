package program

import (
	"fmt"
	"strings"

	"github.com/reeveq/reeve/internal/address"
)

// CheckAddr refuses what is neither HOST:PORT, where HOST may be empty, nor
// unix:PATH.
func CheckAddr(flag, addr string) error {
	if err := address.Check(addr); err != nil {
		return fmt.Errorf("%s %q: %w", flag, addr, err)
	}
	return nil
}

// CheckAddrs refuses what is not a list of such addresses with commas between them.
func CheckAddrs(flag, addrs string) error {
	for addr := range strings.SplitSeq(addrs, ",") {
		if err := CheckAddr(flag, strings.TrimSpace(addr)); err != nil {
			return err
		}
	}
	return nil
}

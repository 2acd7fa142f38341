package program

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isAddrInUse knows the number that Windows gives for it.
func isAddrInUse(err error) bool { return errors.Is(err, windows.WSAEADDRINUSE) }

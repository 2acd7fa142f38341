//go:build !windows

package program

func isAddrInUse(error) bool { return false }

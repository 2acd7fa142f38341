package memory

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var globalMemoryStatusEx = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

// memoryStatus is MEMORYSTATUSEX.
type memoryStatus struct {
	length       uint32
	load         uint32
	total, free  uint64 // physical memory; in a container, its own
	totalPage    uint64
	freePage     uint64
	totalVirtual uint64
	freeVirtual  uint64
	extended     uint64
}

// system lists what bounds this process, in bytes.
func system() []uint64 {
	s := memoryStatus{length: uint32(unsafe.Sizeof(memoryStatus{}))}
	if ok, _, _ := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return nil
	}
	return []uint64{s.total}
}

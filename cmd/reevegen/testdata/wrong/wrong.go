// Package wrong has interfaces of which there can be no handle, each for one reason.
package wrong

import (
	"context"
	"unsafe"
)

type (
	Chan    interface{ M(c chan int) }
	Func    interface{ M() (int, func()) }
	Complex interface{ M([]complex64) }
	Unsafe  interface {
		M(map[string]unsafe.Pointer)
	}
	Opaque interface{ M(Hidden) }
	Deep   interface {
		M(struct{ In *struct{ C chan int } })
	}
	Ctx interface {
		M(n int, ctx context.Context)
	}
	Ctxs interface {
		M(ctx ...context.Context)
	}
	Error          interface{ M(err error) }
	Errors         interface{ M() (error, error) }
	Inside         interface{ M([]interface{ Read() }) }
	Own            interface{ Ref() string }
	Empty          interface{}
	Unknown        interface{ M(Missing) }
	Generic[T any] interface{ M(T) }
	Number         interface{ ~int | ~string }
	Hidden         struct{ secret int }
	Taken          interface{ M() }
	TakenStub      struct{}
)

var Variable = 7

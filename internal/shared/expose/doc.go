// Package expose makes shared objects of Go values: the methods that an interface
// names can be called, by reflection, and nothing else of the value is reached.
//
// It does not know where calls come from, nor how values of a program's own become
// safe for concurrent use: methods are called by many goroutines at a time, unless
// [Options] say otherwise.
//
// What may be shared is decided when it is registered: a method whose arguments or
// results cannot be sent is refused then. Each call runs in a goroutine of its own,
// of which a client and an object have so many; further calls wait in order.
package expose

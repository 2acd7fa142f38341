// Package container has the containers that a master shares: maps, sets, lists,
// values, arrays and namespaces. Keys and values are CBOR that is never decoded
// here, but for numbers that are added up or sorted; two are equal if their bytes
// are. It is not about who may call what, nor about connections: that is the
// business of the package above it.
//
// Every object has one mutex. No call takes longer than what it is asked for: one
// element costs at most the logarithm of their number, and reading many goes by
// pages of a snapshot that costs nothing to take.
package container

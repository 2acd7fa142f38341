// Package shared has the handles of what a master shares besides queues: locks
// and other means of synchronisation, maps, lists and other containers, blobs,
// and objects of a program's own types. A handle works the same wherever it is
// used: through a connection (a *proxy.Client), or in the master's process (the
// *manager.Master).
//
// Its queues are those of a master, which package reeve is about, as Python has
// them: with TaskDone and Join, by the key of a value, or with nothing to be done
// after a Get.
//
// Each other type X has three ways to get a handle: NewX declares an object, which is
// made unless it exists, XOf names one that exists, and XAt takes a reference
// that came in a task or another value. An object that is declared without a name
// lives as long as a connected client refers to it.
//
// Handles keep no state of the object, cost no message and may be used by any
// number of goroutines. The package knows no network: what the objects do is done
// at the master.
package shared

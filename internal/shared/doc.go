// Package shared has the shared objects of a master: it knows them by name and
// by id, which clients refer to them, and which calls wait. A call of a method
// comes in and its answer goes out, once, however often the call is sent. What
// the objects do is said in the packages below it; it knows no network and no
// queues.
package shared

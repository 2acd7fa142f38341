// Package blob is the master's store of large values: the service $blobs. A blob
// is named by the SHA-256 of its content, comes and goes in chunks, and lives as
// long as a task, the result of one, or a client refers to it, and a little
// longer. It knows no queues and no network: those who refer to blobs say so.
package blob

// Package file is a journal in a directory: a log in segments, for one process.
package file

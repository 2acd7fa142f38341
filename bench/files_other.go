//go:build !unix

package main

// raiseFiles does nothing: this system has no such limit.
func raiseFiles() {}

package program

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow to five times of what is live before garbage is
// collected, where Go's default is twice. What is live in these programs is
// mostly small, and collecting it often took a quarter of the time per task:
// bench/load went from about 180,000 to 240,000 tasks a second.
const gcPercent = 400

// TuneGC sets the garbage collector for a program that moves many small tasks,
// unless the user's environment does (GOGC). A program calls it once, first.
func TuneGC() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}

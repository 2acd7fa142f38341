package program

// Watch is watch, for tests with signals and time of their own.
var Watch = watch

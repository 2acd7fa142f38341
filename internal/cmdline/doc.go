// Package cmdline is the command line that the three programs share: how
// flags are written and read, what an error in them looks like, the help and
// the shell completions.
//
// It does not know what any flag is for, opens nothing and runs nothing: the
// parsing is done by github.com/urfave/cli/v3, and this package only gives
// its commands one face:
//
//   - flags have one dash and a long name (two dashes work too) and may stand
//     before or after the arguments;
//   - a wrong flag or value is one line on standard error with a hint, and
//     exit code 2;
//   - an error of the program is one line on standard error, with the exit
//     code of its kind.
package cmdline

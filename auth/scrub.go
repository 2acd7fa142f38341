package auth

import "strings"

// authkeyValues are the parts of args that are values of -authkey, sharing
// their memory. What follows "--" belongs to somebody else.
func authkeyValues(args []string) []string {
	var values []string
	for i := 1; i < len(args); i++ {
		if args[i] == "--" {
			break
		}
		name, isFlag := strings.CutPrefix(args[i], "-")
		if !isFlag {
			continue
		}
		name = strings.TrimPrefix(name, "-")
		if value, ok := strings.CutPrefix(name, "authkey="); ok {
			values = append(values, value)
		} else if name == "authkey" && i+1 < len(args) {
			i++
			values = append(values, args[i])
		}
	}
	return values
}

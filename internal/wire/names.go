package wire

// names keeps the last few texts it saw, so that the queue names and task
// types that come again and again are not allocated again and again.
type names [8]string

// maxKept bounds what a session keeps of texts its peer invents.
const maxKept = 128

func (n *names) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	slot := &n[(uint(len(b))+uint(b[0])+uint(b[len(b)-1]))%uint(len(n))]
	if *slot == string(b) { // does not allocate
		return *slot
	}
	s := string(b)
	if len(s) <= maxKept {
		*slot = s
	}
	return s
}

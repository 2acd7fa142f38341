package wire

// names keeps some of the texts it saw last, so that the queue names and task
// types that come again and again are not allocated again and again. A text
// has two places, so that two of them cannot push each other out for ever.
type names [8]string

// maxKept bounds what a session keeps of texts its peer invents.
const maxKept = 128

func (n *names) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	h := (uint(len(b))*5 + uint(b[0])*3 + uint(b[len(b)/2])*7 + uint(b[len(b)-1])) % uint(len(n))
	if n[h] == string(b) { // does not allocate
		return n[h]
	}
	if n[h^1] == string(b) {
		return n[h^1]
	}
	s := string(b)
	if len(s) <= maxKept {
		n[h^1], n[h] = n[h], s
	}
	return s
}

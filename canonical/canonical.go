package canonical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// MaxLength bounds addresses, before and after, in bytes. RFC 9110, 4.1, asks
// for 8000 at least.
const MaxLength = 8 << 10

// Options change what [Options.URL] does. The zero value is what the package's
// own functions use. Methods may be called from any number of goroutines.
type Options struct {
	// KeepFragment keeps what is after #, for sites whose scripts read it.
	KeepFragment bool
	// KeepOrder keeps the parameters of a query in their order.
	KeepOrder bool
	// DropTracking drops parameters that tell who sent the visitor and change
	// nothing of the page: utm_*, gclid, fbclid and others.
	DropTracking bool
	// Drop are the names of further parameters to drop, in any case; one that
	// ends in * means all that begin so.
	Drop []string
}

// URL returns the one form of an absolute address, as the package's comment
// says. The error, for what is no address of http or https and for one over
// [MaxLength], matches [reeve.ErrInvalid] and does not hold the address, which
// may have a password in it.
func URL(raw string) (string, error) { return Options{}.URL(raw) }

// Resolve returns the one form of the address that ref, as it stands in a
// link, means on the page at base (RFC 3986, 5.2). Errors are those of [URL].
func Resolve(base, ref string) (string, error) { return Options{}.Resolve(base, ref) }

// URL is the package's [URL] with options.
func (o Options) URL(raw string) (string, error) {
	p, err := split(raw)
	if err != nil {
		return "", err
	}
	return o.form(p)
}

// Resolve is the package's [Resolve] with options.
func (o Options) Resolve(base, ref string) (string, error) {
	r, err := split(ref)
	if err != nil {
		return "", err
	}
	if r.hasScheme {
		return o.form(r)
	}
	b, err := split(base)
	if err != nil {
		return "", fmt.Errorf("%w (the base)", err)
	}
	b.path = noDots(escaped(b.path, inPath)) // as browsers do; the RFC leaves it open
	return o.form(b.with(r))
}

// form writes the parts of an absolute address in their one form.
func (o Options) form(p parts) (string, error) {
	scheme := strings.ToLower(p.scheme)
	defaultPort, known := defaultPorts[scheme]
	switch {
	case !p.hasScheme:
		return "", invalid("it has no scheme, want http or https")
	case !known:
		return "", invalid("its scheme is %.20q, want http or https", scheme)
	case !p.hasAuthority:
		return "", invalid("it has no host")
	}
	host, port, err := authority(p.authority)
	if err != nil {
		return "", err
	}
	b := make([]byte, 0, len(p.path)+len(p.query)+len(host)+32)
	b = append(b, scheme...)
	b = append(b, "://"...)
	b = append(b, host...)
	if port != "" && port != defaultPort {
		b = append(b, ':')
		b = append(b, port...)
	}
	b = append(b, noDots(escaped(p.path, inPath))...)
	if query := o.query(p.query); query != "" {
		b = append(b, '?')
		b = append(b, query...)
	}
	if o.KeepFragment && p.fragment != "" {
		b = append(b, '#')
		b = append(b, escaped(p.fragment, inQuery)...)
	}
	if len(b) > MaxLength {
		return "", tooLong(len(b))
	}
	return string(b), nil
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// noDots resolves the segments . and .. of a path that begins with a slash or
// is empty (RFC 3986, 5.2.4).
func noDots(path string) string {
	if path == "" {
		return "/"
	}
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		dots := s == "." || s == ".."
		if s == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if !dots {
			kept = append(kept, s)
		} else if i == len(segments)-1 {
			kept = append(kept, "") // what it names is a directory
		}
	}
	return "/" + strings.Join(kept, "/")
}

// query is the parameters that are kept, in order.
func (o Options) query(raw string) string {
	var params []string
	for p := range strings.SplitSeq(raw, "&") {
		if p = escaped(p, inQuery); p != "" && !o.drops(p) {
			params = append(params, p)
		}
	}
	if !o.KeepOrder {
		slices.SortStableFunc(params, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	}
	return strings.Join(params, "&")
}

// name is the name of a parameter.
func name(param string) string {
	n, _, _ := strings.Cut(param, "=")
	return n
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: URL: %s", reeve.ErrInvalid, fmt.Sprintf(format, args...))
}

func tooLong(n int) error { return invalid("it is %d bytes long, want at most %d", n, MaxLength) }

package reeve_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

var errUnknownPlayer = errors.New("no such player")

// quotaError is an error with fields, as programs have them.
type quotaError struct {
	User string
	Left int
}

func (e *quotaError) Error() string { return fmt.Sprintf("%s has %d left", e.User, e.Left) }

// plainError is one that is no pointer.
type plainError struct{ N int }

func (e plainError) Error() string { return fmt.Sprint("plain ", e.N) }

func init() {
	reeve.RegisterError("test.unknown-player", errUnknownPlayer)
	reeve.RegisterErrorType[*quotaError]("test.quota")
	reeve.RegisterErrorType[plainError]("test.plain")
}

func TestRegisteredErrors_AreMadeAgainFromTheirKinds(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("%w, %w and %w", &quotaError{"ann", 3}, errUnknownPlayer, plainError{7})
	var got []error
	for _, k := range reeve.ErrorKinds(err) {
		got = append(got, k.Err())
	}
	back := errors.Join(got...)
	quota, ok := errors.AsType[*quotaError](back)
	if !errors.Is(back, errUnknownPlayer) || !ok || *quota != (quotaError{"ann", 3}) || !errors.Is(back, plainError{7}) || len(got) != 3 {
		t.Errorf("%v became %v", err, got)
	}
	if kinds := reeve.ErrorKinds(errors.New("another")); kinds != nil {
		t.Errorf("an error that nobody registered has %v", kinds)
	}
	if kinds := reeve.ErrorKinds((*quotaError)(nil)); kinds != nil {
		t.Errorf("a nil pointer has %v", kinds)
	}
	if kinds := reeve.ErrorKinds(&quotaError{User: strings.Repeat("x", 1<<20)}); kinds != nil {
		t.Error("an error of a mebibyte travels")
	}
}

func TestErrorKind_ThatCannotBeMadeIsNil(t *testing.T) {
	t.Parallel()
	for _, k := range []reeve.ErrorKind{
		{}, {Key: "test.nobody"}, {Key: "test.quota"}, {Key: "test.quota", Detail: []byte("null")},
		{Key: "test.quota", Detail: []byte(`{"User":1}`)}, {Key: "test.quota", Detail: []byte("{")},
		{Key: "test.quota", Detail: []byte(`"` + strings.Repeat(" ", 17<<10))},
	} {
		if err := k.Err(); err != nil {
			t.Errorf("%s %.40s is %v", k.Key, k.Detail, err)
		}
	}
}

func TestRegisterError_RefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	reeve.RegisterError("test.unknown-player", errUnknownPlayer) // again: as from two packages
	reeve.RegisterErrorType[*quotaError]("test.quota")
	for name, f := range map[string]func(){
		"nil":                   func() { reeve.RegisterError("test.nil", nil) },
		"no key":                func() { reeve.RegisterError("", errors.New("x")) },
		"a long key":            func() { reeve.RegisterError(strings.Repeat("k", 256), errors.New("x")) },
		"no UTF-8":              func() { reeve.RegisterError("\xff", errors.New("x")) },
		"a key that is taken":   func() { reeve.RegisterError("test.unknown-player", errors.New("no such player")) },
		"a key of another type": func() { reeve.RegisterErrorType[plainError]("test.quota") },
		"an interface":          func() { reeve.RegisterErrorType[error]("test.any") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestRemoteError_OfAMethodMatchesErrMethod(t *testing.T) {
	t.Parallel()
	of := func(kind error, method string) *reeve.RemoteError {
		e := reeve.NewRemoteError(kind, 0, "text", "")
		e.Method = method
		return e
	}
	for _, c := range []struct {
		err  *reeve.RemoteError
		want bool
	}{
		{of(nil, "Add"), true}, {of(reeve.ErrEmpty, "Add"), true},
		{of(reeve.ErrPanic, "Add"), false}, {of(reeve.ErrEmpty, ""), false}, {of(nil, ""), false},
	} {
		if got := errors.Is(c.err, reeve.ErrMethod); got != c.want {
			t.Errorf("%v of %q: %v", c.err.Unwrap(), c.err.Method, got)
		}
	}
}

package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// sentinels has every error of the vocabulary by name; the test below holds it
// complete.
var sentinels = map[string]error{
	"ErrEmpty": reeve.ErrEmpty, "ErrQueueFull": reeve.ErrQueueFull, "ErrShutdown": reeve.ErrShutdown,
	"ErrLeaseLost": reeve.ErrLeaseLost, "ErrNoSuchQueue": reeve.ErrNoSuchQueue, "ErrQueueExists": reeve.ErrQueueExists,
	"ErrNoHandler": reeve.ErrNoHandler, "ErrTimeout": reeve.ErrTimeout, "ErrInvalid": reeve.ErrInvalid,
	"ErrTooLarge": reeve.ErrTooLarge, "ErrLimit": reeve.ErrLimit, "ErrClosed": reeve.ErrClosed, "ErrAuth": reeve.ErrAuth,
	"ErrProtocol": reeve.ErrProtocol, "ErrVersion": reeve.ErrVersion, "ErrUnsupported": reeve.ErrUnsupported,
	"ErrInternal": reeve.ErrInternal, "ErrPermission": reeve.ErrPermission, "context.Canceled": context.Canceled,
	"ErrOutcomeUnknown": reeve.ErrOutcomeUnknown, "ErrDuplicate": reeve.ErrDuplicate, "ErrNoSuchTask": reeve.ErrNoSuchTask,
	"ErrNotDone": reeve.ErrNotDone, "ErrCancelled": reeve.ErrCancelled, "ErrExpired": reeve.ErrExpired,
	"ErrDiscarded": reeve.ErrDiscarded, "ErrPurged": reeve.ErrPurged, "ErrTaskDead": reeve.ErrTaskDead,
	"ErrJournalFull": reeve.ErrJournalFull, "ErrJournal": reeve.ErrJournal, "ErrNoJournal": reeve.ErrNoJournal,
	"ErrNoSuchName": reeve.ErrNoSuchName, "ErrNoSuchObject": reeve.ErrNoSuchObject, "ErrObjectExists": reeve.ErrObjectExists,
	"ErrNotExposed": reeve.ErrNotExposed, "ErrUnserializable": reeve.ErrUnserializable, "ErrMethod": reeve.ErrMethod,
	"ErrPanic": reeve.ErrPanic, "ErrLocked": reeve.ErrLocked, "ErrNotLocked": reeve.ErrNotLocked,
	"ErrNotOwner": reeve.ErrNotOwner, "ErrOverRelease": reeve.ErrOverRelease, "ErrBrokenBarrier": reeve.ErrBrokenBarrier,
	"ErrDeadlock": reeve.ErrDeadlock, "ErrNoSuchKey": reeve.ErrNoSuchKey, "ErrOutOfRange": reeve.ErrOutOfRange,
	"ErrNotFound": reeve.ErrNotFound, "ErrMissed": reeve.ErrMissed, "ErrTooManyDone": reeve.ErrTooManyDone,
	"ErrWorkerLost": reeve.ErrWorkerLost, "ErrNoSuchBlob": reeve.ErrNoSuchBlob,
	"context.DeadlineExceeded": context.DeadlineExceeded, "ErrNotEmpty": reeve.ErrNotEmpty,
	// Errors of one side only, which no peer can tell.
	"ErrDisconnected": nil, "ErrKey": nil,
}

func TestErrors_EverySentinelHasACode(t *testing.T) {
	t.Parallel()
	var decls []ast.Decl
	for _, name := range []string{"../../errors.go", "../../objecterrors.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	found := 0
	for _, d := range decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			name := s.(*ast.ValueSpec).Names[0].Name
			if _, ok := sentinels[name]; !ok {
				t.Errorf("reeve.%s has no code and is not known to need none", name)
			}
			found++
		}
	}
	if found != len(sentinels)-2 { // those of context are not ours
		t.Errorf("%d errors in the vocabulary, %d here", found, len(sentinels)-2)
	}
}

// The golden file is only ever appended to: one line for each code.
func TestErrors_CodesAreThoseOfEveryRelease(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/codes.golden")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		lines++
		var code int
		var name string
		if _, err := fmt.Sscan(s.Text(), &code, &name); err != nil || code != lines {
			t.Fatalf("line %d: %q: %v", lines, s.Text(), err)
		}
		if sentinels[name] == nil || wire.Code(sentinels[name]) != code {
			t.Errorf("%s has code %d, was %d", name, wire.Code(sentinels[name]), code)
		}
		if got := (&wire.Error{Code: code}).Err(); got != sentinels[name] {
			t.Errorf("code %d is %v, was %s", code, got, name)
		}
	}
	if err := (&wire.Error{Code: lines + 1}).Err(); errors.Unwrap(err) != nil {
		t.Errorf("code %d is %v and has no line", lines+1, err)
	}
}

// across is err as it is on the other side.
func across(t *testing.T, err error, stack string) error {
	t.Helper()
	frame, e := wire.Append(nil, wire.ErrorFor(1, err, stack))
	if e != nil {
		t.Fatal(e)
	}
	var m wire.Error
	if e := wire.Decode(wire.TypeError, bodyOf(t, frame[wire.HeaderLen:]), &m); e != nil {
		t.Fatal(e)
	}
	return m.Err()
}

func TestErrors_IdentityAndTextCross(t *testing.T) {
	t.Parallel()
	for name, sentinel := range sentinels {
		if sentinel == nil {
			continue
		}
		if got := across(t, sentinel, ""); got != sentinel {
			t.Errorf("%s became %v", name, got)
		}
		wrapped := fmt.Errorf("queue %q: %w: more about it", "tasks", sentinel)
		got := across(t, wrapped, "")
		if !errors.Is(got, sentinel) || got.Error() != wrapped.Error() {
			t.Errorf("%q became %q", wrapped, got)
		}
		for other, e := range sentinels {
			if e != nil && e != sentinel && errors.Is(got, e) {
				t.Errorf("%s became %s too", name, other)
			}
		}
		var remote *reeve.RemoteError
		if got := across(t, sentinel, "goroutine 1"); !errors.Is(got, sentinel) || !errors.As(got, &remote) || remote.Stack != "goroutine 1" {
			t.Errorf("%s with a stack became %#v", name, got)
		}
	}
}

func TestErrors_DetailsCross(t *testing.T) {
	t.Parallel()
	missing := &reeve.NoSuchQueueError{Name: "taks", Known: []string{"results", "tasks"}}
	for _, err := range []error{missing, fmt.Errorf("put: %w", missing)} {
		var got *reeve.NoSuchQueueError
		if e := across(t, err, ""); !errors.As(e, &got) || !errors.Is(e, reeve.ErrNoSuchQueue) || e.Error() != err.Error() {
			t.Fatalf("%v became %v", err, e)
		}
		if got.Name != missing.Name || strings.Join(got.Known, " ") != "results tasks" {
			t.Errorf("got %+v", got)
		}
	}
	for _, kind := range []error{reeve.ErrQueueFull, reeve.ErrTooLarge, reeve.ErrLimit} {
		limit := &reeve.LimitError{Kind: kind, Limit: "queue length", Value: -1, Max: 10, Set: "QueueConfig.MaxLen"}
		for _, err := range []error{limit, fmt.Errorf("put: %w", limit)} {
			var got *reeve.LimitError
			e := across(t, err, "")
			if !errors.As(e, &got) || !errors.Is(e, kind) || !errors.Is(e, reeve.ErrLimit) || e.Error() != err.Error() {
				t.Fatalf("%v became %v", err, e)
			}
			if *got != *limit {
				t.Errorf("got %+v", got)
			}
		}
	}
}

// Who put one task learns the id of the one that is there already; an id
// without the others of a Put would be no use.
func TestErrors_DuplicatesCross(t *testing.T) {
	t.Parallel()
	one := &reeve.DuplicateError{Tasks: []int{0}, IDs: []reeve.ID{sampleID}}
	for _, err := range []error{one, fmt.Errorf("put: %w", one)} {
		var got *reeve.DuplicateError
		e := across(t, err, "")
		if !errors.As(e, &got) || !errors.Is(e, reeve.ErrDuplicate) || e.Error() != err.Error() || !reflect.DeepEqual(got, one) {
			t.Errorf("%v became %v, %+v", err, e, got)
		}
	}
	two := wire.ErrorFor(1, &reeve.DuplicateError{Tasks: []int{0, 2}, IDs: []reeve.ID{7, 8}}, "")
	if two.First != 0 || !errors.Is(two.Err(), reeve.ErrDuplicate) {
		t.Errorf("two became %+v", two)
	}
}

func TestErrors_UnknownOnesStayReadable(t *testing.T) {
	t.Parallel()
	got := across(t, errors.New("disk is on fire"), "")
	if !errors.Is(got, reeve.ErrInternal) || got.Error() != "disk is on fire" {
		t.Errorf("got %v", got)
	}
	newer := (&wire.Error{Req: 1, Code: 999, Text: "reeve: too many cooks"}).Err()
	var remote *reeve.RemoteError
	if !errors.As(newer, &remote) || remote.Code != 999 || newer.Error() != "reeve: too many cooks" {
		t.Errorf("got %#v", newer)
	}
	if again := across(t, newer, ""); again.Error() != newer.Error() || wire.Code(again) != 999 {
		t.Errorf("passed on as %#v", again)
	}
	for _, code := range []int{-1, 0, 1 << 40} {
		if err := (&wire.Error{Code: code}).Err(); err == nil {
			t.Errorf("code %d is no error", code)
		}
	}
}

func TestErrors_TextsAreBoundedAndUTF8(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 20<<10) + "\xff"
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprint("queue-", i)
	}
	got := across(t, fmt.Errorf("%s: %w", long, &reeve.NoSuchQueueError{Name: "a\xffb", Known: names}), long)
	var remote *reeve.RemoteError
	if !errors.As(got, &remote) || len(remote.Text) > reeve.MaxErrorText || len(remote.Text) < reeve.MaxErrorText-3 {
		t.Fatalf("a text of %d bytes", len(got.Error()))
	}
	if strings.Trim(remote.Text, "ä") != "" || strings.Trim(remote.Stack, "ä") != "" {
		t.Error("cut inside a character")
	}
	frame, err := wire.Append(nil, wire.Nack{Req: 1, Error: "a\xffb", Stack: long})
	if err != nil {
		t.Fatal(err)
	}
	var m wire.Nack
	if err := wire.Decode(wire.TypeNack, bodyOf(t, frame[wire.HeaderLen:]), &m); err != nil || m.Error != "a?b" {
		t.Errorf("%q, %v", m.Error, err)
	}
}

func TestErrors_LostAndGoodbyeAndEnd(t *testing.T) {
	t.Parallel()
	lost := (&wire.Lost{Code: wire.Code(reeve.ErrTimeout), Text: "attempt ran 3s"}).Err()
	if !errors.Is(lost, reeve.ErrLeaseLost) || !errors.Is(lost, reeve.ErrTimeout) || lost.Error() != "attempt ran 3s" {
		t.Errorf("got %v", lost)
	}
	cancelled := (&wire.Lost{Code: wire.Code(reeve.ErrCancelled)}).Err()
	if !errors.Is(cancelled, reeve.ErrLeaseLost) || !errors.Is(cancelled, reeve.ErrCancelled) {
		t.Errorf("got %v", cancelled)
	}
	for _, code := range []int{0, 4, 999} {
		if err := (&wire.Lost{Code: code}).Err(); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("code %d: %v", code, err)
		}
	}
	if err := (&wire.Goodbye{}).Err(); err != nil {
		t.Errorf("the normal end is %v", err)
	}
	if err := (&wire.Goodbye{Code: 12}).Err(); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := (&wire.End{Code: 3}).Err(); !errors.Is(err, reeve.ErrShutdown) {
		t.Errorf("got %v", err)
	}
}

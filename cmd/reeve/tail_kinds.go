package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// eventKinds are all kinds, in the order in which they may happen to a task.
var eventKinds = []reeve.EventKind{
	reeve.EventPut, reeve.EventReady, reeve.EventStarted, reeve.EventDone, reeve.EventFailed, reeve.EventTimedOut,
	reeve.EventLost, reeve.EventReturned, reeve.EventSnoozed, reeve.EventDead, reeve.EventRevived, reeve.EventCancelled,
	reeve.EventExpired, reeve.EventDiscarded, reeve.EventPurged, reeve.EventMoved, reeve.EventPaused, reeve.EventResumed,
	reeve.EventDeclared, reeve.EventDeleted,
}

// kindColours are the codes (of ECMA-48, "Select Graphic Rendition") in which a
// terminal shows kinds of events; the others are shown as any text.
var kindColours = map[reeve.EventKind]string{
	reeve.EventDone:      "32",   // green
	reeve.EventStarted:   "36",   // cyan
	reeve.EventFailed:    "33",   // yellow
	reeve.EventTimedOut:  "33",   //
	reeve.EventLost:      "33",   //
	reeve.EventDead:      "1;31", // bold red
	reeve.EventCancelled: "35",   // magenta
	reeve.EventExpired:   "35",   //
	reeve.EventDiscarded: "35",   //
	reeve.EventPurged:    "35",   //
	reeve.EventPaused:    "1;34", // bold blue
	reeve.EventResumed:   "1;34", //
}

func kindNames() []string {
	names := make([]string, len(eventKinds))
	for i, k := range eventKinds {
		names[i] = string(k)
	}
	return names
}

// kindList is the value of a flag of kinds, with commas between them; it can
// be given more than once.
type kindList []reeve.EventKind

func (l *kindList) String() string {
	names := make([]string, len(*l))
	for i, k := range *l {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

func (l *kindList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		k := reeve.EventKind(strings.TrimSpace(name))
		if !slices.Contains(eventKinds, k) {
			return fmt.Errorf("there is no event %q; there are: %s", name, strings.Join(kindNames(), ", "))
		}
		*l = append(*l, k)
	}
	return nil
}

func (l *kindList) Get() any { return []reeve.EventKind(*l) }

package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// queueColumns are those of the table of the queues, the name first.
var queueColumns = []topColumn[queueRow]{
	{
		title: "QUEUE", name: "queue", left: true, least: 8, most: 40,
		text:    func(r *queueRow) string { return r.Name },
		style:   func(*queueRow) topStyle { return styleStrong },
		compare: func(a, b *queueRow) int { return strings.Compare(a.Name, b.Name) },
	},
	counted("READY", "ready", 0, stylePlain, func(r *queueRow) int { return r.Ready }),
	counted("DELAYED", "delayed", 4, stylePlain, func(r *queueRow) int { return r.Delayed }),
	counted("LEASED", "leased", 1, stylePlain, func(r *queueRow) int { return r.Leased }),
	counted("DEAD", "dead", 1, styleBad, func(r *queueRow) int { return r.Dead }),
	counted("BLOCKED", "blocked", 6, stylePlain, func(r *queueRow) int { return r.Blocked }),
	perSecond("PUT/S", "put", 3, stylePlain, func(r *queueRow) float64 { return r.put }),
	perSecond("DONE/S", "done", 2, styleGood, func(r *queueRow) float64 { return r.done }),
	perSecond("FAIL/S", "failed", 3, styleWarning, func(r *queueRow) float64 { return r.failed }),
	{
		title: "OLDEST", name: "oldest", least: 6, given: 5, falling: true,
		text:    func(r *queueRow) string { return spanOr(r.OldestReady, r.OldestReady > 0) },
		compare: func(a, b *queueRow) int { return cmp.Compare(a.OldestReady, b.OldestReady) },
	},
	counted("TAKERS", "takers", 7, stylePlain, func(r *queueRow) int { return r.Consumers }),
	{
		title: "STATE", name: "state", left: true, least: 8, most: 60, given: 2, falling: true,
		text:    queueState,
		style:   func(*queueRow) topStyle { return styleWarning },
		compare: func(a, b *queueRow) int { return strings.Compare(queueState(a), queueState(b)) },
	},
}

// sortNames are the words of -sort.
func sortNames() []string {
	var names []string
	for _, c := range queueColumns {
		names = append(names, c.name)
	}
	return names
}

// counted is a column of a number of tasks, in a style where it is not 0.
func counted(title, name string, given int, style topStyle, n func(*queueRow) int) topColumn[queueRow] {
	return topColumn[queueRow]{
		title: title, name: name, least: 6, given: given, falling: true,
		text:    func(r *queueRow) string { return short(float64(n(r))) },
		style:   func(r *queueRow) topStyle { return faintUnless(n(r) > 0, style) },
		compare: func(a, b *queueRow) int { return cmp.Compare(n(a), n(b)) },
	}
}

// perSecond is a column of a rate.
func perSecond(title, name string, given int, style topStyle, n func(*queueRow) float64) topColumn[queueRow] {
	return topColumn[queueRow]{
		title: title, name: name, least: 6, given: given, falling: true,
		text:    func(r *queueRow) string { return rateText(n(r)) },
		style:   func(r *queueRow) topStyle { return faintUnless(n(r) > 0, style) },
		compare: func(a, b *queueRow) int { return cmp.Compare(n(a), n(b)) },
	}
}

// faintUnless has numbers that are zero stand back.
func faintUnless(some bool, style topStyle) topStyle {
	if some {
		return style
	}
	return styleFaint
}

// queueState is why tasks do not move as one might expect.
func queueState(r *queueRow) string {
	var b []string
	if r.Shutdown {
		b = append(b, "shut down")
	}
	if r.Paused {
		text := "paused"
		if r.PauseReason != "" {
			text += ": " + r.PauseReason
		}
		b = append(b, text)
	}
	if r.Closed {
		b = append(b, "closed") // outside of its windows
	}
	if r.WaitingPuts > 0 {
		b = append(b, fmt.Sprintf("%d puts wait", r.WaitingPuts))
	} else if r.MaxLen > 0 && r.Ready+r.Delayed >= r.MaxLen {
		b = append(b, "full")
	}
	return strings.Join(b, ", ")
}

// workerColumns are those of the table of the workers.
var workerColumns = []topColumn[reeve.WorkerInfo]{
	{
		title: "ID", least: 5,
		text:    func(w *reeve.WorkerInfo) string { return strconv.FormatUint(w.ID, 10) },
		compare: func(a, b *reeve.WorkerInfo) int { return cmp.Compare(a.ID, b.ID) },
	},
	{
		title: "NAME", left: true, least: 8, most: 30,
		text:    func(w *reeve.WorkerInfo) string { return orDash(w.Name) },
		style:   func(*reeve.WorkerInfo) topStyle { return styleStrong },
		compare: func(a, b *reeve.WorkerInfo) int { return strings.Compare(a.Name, b.Name) },
	},
	{
		title: "HOST:PID", left: true, least: 12, most: 40, given: 3,
		text:    place,
		compare: func(a, b *reeve.WorkerInfo) int { return strings.Compare(place(a), place(b)) },
	},
	{
		title: "SLOTS", least: 6, given: 1, falling: true,
		text: func(w *reeve.WorkerInfo) string { s := supplyOf(w); return s.slots() },
		style: func(w *reeve.WorkerInfo) topStyle {
			s := supplyOf(w)
			return faintUnless(s.used > 0, styleGood)
		},
		compare: func(a, b *reeve.WorkerInfo) int { return cmp.Compare(supplyOf(a).used, supplyOf(b).used) },
	},
	{
		title: "LEASED", least: 6, given: 5, falling: true,
		text:    func(w *reeve.WorkerInfo) string { return short(float64(w.Leased)) },
		compare: func(a, b *reeve.WorkerInfo) int { return cmp.Compare(a.Leased, b.Leased) },
	},
	{
		title: "OLDEST", least: 6, given: 2, falling: true,
		text:    func(w *reeve.WorkerInfo) string { return spanOr(oldest(w), len(w.Running) > 0) },
		compare: func(a, b *reeve.WorkerInfo) int { return cmp.Compare(oldest(a), oldest(b)) },
	},
	{
		title: "HEARD", least: 6, given: 4, falling: true,
		text:    func(w *reeve.WorkerInfo) string { return span(w.Heard) },
		compare: func(a, b *reeve.WorkerInfo) int { return cmp.Compare(a.Heard, b.Heard) },
	},
	{
		title: "QUEUES", left: true, least: 8, most: 40, given: 6,
		text:    func(w *reeve.WorkerInfo) string { return supplyOf(w).queues },
		compare: func(a, b *reeve.WorkerInfo) int { return strings.Compare(supplyOf(a).queues, supplyOf(b).queues) },
	},
	{
		title: "VERSION", left: true, least: 8, most: 30, given: 7,
		text:    func(w *reeve.WorkerInfo) string { return orDash(w.Impl) },
		compare: func(a, b *reeve.WorkerInfo) int { return strings.Compare(a.Impl, b.Impl) },
	},
}

// workerByDefault is the column by which workers are sorted at first: their
// names.
const workerByDefault = 1

func oldest(w *reeve.WorkerInfo) time.Duration {
	if len(w.Running) == 0 {
		return -1
	}
	return w.Running[0].Age
}

func spanOr(d time.Duration, known bool) string {
	if !known {
		return "-"
	}
	return span(d)
}

// short is a number in at most five characters and its unit.
func short(n float64) string {
	switch {
	case n < 99_999.5:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case n < 999_500:
		return strconv.FormatFloat(n/1e3, 'f', 0, 64) + "k"
	case n < 999_500_000:
		return strconv.FormatFloat(n/1e6, 'f', 1, 64) + "M"
	}
	return strconv.FormatFloat(n/1e9, 'f', 1, 64) + "G"
}

// rateText is how often in a second.
func rateText(r float64) string {
	switch {
	case r < 0:
		return "-"
	case r > 0 && r < 9.95:
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return short(r)
}

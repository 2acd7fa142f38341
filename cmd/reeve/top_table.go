package main

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// topStyle is how a piece of a line looks.
type topStyle int

const (
	stylePlain topStyle = iota
	styleStrong
	styleFaint
	styleHeading
	styleSorted
	styleGood
	styleWarning
	styleBad
)

// topPiece is a piece of a line. Its width is in cells of a terminal.
type topPiece struct {
	text  string
	width int
	style topStyle
}

// topLine is a line of the screen, from the left.
type topLine []topPiece

// piece is text in exactly width cells: cut short, or filled up with blanks.
func piece(text string, width int, right bool, style topStyle) topPiece {
	if width <= 0 {
		return topPiece{style: style}
	}
	text = printable(text)
	if displaywidth.String(text) > width {
		text = displaywidth.TruncateString(text, width, "…")
	}
	blanks := strings.Repeat(" ", max(width-displaywidth.String(text), 0))
	if right {
		text = blanks + text
	} else {
		text += blanks
	}
	return topPiece{text, width, style}
}

// topColumn is a column of a table of rows of type R.
type topColumn[R any] struct {
	title   string
	name    string // in -sort
	text    func(*R) string
	style   func(*R) topStyle // nil: plain
	compare func(a, b *R) int
	falling bool // sorted by it, the largest is first
	left    bool // it is text
	least   int  // cells
	most    int  // cells that it gets if there is room; 0: what its texts take
	given   int  // columns with the highest number are given up first; 0: none
}

// topTable is rows in an order, of which some are shown.
type topTable[R any] struct {
	columns []topColumn[R]
	rows    []R
	sorted  int  // the column
	turned  bool // around
	first   int  // row that is shown
}

func (t *topTable[R]) set(rows []R) {
	t.rows = slices.Clone(rows)
	t.order()
}

// order sorts the rows; what is equal is in the order of the first column.
func (t *topTable[R]) order() {
	c := &t.columns[t.sorted]
	slices.SortStableFunc(t.rows, func(a, b R) int {
		n := c.compare(&a, &b)
		if c.falling != t.turned {
			n = -n
		}
		if n == 0 {
			n = t.columns[0].compare(&a, &b)
		}
		return n
	})
}

func (t *topTable[R]) sortBy(name string, turned bool) {
	t.sorted = slices.IndexFunc(t.columns, func(c topColumn[R]) bool { return c.name == name })
	t.sorted, t.turned = max(t.sorted, 0), turned
	t.order()
}

func (t *topTable[R]) sortNext(step int) {
	t.sorted = (t.sorted + step + len(t.columns)) % len(t.columns)
	t.turned = false
	t.order()
}

func (t *topTable[R]) turn() {
	t.turned = !t.turned
	t.order()
}

func (t *topTable[R]) scroll(rows int) { t.first = min(max(t.first+rows, 0), len(t.rows)) }

// render is the heading and up to height rows, width cells wide.
func (t *topTable[R]) render(width, height int) []topLine {
	t.first = max(min(t.first, len(t.rows)-height), 0)
	shown := t.rows[t.first:min(t.first+height, len(t.rows))]
	widths := t.fit(width, shown)
	var lines []topLine
	var heading topLine
	for i, c := range t.columns {
		if widths[i] == 0 {
			continue
		}
		style := styleHeading
		if i == t.sorted {
			style = styleSorted
		}
		heading = append(heading, piece(t.heading(i), widths[i], !c.left, style), piece("", columnGap, false, styleHeading))
	}
	lines = append(lines, heading)
	for r := range shown {
		var line topLine
		for i, c := range t.columns {
			if widths[i] == 0 {
				continue
			}
			style := stylePlain
			if c.style != nil {
				style = c.style(&shown[r])
			}
			line = append(line, piece(c.text(&shown[r]), widths[i], !c.left, style), piece("", columnGap, false, stylePlain))
		}
		lines = append(lines, line)
	}
	return lines
}

// heading is the title of a column, with an arrow if the rows are sorted by it.
func (t *topTable[R]) heading(i int) string {
	c := &t.columns[i]
	switch {
	case i != t.sorted:
		return c.title
	case c.falling != t.turned:
		return c.title + "↓"
	}
	return c.title + "↑"
}

// columnGap is the cells after a column.
const columnGap = 2

// fit says how wide each column is; 0: there is no room for it.
func (t *topTable[R]) fit(width int, rows []R) []int {
	widths, wanted := make([]int, len(t.columns)), make([]int, len(t.columns))
	sum := 0
	for i, c := range t.columns {
		widths[i] = max(c.least, displaywidth.String(c.title)+1) // and the arrow
		for r := range rows {
			wanted[i] = max(wanted[i], displaywidth.String(printable(c.text(&rows[r]))))
		}
		if c.most == 0 {
			widths[i] = max(widths[i], wanted[i])
		}
		wanted[i] = min(wanted[i], c.most)
		sum += widths[i] + columnGap
	}
	for sum > width {
		out := t.leastNeeded(widths)
		if out < 0 {
			break
		}
		sum -= widths[out] + columnGap
		widths[out] = 0
	}
	for i := range widths {
		if more := min(wanted[i]-widths[i], width-sum); widths[i] > 0 && more > 0 {
			widths[i] += more
			sum += more
		}
	}
	return widths
}

// leastNeeded is the column to give up next; -1: none.
func (t *topTable[R]) leastNeeded(widths []int) int {
	out := -1
	for i, c := range t.columns {
		if widths[i] > 0 && c.given > 0 && (out < 0 || c.given > t.columns[out].given) {
			out = i
		}
	}
	return out
}

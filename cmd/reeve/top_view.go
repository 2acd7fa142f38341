package main

import (
	"fmt"
	"time"

	"github.com/clipperhouse/displaywidth"
)

// The smallest window that something can be seen in, and the smallest for both
// tables.
const (
	leastWidth  = 24
	leastHeight = 7
	bothHeight  = 12
)

// render is the screen of width and height cells, from the top; lines that are
// missing are empty.
func (m *topModel) render(width, height int, now time.Time) []topLine {
	if width < leastWidth || height < leastHeight {
		return clip([]topLine{{text("the window is too small", stylePlain)}}, width, height)
	}
	lines := []topLine{m.head(now), m.sums(), m.complaint(now)}
	room := height - len(lines) - 1 // the last line is the footer
	if height < bothHeight {
		m.page = room - captionAndHeading
		if m.second {
			lines = append(lines, m.workersPart(width, m.page)...)
		} else {
			lines = append(lines, m.queuesPart(width, m.page)...)
		}
	} else {
		forQueues, forWorkers := share(room-2*captionAndHeading-1, len(m.queues.rows), len(m.workers.rows))
		m.page = forQueues
		if m.second {
			m.page = forWorkers
		}
		lines = append(lines, m.queuesPart(width, forQueues)...)
		lines = append(lines, nil)
		lines = append(lines, m.workersPart(width, forWorkers)...)
	}
	for len(lines) < height-1 {
		lines = append(lines, nil)
	}
	lines = append(lines, topLine{text("q end  ←→ sort  r reverse  Tab other table  ↑↓ move", styleFaint)})
	return clip(lines, width, height)
}

// captionAndHeading are the lines above the rows of a table.
const captionAndHeading = 2

// share divides rows of the screen among the tables: a third for the workers,
// and what the others do not need.
func share(room, queues, workers int) (forQueues, forWorkers int) {
	forWorkers = min(workers, max(room/3, room-queues))
	return min(queues, room-forWorkers), forWorkers
}

func (m *topModel) head(now time.Time) topLine {
	used, total := 0, 0
	for i := range m.workers.rows {
		s := supplyOf(&m.workers.rows[i])
		used, total = used+s.used, total+s.total
	}
	return topLine{
		text("reeve top  "+m.master, styleStrong),
		text(fmt.Sprintf("  %s  every %v  %s, %s, %d of %d slots in use", now.Format("15:04:05"), m.interval,
			plural(len(m.queues.rows), "queue"), plural(len(m.workers.rows), "worker"), used, total), stylePlain),
	}
}

func (m *topModel) sums() topLine {
	t := &m.total
	line := topLine{text(fmt.Sprintf("%s ready, %s delayed, %s leased, ", short(float64(t.Ready)), short(float64(t.Delayed)), short(float64(t.Leased))), stylePlain)}
	line = append(line, text(short(float64(t.Dead))+" dead", faintUnless(t.Dead > 0, styleBad)))
	return append(line, text(fmt.Sprintf("; put %s/s, done %s/s, failed %s/s", rateText(t.put), rateText(t.done), rateText(t.failed)), stylePlain))
}

// complaint says what is wrong with the numbers, if anything is.
func (m *topModel) complaint(now time.Time) topLine {
	silence := m.silence(now)
	switch {
	case silence == 0 && m.workersErr != nil:
		return topLine{text("nothing is known of the workers: "+m.workersErr.Error(), styleWarning)}
	case silence == 0:
		return nil
	case m.err != nil:
		return topLine{text(fmt.Sprintf("no answer for %s: %v", span(silence), m.err), styleBad)}
	}
	return topLine{text(fmt.Sprintf("no answer for %s", span(silence)), styleBad)}
}

func (m *topModel) queuesPart(width, rows int) []topLine {
	body := m.queues.render(width, rows)
	return append([]topLine{caption("queue", m.queues.first, len(body)-1, len(m.queues.rows), !m.second)}, body...)
}

func (m *topModel) workersPart(width, rows int) []topLine {
	body := m.workers.render(width, rows)
	return append([]topLine{caption("worker", m.workers.first, len(body)-1, len(m.workers.rows), m.second)}, body...)
}

// caption says which rows of a table are shown, and whether keys are for it.
func caption(what string, first, shown, of int, focus bool) topLine {
	s, style := plural(of, what), styleFaint
	if shown < of {
		s = fmt.Sprintf("%ss %d to %d of %d", what, first+1, first+shown, of)
	}
	if focus {
		s, style = "> "+s, styleStrong
	}
	return topLine{text(s, style)}
}

// text is a piece of a line as wide as it is.
func text(s string, style topStyle) topPiece {
	s = printable(s)
	return topPiece{s, displaywidth.String(s), style}
}

// clip keeps lines to the screen.
func clip(lines []topLine, width, height int) []topLine {
	lines = lines[:min(len(lines), max(height, 0))]
	for i, line := range lines {
		left := max(width, 0)
		for j, p := range line {
			if p.width > left {
				lines[i] = append(line[:j:j], piece(p.text, left, false, p.style))
				break
			}
			left -= p.width
		}
	}
	return lines
}

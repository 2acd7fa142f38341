package report

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/reeveq/reeve/bench/internal/system"
)

// panel is one main figure of a workload: a bar a system, the best on top.
type panel struct {
	title string
	metric
	bars []bar

	left, top vg.Length // where it is, from the picture's upper left corner
}

type bar struct {
	system         string
	group          system.Group
	mid, low, high float64
}

// logSpread is how far apart figures are that a linear scale cannot show.
const logSpread = 15

// leastLog is what a logarithmic axis has no decade below for.
const leastLog = 1e-300

// panelsOf are those of run, in the order of its workloads. Figures that are
// not finite are left out.
func panelsOf(run *Run) []*panel {
	var panels []*panel
	for _, w := range run.workloads() {
		for _, m := range w.metrics {
			if !m.main {
				continue
			}
			p := &panel{title: w.name, metric: m}
			for _, name := range w.systems {
				if v := w.values(name, m); len(v) > 0 && !slices.ContainsFunc(v, notFinite) {
					low, high := bounds(v)
					p.bars = append(p.bars, bar{name, w.group(name), median(v), low, high})
				}
			}
			slices.SortStableFunc(p.bars, func(a, b bar) int {
				if m.lower {
					return cmp.Compare(a.mid, b.mid)
				}
				return cmp.Compare(b.mid, a.mid)
			})
			if len(p.bars) > 0 {
				panels = append(panels, p)
			}
		}
	}
	return panels
}

func (p *panel) height() vg.Length {
	return panelHead + vg.Length(len(p.bars))*barPitch + panelFoot
}

// bounds are the ends of the panel's axis, and whether it is logarithmic.
func (p *panel) bounds() (low, high float64, log bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, b := range p.bars {
		low, high = min(low, b.low), max(high, b.high)
	}
	if low > leastLog && high/low > logSpread {
		// The worst bar still has a length that can be seen.
		return max(low/10, math.Pow(10, math.Floor(math.Log10(low/1.6)))), high, true
	}
	low, high = min(0, low), max(0, high)
	if low == high {
		high = 1
	}
	return low, high, false
}

// draw draws the panel in c; the names of the systems have the width names.
func (p *panel) draw(c draw.Canvas, names vg.Length) {
	low, high, log := p.bounds()
	about := p.metric.name
	if p.unit == "/s" {
		about = p.heading()
	}
	if p.lower {
		about += " (less is better)"
	} else {
		about += " (more is better)"
	}
	if log {
		about += ", logarithmic"
	}
	c.FillText(letters(11.5, inkColor, true), vg.Point{X: c.Min.X, Y: c.Max.Y - 11}, p.title)
	c.FillText(letters(9, quietColor, false), vg.Point{X: c.Min.X, Y: c.Max.Y - 24}, about)

	pl := plot.New()
	pl.BackgroundColor = nil
	pl.X.Min, pl.X.Max = low, high
	pl.Y.Min, pl.Y.Max = -0.5, float64(len(p.bars))-0.5
	pl.X.Tick.Marker = ticks{unit: p.unit, log: log}
	if log {
		pl.X.Scale = plot.LogScale{}
	}
	pl.X.Tick.Label = letters(8, quietColor, false)
	pl.X.Tick.Label.XAlign, pl.X.Tick.Label.YAlign = text.XCenter, text.YTop
	pl.X.Tick.Length = 0
	pl.X.LineStyle.Width = 0
	pl.X.Padding = 2
	pl.HideY()
	// Bars begin at zero, or where a logarithmic axis does, which has none.
	pl.Add(&bars{panel: p, names: names, base: max(low, 0)})
	pl.Draw(draw.Crop(c, 0, 0, 0, -panelHead))
}

// bars draws a panel's bars. It is a plot.Plotter, and a plot.GlyphBoxer that
// keeps room for the names on the left and for the figures on the right.
type bars struct {
	*panel
	names vg.Length
	base  float64 // where the bars begin
}

// whisker is dark in a light rim, to be seen on bars of any colour.
var whisker = []draw.LineStyle{{Color: paperColor, Width: 2.4}, {Color: inkColor, Width: 0.9}}

const nameGap, figureGap = vg.Length(6), vg.Length(5)

func (b *bars) Plot(c draw.Canvas, pl *plot.Plot) {
	toX, toY := pl.Transforms(&c)
	for _, t := range pl.X.Tick.Marker.Ticks(pl.X.Min, pl.X.Max) {
		if !t.IsMinor() {
			c.StrokeLine2(draw.LineStyle{Color: gridColor, Width: 0.7}, toX(t.Value), c.Min.Y, toX(t.Value), c.Max.Y)
		}
	}
	for i, one := range b.bars {
		y := toY(float64(len(b.bars) - 1 - i))
		from, to := toX(b.base), toX(one.mid)
		half := barPitch * 0.34
		c.FillPolygon(groupColor(one.group), box(min(from, to), y-half, max(from, to)-min(from, to), 2*half))
		if one.low < one.high {
			l, h := toX(one.low), toX(one.high)
			for _, line := range whisker {
				c.StrokeLine2(line, l, y, h, y)
				c.StrokeLine2(line, l, y-2, l, y+2)
				c.StrokeLine2(line, h, y-2, h, y+2)
			}
		}
		name := one.nameStyle()
		name.XAlign, name.YAlign = text.XRight, text.YCenter
		c.FillText(name, vg.Point{X: c.Min.X - nameGap, Y: y}, one.system)
		figure := one.nameStyle()
		figure.YAlign = text.YCenter
		at, label := toX(one.high)+figureGap, number(one.mid, b.unit)
		c.FillPolygon(paperColor, box(at-2, y-half, figure.Width(label)+4, 2*half)) // no line of the grid crosses it
		c.FillText(figure, vg.Point{X: at, Y: y}, label)
	}
}

func (b *bars) GlyphBoxes(pl *plot.Plot) []plot.GlyphBox {
	boxes := []plot.GlyphBox{{X: 0, Y: 0.5, Rectangle: vg.Rectangle{Min: vg.Point{X: -b.names - nameGap}}}}
	for _, one := range b.bars {
		width := one.nameStyle().Width(number(one.mid, b.unit))
		boxes = append(boxes, plot.GlyphBox{X: pl.X.Norm(one.high), Y: 0.5,
			Rectangle: vg.Rectangle{Max: vg.Point{X: figureGap + width}}})
	}
	return boxes
}

// nameStyle is that of the system's name and figure.
func (b bar) nameStyle() text.Style {
	if b.group == system.Limit {
		return letters(9, quietColor, false)
	}
	return letters(9, inkColor, b.group == system.Reeve)
}

func groupColor(g system.Group) color.Color {
	if c, ok := groupColors[g]; ok {
		return c
	}
	return groupColors[system.Peer]
}

// widestName is the room that the names of all panels need, so that their bars
// begin below each other.
func widestName(panels []*panel) (w vg.Length) {
	for _, p := range panels {
		for _, b := range p.bars {
			w = max(w, b.nameStyle().Width(b.system))
		}
	}
	return w
}

package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/image/font"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/reeveq/reeve/bench/internal/system"
)

// The picture's measures, in points.
const (
	chartWidth  = vg.Length(920)
	margin      = vg.Length(18)
	columnGap   = vg.Length(28)
	panelGap    = vg.Length(22)
	panelHead   = vg.Length(34) // the two lines above the bars
	panelFoot   = vg.Length(20) // the axis below them
	barPitch    = vg.Length(17) // from one bar to the next
	chartHead   = vg.Length(76)
	chartColumn = 2
	pngDPI      = 144
)

var (
	inkColor   = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	quietColor = color.RGBA{0x66, 0x6d, 0x75, 0xff}
	gridColor  = color.RGBA{0xe3, 0xe6, 0xe9, 0xff}
	paperColor = color.RGBA{0xff, 0xff, 0xff, 0xff} // opaque: it is read on dark pages as well

	groupColors = map[system.Group]color.Color{
		system.Reeve: color.RGBA{0x0b, 0x63, 0xb8, 0xff},
		system.Peer:  color.RGBA{0xf0, 0xb4, 0x6a, 0xff},
		system.Limit: color.RGBA{0xc3, 0xc9, 0xcf, 0xff},
	}
)

// Chart draws the main figures of run in the file path, a panel a workload, as
// SVG or PNG by the file's ending. The file is whole or is not written.
func Chart(path string, run *Run) error {
	kind := strings.ToLower(filepath.Ext(path))
	if kind != ".svg" && kind != ".png" {
		return fmt.Errorf("report: chart %s: want a file that ends in .svg or .png", path)
	}
	panels := panelsOf(run)
	if len(panels) == 0 {
		return fmt.Errorf("report: chart %s: nothing was measured", path)
	}
	columns, height := layOut(panels)
	width := chartWidth
	if columns == 1 {
		width = margin*2 + max(columnWidth(), small.Width(barsSaid), small.Width(where(run)))
	}
	var b bytes.Buffer
	var err error
	if kind == ".png" {
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI), vgimg.UseBackgroundColor(paperColor))
		drawAll(draw.New(c), run, panels)
		_, err = vgimg.PngCanvas{Canvas: c}.WriteTo(&b)
	} else {
		c := vgsvg.New(width, height)
		drawAll(draw.New(c), run, panels)
		_, err = c.WriteTo(withFallbackFonts{&b})
	}
	if err != nil {
		return fmt.Errorf("report: chart %s: %w", path, err)
	}
	return replaceFile(path, b.Bytes())
}

// withFallbackFonts names fonts of the same widths for readers without the one
// that the picture is laid out with.
type withFallbackFonts struct{ w io.Writer }

func (f withFallbackFonts) Write(p []byte) (int, error) {
	out := bytes.ReplaceAll(p, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	if _, err := f.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer os.Remove(tmp.Name()) // fails when it has been renamed
	_, err = tmp.Write(content)
	for _, step := range []func() error{
		func() error { return tmp.Chmod(0o644) }, tmp.Close,
		func() error { return os.Rename(tmp.Name(), path) },
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		tmp.Close()
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func columnWidth() vg.Length {
	return (chartWidth - 2*margin - (chartColumn-1)*columnGap) / chartColumn
}

// layOut places the panels, each below the shortest column, and returns how
// many columns are used and the picture's height.
func layOut(panels []*panel) (columns int, height vg.Length) {
	var bottom [chartColumn]vg.Length
	for _, p := range panels {
		at := 0
		for i := range bottom {
			if bottom[i] < bottom[at] {
				at = i
			}
		}
		columns = max(columns, at+1)
		p.left, p.top = margin+vg.Length(at)*(columnWidth()+columnGap), chartHead+bottom[at]
		bottom[at] += p.height() + panelGap
		height = max(height, bottom[at])
	}
	return columns, chartHead + height - panelGap + margin
}

// drawAll draws the picture: the head with the key to the colours, and the panels.
func drawAll(c draw.Canvas, run *Run, panels []*panel) {
	c.FillPolygon(paperColor, corners(c.Rectangle))
	y := c.Max.Y - margin
	x := margin
	for _, key := range []struct {
		group system.Group
		label string
	}{{system.Reeve, "this project"}, {system.Peer, "others"}, {system.Limit, "limits of the machine (bare servers)"}} {
		c.FillPolygon(groupColors[key.group], box(x, y-9, 9, 9))
		style := letters(10.5, inkColor, key.group == system.Reeve)
		c.FillText(style, vg.Point{X: x + 14, Y: y - 8}, key.label)
		x += 14 + style.Width(key.label) + 22
	}
	c.FillText(small, vg.Point{X: margin, Y: y - 25}, barsSaid)
	c.FillText(small, vg.Point{X: margin, Y: y - 37}, where(run))
	names := widestName(panels)
	for _, p := range panels {
		p.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: p.left, Y: c.Max.Y - p.top - p.height()},
			Max: vg.Point{X: p.left + columnWidth(), Y: c.Max.Y - p.top},
		}}, names)
	}
}

const barsSaid = "Bars are medians, the thin lines reach from the least to the most of the repetitions; the best is on top."

// small is the style of what stands in the head below the key.
var small = letters(8.5, quietColor, false)

// where says on what machine and when run was.
func where(run *Run) string {
	s := run.Machine.String()
	if !run.Time.IsZero() {
		s += ", " + run.Time.UTC().Format(time.DateOnly)
	}
	return s
}

// letters is the style of a text that begins at the point where it is drawn.
func letters(size float64, c color.Color, bold bool) text.Style {
	f := plotfont.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	if bold {
		f.Weight = font.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: text.Plain{Fonts: plotfont.DefaultCache}}
}

func box(x, y, w, h vg.Length) []vg.Point {
	return corners(vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + w, Y: y + h}})
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

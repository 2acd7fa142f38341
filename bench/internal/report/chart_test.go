package report_test

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/reeveq/reeve/bench/internal/report"
)

func TestChart_PNGIsOpaque(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.PNG")
	if err := report.Chart(path, run()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	box := img.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if _, _, _, a := img.At(x, y).RGBA(); a != 0xffff {
				t.Fatalf("pixel %d,%d lets the page through: %d", x, y, a)
			}
		}
	}
}

func TestChart_RefusesWhatItCannotDrawAndWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none := &report.Run{Measures: []report.Measure{{Workload: "rtt", System: "reeve", Metric: "p50"}, {Workload: "rtt", System: "nsq", Metric: "p50", Values: []float64{math.NaN()}}}}
	for name, r := range map[string]*report.Run{"run.gif": run(), "run": run(), "empty.svg": {}, "none.svg": none, "no/such/folder.svg": run()} {
		if err := report.Chart(filepath.Join(dir, name), r); err == nil {
			t.Errorf("%s was drawn", name)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func FuzzReadJSON(f *testing.F) {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, run()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"measures":[{"system":"reeve","values":[1e308,-1e308]},{"system":"a","group":"peer","values":[5e-324,1]},{"workload":"b","values":[]}]}`))
	f.Add([]byte(`{"measures":[{"system":"reeve","unit":"B","values":[1e-300,1e300,0.1]},{"workload":"z","values":[0]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := report.Table(&bytes.Buffer{}, r); err != nil {
			t.Fatal(err)
		}
		_ = report.Chart(filepath.Join(t.TempDir(), "run.svg"), r) // it may have nothing to draw
	})
}

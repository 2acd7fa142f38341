package cmdline_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/cmdline"
)

func TestParseSize_ReadsUnits(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"0": 0, "65536": 65536, "12B": 12, "64KiB": 64 << 10, "64 KiB": 64 << 10, "1.5GiB": 3 << 29,
		"16M": 16 << 20, "2MB": 2_000_000, "3kB": 3000, "1T": 1 << 40,
	} {
		if got, err := cmdline.ParseSize(s); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
}

func TestParseSize_RefusesTheRest(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "-1", "1e9", "0x10", "NaN", "Inf", "1.2.3", "9999999TiB", "KiB", "5 5", "1Mi", "1_000"} {
		if n, err := cmdline.ParseSize(s); err == nil {
			t.Errorf("%q was read as %d", s, n)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("64KiB")
	f.Add("1.5 GiB")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := cmdline.ParseSize(s)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("%q is %d", s, n)
		}
		if back, err := cmdline.ParseSize(cmdline.FormatSize(n)); err != nil || back != n {
			t.Fatalf("%q: %d was written as %q, read as %d, %v", s, n, cmdline.FormatSize(n), back, err)
		}
	})
}

func TestFormatDuration_LeavesOutWhatIsZero(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		time.Hour + time.Second: "1h0m1s", 20 * time.Second: "20s", 1500 * time.Millisecond: "1.5s", 100 * time.Hour: "100h",
	} {
		got := cmdline.FormatDuration(d)
		if back, err := cmdline.ParseDuration(got); got != want || err != nil || back != d {
			t.Errorf("%v was written as %q and read as %v, %v", d, got, back, err)
		}
	}
}

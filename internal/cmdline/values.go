package cmdline

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// ParseSize reads a number of bytes: a number, which may have a fraction, and
// a unit: none or B, KiB, MiB, GiB, TiB (powers of 1024; K, M, G, T for short)
// or kB, MB, GB, TB (powers of 1000).
func ParseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKMGTiB ")
	unit, ok := sizeUnits[strings.TrimSpace(s[len(digits):])]
	n, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || strings.Trim(digits, "0123456789.") != "" || n*unit >= math.MaxInt64 {
		return 0, fmt.Errorf("want a number of bytes, as 65536, 64KiB or 1.5GiB")
	}
	return int64(n * unit), nil
}

var sizeUnits = map[string]float64{
	"": 1, "B": 1,
	"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

// FormatSize writes a number of bytes in the largest binary unit that leaves
// it whole; [ParseSize] reads it back.
func FormatSize(n int64) string {
	for _, u := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := int64(sizeUnits[u]); n >= size && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + u
		}
	}
	return strconv.FormatInt(n, 10)
}

// ParseDuration reads a time that is not negative: "30s", "1h30m", "250ms".
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want a time with its unit, as 250ms, 30s or 1h30m")
	}
	return d, nil
}

// FormatDuration writes d without the units at its end that are zero: "10m",
// "1h30m"; [ParseDuration] reads it back.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

type intValue struct {
	dest        *int
	least, most int
}

func (v *intValue) String() string {
	if v.dest == nil {
		return ""
	}
	return strconv.Itoa(*v.dest)
}

func (v *intValue) Get() any { return *v.dest }

func (v *intValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < v.least || n > v.most {
		return fmt.Errorf("want a whole number from %d to %d", v.least, v.most)
	}
	*v.dest = n
	return nil
}

type sizeValue struct {
	dest  *int64
	least int64
}

func (v *sizeValue) String() string {
	if v.dest == nil {
		return ""
	}
	return FormatSize(*v.dest)
}

func (v *sizeValue) Get() any { return *v.dest }

func (v *sizeValue) Set(s string) error {
	n, err := ParseSize(s)
	if err != nil {
		return err
	}
	if n < v.least {
		return fmt.Errorf("want at least %s", FormatSize(v.least))
	}
	*v.dest = n
	return nil
}

type durationValue struct {
	dest  *time.Duration
	least time.Duration
}

func (v *durationValue) String() string {
	if v.dest == nil {
		return ""
	}
	return v.dest.String()
}

func (v *durationValue) Get() any { return *v.dest }

func (v *durationValue) Set(s string) error {
	d, err := ParseDuration(s)
	if err != nil {
		return err
	}
	switch {
	case d >= v.least:
		*v.dest = d
		return nil
	case v.least == 1:
		return errors.New("want more than 0")
	}
	return fmt.Errorf("want at least %v", v.least)
}

type listValue struct {
	dest  *[]string
	check func([]string) error
}

func (v *listValue) String() string {
	if v.dest == nil {
		return ""
	}
	return strings.Join(*v.dest, ",")
}

func (v *listValue) Get() any { return *v.dest }

func (v *listValue) Set(s string) error {
	list := append(*v.dest, s)
	if err := v.check(list); err != nil {
		return err
	}
	*v.dest = list
	return nil
}

type choiceValue struct {
	dest  *string
	words []string
}

func (v *choiceValue) String() string {
	if v.dest == nil {
		return ""
	}
	return *v.dest
}

func (v *choiceValue) Get() any { return *v.dest }

func (v *choiceValue) Set(s string) error {
	if !slices.Contains(v.words, s) {
		return fmt.Errorf("want %s", strings.Join(v.words, " or "))
	}
	*v.dest = s
	return nil
}

type durabilityValue struct{ dest *reeve.Durability }

func (v *durabilityValue) String() string {
	if v.dest == nil {
		return ""
	}
	return v.dest.String()
}

func (v *durabilityValue) Get() any { return *v.dest }

func (v *durabilityValue) Set(s string) error {
	d, err := reeve.ParseDurability(s)
	if err == nil {
		*v.dest = d
	}
	return Plain(err)
}

var (
	_ flag.Getter = (*choiceValue)(nil)
	_ flag.Getter = (*durabilityValue)(nil)
	_ flag.Getter = (*intValue)(nil)
	_ flag.Getter = (*listValue)(nil)
	_ flag.Getter = (*sizeValue)(nil)
	_ flag.Getter = (*durationValue)(nil)
)

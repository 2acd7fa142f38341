package cmdline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// The kinds of options that are one field each.

func number(name, example, about string, least, most int, field func(*reeve.QueueConfig) *int) queueOption {
	return queueOption{
		name: name, example: example, about: about,
		set: func(c *reeve.QueueConfig, _, s string) error { return (&intValue{field(c), least, most}).Set(s) },
		show: func(c *reeve.QueueConfig) []string {
			return unlessZero(*field(c), strconv.Itoa)
		},
	}
}

func duration(name, example, about string, least, most time.Duration, field func(*reeve.QueueConfig) *time.Duration) queueOption {
	return queueOption{
		name: name, example: example, about: about,
		set: func(c *reeve.QueueConfig, _, s string) error {
			d, err := ParseDuration(s)
			if err == nil && (d < least || d > most) {
				err = fmt.Errorf("want %s to %s", FormatDuration(least), FormatDuration(most))
			}
			if err == nil {
				*field(c) = d
			}
			return err
		},
		show: func(c *reeve.QueueConfig) []string { return unlessZero(*field(c), FormatDuration) },
	}
}

// size is an option of a number of bytes; limitless, if not empty, is the word
// for no limit.
func size(name, example, about, limitless string, field func(*reeve.QueueConfig) *int64) queueOption {
	return queueOption{
		name: name, example: example, about: about,
		set: func(c *reeve.QueueConfig, _, s string) error {
			if s == limitless && s != "" {
				*field(c) = reeve.NoLimit
				return nil
			}
			err := (&sizeValue{field(c), reeve.TaskOverhead}).Set(s)
			if err != nil && limitless != "" {
				err = fmt.Errorf("%w, or %s", err, limitless)
			}
			return err
		},
		show: func(c *reeve.QueueConfig) []string {
			return unlessZero(*field(c), func(n int64) string {
				if n == reeve.NoLimit {
					return limitless
				}
				return FormatSize(n)
			})
		},
	}
}

// choice is an option of two words, the second of which sets the field.
func choice(name, off, on, about string, field func(*reeve.QueueConfig) *bool) queueOption {
	return queueOption{
		name: name, example: on, about: about,
		set: func(c *reeve.QueueConfig, _, s string) error {
			if s != off && s != on {
				return fmt.Errorf("want %s or %s", off, on)
			}
			*field(c) = s == on
			return nil
		},
		show: func(c *reeve.QueueConfig) []string {
			return unlessZero(*field(c), func(bool) string { return on })
		},
	}
}

func rate(name, example, about string, field func(*reeve.QueueConfig) *reeve.Rate) queueOption {
	return queueOption{
		name: name, example: example, about: about,
		set: func(c *reeve.QueueConfig, _, s string) (err error) {
			*field(c), err = reeve.ParseRate(s)
			return Plain(err)
		},
		show: func(c *reeve.QueueConfig) []string { return unlessZero(*field(c), reeve.Rate.String) },
	}
}

// unlessZero is what write makes of v, if v is not the zero value.
func unlessZero[T comparable](v T, write func(T) string) []string {
	var zero T
	if v == zero {
		return nil
	}
	return []string{write(v)}
}

// Plain is err, a nil one too, without the kind that all errors of a command
// line are of: that an argument is invalid is said where it is shown.
func Plain(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), reeve.ErrInvalid.Error()+": "))
}

package cmdline

import (
	"flag"
	"time"

	"github.com/reeveq/reeve"
	"github.com/urfave/cli/v3"
)

// Flag makes a flag of any value. The usage text holds the name of its value
// in back-quotes: "listen on `HOST:PORT`".
func Flag(name string, value flag.Getter, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: value, Local: true}
}

// String makes a flag of a text.
func String(name string, dest *string, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Value: *dest, Destination: dest, Local: true,
		Config: cli.StringConfig{TrimSpace: false}}
}

// Bool makes a flag that is set by its name alone; -name=false works too.
func Bool(name string, dest *bool, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, Value: *dest, Destination: dest, Local: true, HideDefault: true}
}

// List makes a flag of a text that can be given more than once. check looks at
// all that were given, the last of which is new.
func List(name string, dest *[]string, check func([]string) error, usage string) cli.Flag {
	return Flag(name, &listValue{dest, check}, usage)
}

// Labels is [List] for the labels of tasks or workers.
func Labels(name string, dest *[]string, usage string) cli.Flag {
	return List(name, dest, func(labels []string) error { return Plain(reeve.CheckLabels(labels)) }, usage)
}

// Int makes a flag of a whole number from least to most.
func Int(name string, dest *int, least, most int, usage string) cli.Flag {
	return Flag(name, &intValue{dest, least, most}, usage)
}

// Size makes a flag of a number of bytes from least on: "65536", "64KiB", "1.5GiB".
func Size(name string, dest *int64, least int64, usage string) cli.Flag {
	return Flag(name, &sizeValue{dest, least}, usage)
}

// Duration makes a flag of a time from least on: "30s", "1h30m".
func Duration(name string, dest *time.Duration, least time.Duration, usage string) cli.Flag {
	return Flag(name, &durationValue{dest, least}, usage)
}

// Durability makes a flag of a [reeve.Durability]: "sync", "none",
// "interval=100ms".
func Durability(name string, dest *reeve.Durability, usage string) cli.Flag {
	return Flag(name, &durabilityValue{dest}, usage)
}

// Choice makes a flag that is one of the given words.
func Choice(name string, dest *string, words []string, usage string) cli.Flag {
	return Flag(name, &choiceValue{dest, words}, usage)
}

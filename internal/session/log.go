package session

import (
	"fmt"
	"log/slog"
	"time"
)

// oddities logs what a peer does that is odd and breaks no rule, which it can
// do with every frame it sends: a few lines at first, then one a second. It is
// owned by the goroutine that reads.
type oddities struct {
	log *slog.Logger

	burst  int
	next   time.Time
	missed int
}

const (
	logBurst    = 4
	logInterval = time.Second
)

// note logs what happened with a frame.
func (o *oddities) note(what string, h header) {
	now := time.Now()
	if o.burst >= logBurst && now.Before(o.next) {
		o.missed++
		return
	}
	o.burst++
	o.next = now.Add(logInterval)
	o.log.Debug("odd frame", "what", what, "frame", fmt.Sprintf("%+v", h), "missed", o.missed)
	o.missed = 0
}

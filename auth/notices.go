package auth

import (
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// noticeEvery is how often one kind of notice about one source is logged.
const noticeEvery = time.Minute

// notices logs what strangers cause, without letting them fill the log. It is
// safe for concurrent use.
type notices struct {
	logger *slog.Logger

	mu   sync.Mutex // guards the fields below
	last *simplelru.LRU[noticeKey, *notice]
}

type noticeKey struct{ source, message string }

type notice struct {
	at         time.Time
	suppressed int
}

func newNotices(logger *slog.Logger) *notices {
	last, err := simplelru.NewLRU[noticeKey, *notice](rememberedSources, nil)
	if err != nil {
		panic("auth: " + err.Error()) // the size is a positive constant
	}
	return &notices{logger: logger, last: last}
}

// warn logs message, a constant, unless it was logged for source within the
// last minute; the next one that is logged says how many were not.
func (n *notices) warn(source, message string, args ...any) {
	suppressed, due := n.due(source, message, time.Now())
	if !due {
		return
	}
	if suppressed > 0 {
		args = append(args, "more_since_last", suppressed)
	}
	n.logger.Warn(message, args...)
}

func (n *notices) due(source, message string, now time.Time) (suppressed int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := noticeKey{source, message}
	last, ok := n.last.Get(key)
	if !ok {
		n.last.Add(key, &notice{at: now})
		return 0, true
	}
	if now.Sub(last.at) < noticeEvery {
		last.suppressed++
		return 0, false
	}
	suppressed = last.suppressed
	*last = notice{at: now}
	return suppressed, true
}

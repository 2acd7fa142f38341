package queue

import "github.com/reeveq/reeve"

type hub struct{}

func (h *hub) on() bool            { return false }
func (h *hub) emit(ev reeve.Event) {}

func appendHistory(h []reeve.AttemptRecord, r reeve.AttemptRecord, most int, room int64) []reeve.AttemptRecord {
	if room < 2000 {
		return h
	}
	r.Stack = ""
	return append(h, r)
}
func historySize(h []reeve.AttemptRecord) int64 { return int64(len(h)) * 100 }

package wire

import (
	"cmp"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// WorkerInfo is [reeve.WorkerInfo] with its keys.
type WorkerInfo struct {
	ID      uint64        `cbor:"1,keyasint,omitempty"`
	Name    string        `cbor:"2,keyasint,omitempty"`
	Host    string        `cbor:"3,keyasint,omitempty"`
	PID     int           `cbor:"4,keyasint,omitempty"`
	Impl    string        `cbor:"5,keyasint,omitempty"`
	Addr    string        `cbor:"6,keyasint,omitempty"`
	Since   int64         `cbor:"7,keyasint,omitempty"`
	Heard   time.Duration `cbor:"8,keyasint,omitempty"`
	Queues  []WorkerQueue `cbor:"9,keyasint,omitempty"`
	Running []WorkerTask  `cbor:"10,keyasint,omitempty"`
	Leased  int           `cbor:"11,keyasint,omitempty"`
}

// WorkerQueue is [reeve.WorkerQueue] with its keys; the two convert into each
// other.
type WorkerQueue struct {
	Supply uint64   `cbor:"6,keyasint,omitempty"`
	Queue  string   `cbor:"1,keyasint,omitempty"`
	Types  []string `cbor:"2,keyasint,omitzero"` // nil: all
	Labels []string `cbor:"3,keyasint,omitempty"`
	Slots  int      `cbor:"4,keyasint,omitempty"`
	Used   int      `cbor:"5,keyasint,omitempty"`
}

// WorkerTask is [reeve.WorkerTask] with its keys; the two convert into each
// other.
type WorkerTask struct {
	Queue   string        `cbor:"1,keyasint,omitempty"`
	ID      reeve.ID      `cbor:"2,keyasint,omitempty"`
	Type    string        `cbor:"3,keyasint,omitempty"`
	Attempt uint32        `cbor:"4,keyasint,omitempty"`
	Age     time.Duration `cbor:"5,keyasint,omitempty"`
}

// WorkerInfoOf is i with its keys. It shares types and labels.
func WorkerInfoOf(i *reeve.WorkerInfo) WorkerInfo {
	w := WorkerInfo{
		ID: i.ID, Name: cleanText(i.Name), Host: cleanText(i.Host), PID: i.PID, Impl: cleanText(i.Impl),
		Addr: cleanText(i.Addr), Since: unixNano(i.Since), Heard: i.Heard, Leased: i.Leased,
	}
	for _, q := range i.Queues {
		w.Queues = append(w.Queues, WorkerQueue(q))
	}
	for _, t := range i.Running {
		w.Running = append(w.Running, WorkerTask(t))
	}
	return w
}

// WorkerInfo is w in the words of the vocabulary. It shares types and labels.
func (w *WorkerInfo) WorkerInfo() reeve.WorkerInfo {
	i := reeve.WorkerInfo{
		ID: w.ID, Name: w.Name, Host: w.Host, PID: w.PID, Impl: w.Impl, Addr: w.Addr, Since: timeOf(w.Since),
		Heard: w.Heard, Leased: w.Leased,
	}
	for _, q := range w.Queues {
		i.Queues = append(i.Queues, reeve.WorkerQueue(q))
	}
	for _, t := range w.Running {
		i.Running = append(i.Running, reeve.WorkerTask(t))
	}
	return i
}

// SortWorkers sorts clients as operators want to see them: those that take
// tasks first, and among equals the one that has been there longest.
func SortWorkers(infos []reeve.WorkerInfo) {
	rank := func(w *reeve.WorkerInfo) int {
		if len(w.Queues) > 0 {
			return 0
		}
		return 1
	}
	slices.SortFunc(infos, func(a, b reeve.WorkerInfo) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(a.ID, b.ID))
	})
}

// WorkerStatus is [reeve.WorkerStatus] with its keys; the two convert into each
// other.
type WorkerStatus struct {
	Uptime      time.Duration `cbor:"1,keyasint,omitempty"`
	Concurrency int           `cbor:"2,keyasint,omitempty"`
	Running     int           `cbor:"3,keyasint,omitempty"`
	Done        uint64        `cbor:"4,keyasint,omitempty"`
	Failed      uint64        `cbor:"5,keyasint,omitempty"`
	Stuck       int           `cbor:"6,keyasint,omitempty"`
	Draining    bool          `cbor:"7,keyasint,omitempty"`
	Goroutines  int           `cbor:"8,keyasint,omitempty"`
	HeapBytes   uint64        `cbor:"9,keyasint,omitempty"`
}

// WorkerReport is [reeve.Report] with its keys.
type WorkerReport struct {
	Worker string        `cbor:"1,keyasint,omitempty"`
	ID     uint64        `cbor:"2,keyasint,omitempty"`
	Error  string        `cbor:"3,keyasint,omitempty"`
	Status *WorkerStatus `cbor:"4,keyasint,omitempty"`
}

// WorkerReportOf is r with its keys. It shares the status.
func WorkerReportOf(r *reeve.Report) WorkerReport {
	return WorkerReport{Worker: cleanText(r.Worker), ID: r.ID, Error: cleanText(r.Error), Status: (*WorkerStatus)(r.Status)}
}

// Report is w in the words of the vocabulary. It shares the status.
func (w *WorkerReport) Report() reeve.Report {
	return reeve.Report{Worker: w.Worker, ID: w.ID, Error: w.Error, Status: (*reeve.WorkerStatus)(w.Status)}
}

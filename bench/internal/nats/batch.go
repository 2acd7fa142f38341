package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// batchPublisher publishes batches that the server confirms with one message:
// "fast" ones in memory, and "atomic" ones on disk, which are synced once. The
// library has no call for them; their fields are those of the server's
// documents, and of the extensions that its makers publish.
type batchPublisher struct {
	link    *link
	inbox   string
	answers chan *nats.Msg
	batches uint64 // that were begun
	want    int    // items of the batch that is under way
}

func newBatchPublisher(l *link) (*batchPublisher, error) {
	p := &batchPublisher{
		link: l, inbox: l.conn.NewInbox(),
		// The library drops what does not fit. The server says how far it is
		// after so many items as it chooses, one at the least.
		answers: make(chan *nats.Msg, windowItems+2),
	}
	_, err := l.conn.ChanSubscribe(p.inbox+".>", p.answers)
	return p, err
}

func (p *batchPublisher) publish(queue string, payloads [][]byte) error {
	p.batches++
	p.want = len(payloads)
	id := strings.TrimPrefix(p.inbox, nats.InboxPrefix) + "-" + strconv.FormatUint(p.batches, 10)
	switch {
	case len(payloads) == 1:
		return p.link.conn.PublishRequest(queue, p.inbox+"."+id, payloads[0])
	case p.link.storage == jetstream.FileStorage:
		return p.atomic(queue, id, payloads)
	default:
		return p.fast(queue, id, payloads)
	}
}

// fast has each item's place in the batch in the subject for answers:
// inbox.id.flow.gap.sequence.operation.$FI.
func (p *batchPublisher) fast(queue, id string, payloads [][]byte) error {
	const start, add, commit = ".0.$FI", ".1.$FI", ".2.$FI"
	reply := append([]byte(p.inbox), "."+id+"."+strconv.Itoa(windowItems)+".fail."...)
	for i, data := range payloads {
		op := add
		switch i {
		case 0:
			op = start
		case len(payloads) - 1:
			op = commit
		}
		subject := append(strconv.AppendInt(reply, int64(i+1), 10), op...)
		if err := p.link.conn.PublishRequest(queue, string(subject), data); err != nil {
			return err
		}
	}
	return nil
}

// atomic has it in headers.
func (p *batchPublisher) atomic(queue, id string, payloads [][]byte) error {
	for i, data := range payloads {
		m := nats.Msg{Subject: queue, Data: data, Header: nats.Header{
			"Nats-Batch-Id": {id}, "Nats-Batch-Sequence": {strconv.Itoa(i + 1)},
		}}
		if i == len(payloads)-1 {
			m.Header["Nats-Batch-Commit"] = []string{"1"}
			m.Reply = p.inbox + "." + id
		}
		if err := p.link.conn.PublishMsg(&m); err != nil {
			return err
		}
	}
	return nil
}

func (p *batchPublisher) wait(ctx context.Context) error {
	for {
		select {
		case m := <-p.answers:
			if bytes.HasPrefix(m.Data, []byte(`{"type":"ack"`)) {
				continue // how far it is
			}
			return p.confirmed(m)
		case <-p.link.closed:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// confirmed returns nil if m confirms the whole batch.
func (p *batchPublisher) confirmed(m *nats.Msg) error {
	var answer struct {
		Error *jetstream.APIError `json:"error"`
		Seq   uint64              `json:"seq"`
		Count int                 `json:"count"` // of a batch
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("nats: publish: status %q: %w", m.Header.Get("Status"), err)
	}
	if answer.Error != nil {
		return fmt.Errorf("nats: publish: %w", answer.Error)
	}
	if answer.Seq == 0 || p.want > 1 && answer.Count != p.want {
		return fmt.Errorf("nats: publish: %d items are not confirmed by %s", p.want, m.Data)
	}
	return nil
}

var _ publisher = (*batchPublisher)(nil)

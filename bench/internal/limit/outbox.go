package limit

import (
	"bytes"
	"net"
	"sync"
)

// gathered is how much a writer gathers before it writes.
const gathered = 64 << 10

// writer gathers messages. One goroutine uses it at a time.
type writer struct {
	conn  net.Conn
	codec codec
	buf   bytes.Buffer
	last  message // what add encodes: here, so that it is not allocated each time
}

// add gathers a message, and writes what was gathered when that is much.
func (w *writer) add(kind uint8, n uint32, id uint64, payload []byte) error {
	w.last = message{Kind: kind, N: n, ID: id, Payload: payload}
	left := w.codec.append(&w.buf, &w.last)
	w.last.Payload = nil
	if left == nil && w.buf.Len() < gathered {
		return nil
	}
	return w.write(left)
}

// flush writes what was gathered.
func (w *writer) flush() error {
	if w.buf.Len() == 0 {
		return nil
	}
	return w.write(nil)
}

// write writes what was gathered, and then left.
func (w *writer) write(left []byte) (err error) {
	if tcp, ok := w.conn.(*net.TCPConn); ok && left != nil {
		_, err = (&net.Buffers{w.buf.Bytes(), left}).WriteTo(tcp)
	} else if _, err = w.conn.Write(w.buf.Bytes()); err == nil && left != nil {
		_, err = w.conn.Write(left)
	}
	w.buf.Reset()
	return err
}

// unread is how many bytes a client may have to read when a goroutine that has
// other work writes to it: they fit in any stack's buffers, so that the client
// need not read at all.
const unread = 128 << 10

// delivery is an item for a client.
type delivery struct {
	id       uint64
	consumer uint32
	payload  []byte
}

// outbox is what a client has to be told. Safe for concurrent use.
type outbox struct {
	w     writer     // used by who set writing
	spare []delivery // likewise

	mu         sync.Mutex // guards the fields below; taken after the server's mu, never before
	deliveries []delivery
	confirmed  uint64
	confirms   bool // confirmed is to be told
	leased     int  // bytes of payloads that the client has not ended: it may not have read them
	writing    bool
}

// confirm is that n more operations are done.
func (o *outbox) confirm(n uint64) {
	o.mu.Lock()
	o.confirmed += n
	o.confirms = true
	o.mu.Unlock()
}

// flush writes what there is to write, unless somebody does so already. It does
// not wait for a client that does not read.
func (o *outbox) flush() {
	o.mu.Lock()
	if o.writing || !o.confirms && len(o.deliveries) == 0 {
		o.mu.Unlock()
		return
	}
	o.writing = true
	alone := o.leased > unread
	o.mu.Unlock()
	if alone {
		go o.run() // ends when all is written, or the connection ends
	} else {
		o.run()
	}
}

// run writes until there is nothing left.
func (o *outbox) run() {
	for {
		o.mu.Lock()
		list, confirmed, confirms := o.deliveries, o.confirmed, o.confirms
		if len(list) == 0 && !confirms {
			o.writing = false
			o.mu.Unlock()
			return
		}
		o.deliveries, o.confirms = o.spare[:0], false
		o.mu.Unlock()
		if err := o.tell(list, confirmed, confirms); err != nil {
			_ = o.w.conn.Close() // the reader ends; writing stays, so that nobody else tries
			return
		}
		clear(list)
		o.spare = list[:0]
	}
}

func (o *outbox) tell(list []delivery, confirmed uint64, confirms bool) error {
	if confirms {
		if err := o.w.add(kindConfirm, 0, confirmed, nil); err != nil {
			return err
		}
	}
	for _, d := range list {
		if err := o.w.add(kindDeliver, d.consumer, d.id, d.payload); err != nil {
			return err
		}
	}
	return o.w.flush()
}

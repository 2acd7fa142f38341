package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// The floor: what a queue server costs on this machine when it does nothing
// but move batches between connections. Plain TCP, credit and acks, no names,
// authentication, limits, leases that come back, or order beyond a ring. What
// Reeve takes more than this is the price of its promises.
//
// Frames are a type, a length of 4 bytes and a body: 'P' payloads to the tasks,
// 'W' or 'L' with a credit of 4 bytes to be a worker or the collector, 'D'
// deliveries, 'R' results with the ids they end, 'A' ids that are done, 'O' how
// many puts were taken. An item is an id of 8 bytes, a length of 4 and a payload.

type floorItem struct {
	id      uint64
	payload []byte
}

type floorConn struct {
	c       net.Conn
	credit  int
	results bool // takes results, not tasks

	mu      sync.Mutex // guards the fields below
	out     []byte
	writing bool
}

// send adds a frame, and writes it unless somebody does already.
func (fc *floorConn) send(kind byte, body []byte) {
	fc.mu.Lock()
	fc.out = append(fc.out, kind)
	fc.out = binary.BigEndian.AppendUint32(fc.out, uint32(len(body)))
	fc.out = append(fc.out, body...)
	if fc.writing {
		fc.mu.Unlock()
		return
	}
	fc.writing = true
	fc.mu.Unlock()
	go fc.flush() // ends when there is nothing left to write
}

func (fc *floorConn) flush() {
	var buf []byte
	for {
		fc.mu.Lock()
		buf, fc.out = fc.out, buf[:0]
		if len(buf) == 0 {
			fc.writing = false
			fc.mu.Unlock()
			return
		}
		fc.mu.Unlock()
		if _, err := fc.c.Write(buf); err != nil {
			return
		}
	}
}

type floorServer struct {
	mu      sync.Mutex // guards the fields below
	next    uint64
	queues  [2][]floorItem // tasks, results
	leased  map[uint64]floorItem
	takers  [2][]*floorConn
	scratch []byte
}

func floorMaster() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	ctx, cancel := stopped()
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	s := &floorServer{leased: map[uint64]floorItem{}}
	for {
		c, err := ln.Accept()
		if err != nil {
			return nil
		}
		go s.serve(&floorConn{c: c}) // ends with the connection
	}
}

func (s *floorServer) serve(fc *floorConn) {
	defer fc.c.Close()
	r := bufio.NewReaderSize(fc.c, 64<<10)
	for {
		kind, body, err := readFloor(r)
		if err != nil {
			return
		}
		s.mu.Lock()
		switch kind {
		case 'P':
			n := uint32(0)
			for len(body) > 0 {
				var it floorItem
				it, body = floorNext(body)
				s.put(0, it.payload)
				n++
			}
			fc.send('O', binary.BigEndian.AppendUint32(nil, n))
		case 'W', 'L':
			fc.credit, fc.results = int(binary.BigEndian.Uint32(body)), kind == 'L'
			s.takers[which(fc.results)] = append(s.takers[which(fc.results)], fc)
		case 'R':
			for len(body) > 0 {
				var it floorItem
				it, body = floorNext(body)
				delete(s.leased, it.id)
				fc.credit++
				s.put(1, it.payload)
			}
		case 'A':
			for ; len(body) >= 8; body = body[8:] {
				delete(s.leased, binary.BigEndian.Uint64(body))
				fc.credit++
			}
		}
		s.dispatch()
		s.mu.Unlock()
	}
}

func which(results bool) int {
	if results {
		return 1
	}
	return 0
}

func (s *floorServer) put(q int, payload []byte) {
	s.next++
	s.queues[q] = append(s.queues[q], floorItem{s.next, payload})
}

// dispatch hands over what there is credit for.
func (s *floorServer) dispatch() {
	for q := range s.queues {
		for _, fc := range s.takers[q] {
			n := min(fc.credit, len(s.queues[q]))
			if n == 0 {
				continue
			}
			s.scratch = s.scratch[:0]
			for _, it := range s.queues[q][:n] {
				s.leased[it.id] = it
				s.scratch = appendFloor(s.scratch, it)
			}
			s.queues[q] = s.queues[q][n:]
			fc.credit -= n
			fc.send('D', s.scratch)
		}
	}
}

func appendFloor(b []byte, it floorItem) []byte {
	b = binary.BigEndian.AppendUint64(b, it.id)
	b = binary.BigEndian.AppendUint32(b, uint32(len(it.payload)))
	return append(b, it.payload...)
}

func floorNext(b []byte) (floorItem, []byte) {
	id, n := binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	return floorItem{id, b[12 : 12+n : 12+n]}, b[12+n:]
}

// readFloor reads one frame into memory of its own.
func readFloor(r *bufio.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

func floorDial(o options) (*floorConn, *bufio.Reader, error) {
	c, err := net.Dial("tcp", o.addr)
	if err != nil {
		return nil, nil, err
	}
	return &floorConn{c: c}, bufio.NewReaderSize(c, 64<<10), nil
}

func floorProducer(o options) error {
	fc, r, err := floorDial(o)
	if err != nil {
		return err
	}
	defer fc.c.Close()
	announceBegin()
	payload := make([]byte, o.size)
	unanswered, left := 0, o.tasks
	for left > 0 || unanswered > 0 {
		for left > 0 && unanswered < o.producers*o.batch {
			n := min(o.batch, left)
			var body []byte
			for range n {
				body = appendFloor(body, floorItem{0, payload})
			}
			fc.send('P', body)
			left -= n
			unanswered += n
		}
		_, body, err := readFloor(r)
		if err != nil {
			return err
		}
		unanswered -= int(binary.BigEndian.Uint32(body))
	}
	return nil
}

func floorWorker(o options) error {
	fc, r, err := floorDial(o)
	if err != nil {
		return err
	}
	ctx, cancel := stopped()
	defer cancel()
	defer context.AfterFunc(ctx, func() { fc.c.Close() })()
	fc.send('W', binary.BigEndian.AppendUint32(nil, uint32(o.prefetch)))
	fmt.Println("ready")
	for {
		_, body, err := readFloor(r)
		if err != nil {
			return nil
		}
		fc.send('R', body) // a result is its task's payload, and has its id
	}
}

func floorCollect(o options) error {
	fc, r, err := floorDial(o)
	if err != nil {
		return err
	}
	defer fc.c.Close()
	fc.send('L', binary.BigEndian.AppendUint32(nil, uint32(4*o.prefetch)))
	for left := o.tasks; left > 0; {
		kind, body, err := readFloor(r)
		if err != nil {
			return err
		}
		if kind != 'D' {
			return errors.New("not a delivery")
		}
		var ids []byte
		for len(body) > 0 {
			var it floorItem
			it, body = floorNext(body)
			ids = binary.BigEndian.AppendUint64(ids, it.id)
			left--
		}
		fc.send('A', ids)
	}
	return nil
}

package main

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// What the server says when it does not take a mail.
var (
	errBusy    = errors.New("451 mailbox is busy")
	errLater   = errors.New("450 come back in a while")
	errNobody  = errors.New("550 there is no such mailbox")
	errRefused = errors.New("dial example.net: connection refused")
)

// server stands for the mail servers of the world. It takes mails, notes when,
// and refuses some.
type server struct {
	mu       sync.Mutex // guards the fields below
	down     bool       // the domain example.net is
	asked    map[Mail]int
	messages map[reeve.ID]bool
	taken    []delivery
}

// delivery is a mail that was taken.
type delivery struct {
	Mail
	at time.Time
}

func newServer() *server {
	return &server{down: true, asked: map[Mail]int{}, messages: map[reeve.ID]bool{}}
}

// send hands the server a mail. message is its Message-ID: of one that was taken
// before nothing more happens.
func (s *server) send(message reeve.ID, m Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[m]++
	box, domain, _ := strings.Cut(m.To, "@")
	switch {
	case s.messages[message]:
		return nil
	case domain == "example.net" && s.down:
		return errRefused
	case box == "busy" && s.asked[m] < 3:
		return errBusy
	case box == "later" && s.asked[m] < 2:
		return errLater
	case box == "nobody":
		return errNobody
	}
	s.messages[message] = true
	s.taken = append(s.taken, delivery{m, time.Now()})
	return nil
}

// repair brings the domain back that was down.
func (s *server) repair() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

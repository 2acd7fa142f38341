package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// plan is what the report needs to know besides what the server got.
type plan struct {
	begun, remindAt time.Time
	dead            int // letters that were not revived, or died again
	left            int // that have not been sent
}

// report compares what the server got with what was to be sent. The error says
// what differs.
func (s *server) report(out io.Writer, p plan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[Mail]int{}
	for _, d := range s.taken {
		got[d.Mail]++
	}
	missing, twice := 0, 0
	for _, m := range wanted() {
		switch n := got[m]; {
		case n == 0:
			missing++
			fmt.Fprintf(out, "%q has not come to %s\n", m.Subject, m.To)
		case n > 1:
			twice++
			fmt.Fprintf(out, "%q has come to %s %d times\n", m.Subject, m.To, n)
		}
		delete(got, m)
	}
	asked := 0
	for _, n := range s.asked {
		asked += n
	}
	fmt.Fprintf(out, "%d letters sent, %d missing, %d sent twice, %d dead, %d attempts at %d a second\n",
		len(s.taken), missing, twice, p.dead, asked, perSecond)
	return errors.Join(
		unless(missing+twice+len(got) == 0, "%d letters missing, %d sent twice, %d that nobody wrote", missing, twice, len(got)),
		unless(p.dead == 1 && p.left == 0, "%d letters are dead, want 1, and %d are left, want none", p.dead, p.left),
		s.checkOrder(),
		s.checkTimes(p, asked),
		unless(s.asked[Mail{"busy@example.com", newsletter}] == 3, "the busy mailbox was not asked three times"),
		unless(s.asked[Mail{"later@example.com", newsletter}] == 2, "the server that said later was not asked twice"),
		unless(s.asked[Mail{"nobody@example.com", newsletter}] == 1, "the mailbox that does not exist was not asked once"),
		unless(s.asked[Mail{"user1@example.net", newsletter}] == attempts+1, "the domain that was down was not asked %d times", attempts+1),
	)
}

// wanted are all letters that are to be sent, each once.
func wanted() []Mail {
	var all []Mail
	seen := map[string]bool{"nobody@example.com": true}
	for _, list := range [][]string{customers, subscribers} {
		for _, to := range list {
			if !seen[to] {
				seen[to] = true
				all = append(all, Mail{to, newsletter})
			}
		}
	}
	for _, to := range forgetful {
		all = append(all, Mail{to, password})
	}
	return append(all, Mail{customers[0], reminder})
}

// checkOrder looks whether the passwords went first.
func (s *server) checkOrder() error {
	for i := range forgetful {
		if i >= len(s.taken) || s.taken[i].Subject != password {
			return fmt.Errorf("letter %d is no password: they go first", i+1)
		}
	}
	return nil
}

// checkTimes looks whether anything came too early.
func (s *server) checkTimes(p plan, asked int) error {
	if len(s.taken) == 0 {
		return nil
	}
	last := s.taken[len(s.taken)-1]
	if least := time.Duration(asked-1) * time.Second / perSecond; last.at.Sub(p.begun) < least {
		return fmt.Errorf("%d attempts within %v, want at least %v", asked, last.at.Sub(p.begun), least)
	}
	for _, d := range s.taken {
		if d.Subject == reminder && d.at.Round(0).Before(p.remindAt.Round(0)) {
			return fmt.Errorf("the reminder went out %v before its time", p.remindAt.Sub(d.at))
		}
	}
	return nil
}

func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

package main

import (
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestMailer_EveryLetterGoesOutOnceByTheRules(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "mailer")
	stdout, stderr, code := u.Run("mailer")
	want := regexp.MustCompile(`^20 letters to customers, 6 to subscribers \(8 are customers\), 4 urgent ones
(letter [0-9a-f]{16}: 3 attempts failed; last: dial example\.net: connection refused
){3}letter [0-9a-f]{16}: 550 there is no such mailbox
example\.net is back: 3 dead letters revived
the newsletter is written once more: 34 of 34 have got it
29 letters sent, 0 missing, 0 sent twice, 1 dead, 42 attempts at 50 a second
$`)
	if code != 0 || !want.MatchString(stdout) {
		t.Errorf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
}

func TestServer_TakesAMessageOnce(t *testing.T) {
	t.Parallel()
	s := newServer()
	m := Mail{"a@example.org", "s"}
	for _, message := range []reeve.ID{1, 1, 2} {
		if err := s.send(message, m); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.taken) != 2 {
		t.Errorf("taken: %v", s.taken)
	}
}

// sent is a server that got all letters by the rules, and the plan for it.
func sent() (*server, plan) {
	begun := time.Now()
	p := plan{begun: begun, remindAt: begun, dead: 1}
	s := newServer()
	all := wanted()
	for i := len(all) - 1; i >= 0; i-- { // the passwords first
		s.asked[all[i]] = 1
		if all[i].Subject == password {
			s.taken = append(s.taken, delivery{all[i], begun})
		}
	}
	for _, m := range all {
		if m.Subject != password {
			s.taken = append(s.taken, delivery{m, begun.Add(time.Minute)})
		}
	}
	s.asked[Mail{"busy@example.com", newsletter}] = 3
	s.asked[Mail{"later@example.com", newsletter}] = 2
	s.asked[Mail{"nobody@example.com", newsletter}] = 1
	s.asked[Mail{"user1@example.net", newsletter}] = attempts + 1
	return s, p
}

func TestReport_FailsForEveryDifference(t *testing.T) {
	t.Parallel()
	if s, p := sent(); s.report(io.Discard, p) != nil {
		t.Fatal(s.report(io.Discard, p))
	}
	for name, spoil := range map[string]func(*server, *plan){
		"missing":           func(s *server, _ *plan) { s.taken = s.taken[:len(s.taken)-1] },
		"twice":             func(s *server, _ *plan) { s.taken = append(s.taken, s.taken[5]) },
		"unknown":           func(s *server, _ *plan) { s.taken[9].Subject = "spam" },
		"order":             func(s *server, _ *plan) { s.taken[0], s.taken[9] = s.taken[9], s.taken[0] },
		"too fast":          func(s *server, _ *plan) { s.taken[len(s.taken)-1].at = s.taken[0].at },
		"too early":         func(s *server, p *plan) { p.remindAt = p.remindAt.Add(time.Hour) },
		"one dead too many": func(_ *server, p *plan) { p.dead++ },
		"left":              func(_ *server, p *plan) { p.left++ },
		"busy":              func(s *server, _ *plan) { s.asked[Mail{"busy@example.com", newsletter}]-- },
		"later":             func(s *server, _ *plan) { s.asked[Mail{"later@example.com", newsletter}]++ },
		"nobody":            func(s *server, _ *plan) { s.asked[Mail{"nobody@example.com", newsletter}]++ },
		"down":              func(s *server, _ *plan) { s.asked[Mail{"user1@example.net", newsletter}]-- },
		"nothing":           func(s *server, _ *plan) { s.taken = nil },
	} {
		s, p := sent()
		spoil(s, &p)
		if err := s.report(io.Discard, p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

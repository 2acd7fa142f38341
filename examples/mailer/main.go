// Command mailer sends mails through a queue that keeps to the rules of the
// trade: what is urgent goes first, what has a time waits for it, no more goes
// out in a second than the mail server takes, a busy mailbox is tried again,
// and nobody gets a letter twice.
//
//	go run ./examples/mailer
//
// The mail server is made up, and so are its moods: no mail leaves this program.
// Master and worker are in it too, to keep the story short. With proxy.Dial and
// proxy.QueueOf in place of manager.QueueOf, the worker may be anywhere.
//
// What happens, and the rule behind it:
//
//   - A newsletter goes to everyone on two lists that overlap. Each letter has a
//     unique key, so the second list brings only those who are not on the first,
//     and writing the newsletter once more brings nobody a second letter.
//   - New passwords are asked for after that, and go out before it: priority.
//   - A reminder is written now, and goes out at its time.
//   - A mailbox that is busy is tried again, after a wait that doubles.
//   - A server that says "come back in a while" is believed: nothing has failed,
//     so that no attempt is used up.
//   - A mailbox that does not exist makes a dead letter at once: no attempt could
//     end better.
//   - A domain that is down makes dead letters when the attempts are used up. When
//     it is back they are revived, by the text of their error.
//
// A mail is sent at least once: had the worker died between the server's answer
// and the end of its task, it would be sent again. The task's id, which stays the
// same, is the Message-ID by which a server tells.
//
// The exit code is 1 if anybody got no letter, or two, or if one came out of its
// order, before its time, or faster than the server takes them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// patience bounds the whole run.
const patience = 5 * time.Minute

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./examples/mailer") }
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, patience)
	err := run(ctx, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mailer:", err)
		os.Exit(1)
	}
}

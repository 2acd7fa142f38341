// Command crawler follows the links of a web site with three workers and
// records every page once, though one of them is killed in the middle of a
// request.
//
//	go run ./examples/crawler
//
// The site, some 380 pages of ordinary HTML with relative links, fragments,
// redirects and a dead link, is served on loopback by this program; nothing
// else is visited. The program hosts the master too. The workers are processes
// of their own, this program in another role: they fetch a page from the queue
// "fetch", put the links that they found there on that queue, and what the page
// was goes to the queue "pages".
//
// Nobody but the queue knows which pages have been seen. Every address is put
// in its one form (package canonical) and as a unique key, so the master takes
// each once. The host is the task's key: whatever the number of workers, no
// host is asked more often, nor for more at a time, than [frontier] says.
//
// What this shows is what "at least once" means. The server sees who asks. At
// the hundredth request it kills the worker that sent it, before it answers.
// Nothing of that page is lost: the master hands it to another worker, which
// fetches it again. So a page may be fetched twice, and the server counts that,
// but none is recorded twice: a result is put in the same step in which its
// task is done. A crawler that must not ask twice either would have to ask the
// server, not the queue.
//
// The exit code is 1 if a page is missing, recorded twice, or not as the site
// has it, if there were more fetches than pages and redeliveries, or if they
// came faster than they should.
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
	master := flag.String("worker", "", "be a worker of the master at `ADDR`: how this program starts itself")
	name := flag.String("name", "", "the worker's `NAME`")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, patience)
	var err error
	if *master != "" {
		err = work(ctx, *master, *name)
	} else {
		err = run(ctx, os.Stdout)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crawler:", err)
		os.Exit(1)
	}
}

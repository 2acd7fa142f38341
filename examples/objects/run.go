package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/examples/objects/bank"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
	"golang.org/x/sync/errgroup"
)

const (
	tellers = 3
	moves   = 200 // of each teller
	begin   = 100 // what an account has at first
)

// run opens the bank, has the tellers do their day's work and looks at the books.
func run(ctx context.Context, out io.Writer) error {
	key, _, err := auth.GenerateKey("objects")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := share(m); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(ctx, ln) }() // ends with m
	defer func() { m.Close(); <-served }()

	var team errgroup.Group
	reports := make([]string, tellers)
	for i := range tellers {
		team.Go(func() (err error) {
			reports[i], err = work(ctx, ln.Addr().String(), key, i)
			return err
		})
	}
	if err := team.Wait(); err != nil {
		return err
	}
	for _, r := range reports {
		fmt.Fprintln(out, r)
	}
	return close(ctx, m, out)
}

// share shares the bank, its accounts, and counters for those who want one.
func share(m *manager.Master) error {
	return errors.Join(
		manager.RegisterType[bank.Account](m, "account", manager.Reads("Balance")),
		manager.Register[bank.Bank](m, "bank", newVault(), manager.Reads("Total")),
		manager.RegisterFactory[bank.Counter](m, "counter", newCounter, manager.MaxCalls(1)),
	)
}

// work is one teller's day.
func work(ctx context.Context, addr string, key auth.Key, teller int) (report string, err error) {
	c, err := proxy.Dial(ctx, addr, proxy.Config{AuthKey: key, Name: fmt.Sprint("teller ", teller+1)})
	if err != nil {
		return "", err
	}
	defer c.Close()
	counter, err := shared.Call[*bank.CounterStub](ctx, shared.ObjectOf(c, "counter"), "New")
	if err != nil {
		return "", err
	}
	b := bank.BankOf(c, "bank")
	customers := make([]bank.Account, 4)
	for i := range customers { // the same for all tellers
		if customers[i], err = b.Open(ctx, fmt.Sprint("customer ", i+1), begin); err != nil {
			return "", err
		}
	}
	for i := range moves {
		from, to := customers[(i+teller)%len(customers)], customers[(i*i+1)%len(customers)]
		kind := "moved"
		err := b.Move(ctx, from, to, 10+i%50)
		if funds, ok := errors.AsType[*bank.FundsError](err); ok && funds.Asked > funds.Has {
			kind = "refused"
		} else if err != nil {
			return "", err
		}
		if _, err := counter.Add(ctx, kind); err != nil {
			return "", err
		}
	}
	kinds, all, err := counter.Counts(ctx)
	if err != nil {
		return "", err
	}
	if all != kinds["moved"]+kinds["refused"] {
		return "", fmt.Errorf("%s has counted %v, %d in all", counter, kinds, all)
	}
	return fmt.Sprintf("teller %d: %d moves, some refused: %v", teller+1, all, kinds["refused"] > 0), nil
}

// close looks at the books, from the master's own process: the handles are the
// same.
func close(ctx context.Context, m *manager.Master, out io.Writer) error {
	b := bank.BankOf(m, "bank")
	total, err := b.Total(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the bank has", total)
	if total != 4*begin {
		return fmt.Errorf("%d is lost", 4*begin-total)
	}
	rich, err := b.Open(ctx, "the richest", 1)
	if err != nil {
		return err
	}
	err = rich.Close(ctx)
	fmt.Fprintf(out, "an account with money is closed: %v (%v)\n", err, errors.Is(err, bank.ErrNotEmpty))
	err = b.Audit(ctx)
	fmt.Fprintf(out, "the audit: %v (%v)\n", err, errors.Is(err, reeve.ErrPanic))
	err = b.Object().Invoke(ctx, "Rob", nil)
	fmt.Fprintf(out, "a robbery: %v (%v)\n", err, errors.Is(err, reeve.ErrNotExposed))
	return list(ctx, m, out)
}

// list prints what has a name. The accounts and counters of the tellers go when the
// master has noticed that these are gone.
func list(ctx context.Context, m *manager.Master, out io.Writer) error {
	objects, err := shared.Objects(ctx, m)
	for _, o := range objects {
		if o.Ref.Name != "" {
			fmt.Fprintf(out, "%s %s: %s\n", o.Ref.Type, o.Ref.Name, o.Text)
		}
	}
	return err
}

package main

import (
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
)

// partial is a client whose own methods go before those it does not have.
type partial struct {
	*proxy.Client
	rest
}

type rest struct{ reeve.Operator }
